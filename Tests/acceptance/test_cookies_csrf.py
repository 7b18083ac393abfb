"""The session cookie, the rule against cross-site requests, CORS."""

import pytest
import requests

from gate import PASSWORD, QUICK, assert_problem, merged

HTTPS = merged(QUICK, {"public_url": "https://gate.example.com"})


def set_cookies(answer: requests.Response) -> dict[str, tuple[str, dict[str, str]]]:
    """Every Set-Cookie of the answer: name to value and attributes (lower case)."""
    cookies = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        pair, *attributes = [part.strip() for part in line.split(";")]
        name, value = pair.split("=", 1)
        assert len(line) < 4096
        cookies[name] = (value, {key.lower(): rest for key, _, rest in (part.partition("=") for part in attributes)})
    return cookies


def register(server):
    return server.call("POST", "/api/v1/auth/register", json={"email": server.address(), "password": PASSWORD})


def signed_in(server) -> tuple[dict, dict]:
    """A new account: the session answer, and the headers of its browser (name=value pairs only)."""
    answer = register(server)
    pairs = "; ".join(f"{name}={value}" for name, (value, _) in set_cookies(answer).items())
    return answer.json(), {"Cookie": pairs}


def test_cookie_over_https(make_server):
    """CHECKLIST 11: __Host-, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain, under 4096 bytes."""
    server = make_server(HTTPS).start()
    cookies = set_cookies(register(server))
    assert "__Host-gatehouse" in cookies
    for name, (value, attributes) in cookies.items():
        assert name.startswith("__Host-"), name
        assert "secure" in attributes and "httponly" in attributes and "domain" not in attributes, (name, attributes)
        assert attributes["samesite"] == "Lax" and attributes["path"] == "/", (name, attributes)
        assert value


def test_cookie_over_plain_http(shared):
    """CHECKLIST 11: on plain HTTP the prefix and Secure cannot be; the rest is the same."""
    cookies = set_cookies(register(shared))
    assert "gatehouse" in cookies
    for _, attributes in cookies.values():
        assert "secure" not in attributes and "httponly" in attributes and "domain" not in attributes
        assert attributes["samesite"] == "Lax" and attributes["path"] == "/"


def test_cookie_identifies(shared):
    session, browser = signed_in(shared)
    me = shared.call("GET", "/api/v1/auth/me", headers=browser)
    assert me.status_code == 200 and me.json()["id"] == session["user"]["id"]


def test_cookie_refreshes_and_is_cleared_by_logout(shared):
    session, browser = signed_in(shared)
    renewed = shared.call("POST", "/api/v1/auth/refresh", headers={**browser, "Origin": shared.url})
    assert renewed.status_code == 200 and renewed.json()["session_id"] == session["session_id"]
    fresh = set_cookies(renewed)
    pairs = "; ".join(f"{name}={value}" for name, (value, _) in fresh.items())
    out = shared.call("POST", "/api/v1/auth/logout", headers={"Cookie": pairs, "Origin": shared.url})
    assert out.status_code == 204
    cleared = set_cookies(out)
    assert fresh.keys() <= cleared.keys()
    assert all(attributes.get("max-age") == "0" or "1970" in attributes.get("expires", "") for _, attributes in cleared.values())
    assert shared.call("GET", "/api/v1/auth/me", headers={"Cookie": pairs}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Referer": "SELF/page"}, False),
        ({"Origin": "SELF"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "SELF"}, True),
    ],
)
def test_unsafe_methods_with_a_cookie_need_the_same_origin(shared, headers, admitted):
    """CHECKLIST 12."""
    _, browser = signed_in(shared)
    headers = {name: value.replace("SELF", shared.url) for name, value in headers.items()}
    answer = shared.call("PATCH", "/api/v1/auth/me", headers={**browser, **headers}, json={"name": "Changed"})
    me = shared.call("GET", "/api/v1/auth/me", headers=browser).json()
    if admitted:
        assert answer.status_code == 200 and me["name"] == "Changed"
    else:
        assert_problem(answer, 403, "auth/csrf")
        assert me["name"] != "Changed"


def test_bearer_requests_need_no_origin(shared):
    """CHECKLIST 12: whoever can send the header is not a form on another site."""
    token = shared.register()["access_token"]
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = shared.call("PATCH", "/api/v1/auth/me", token=token, headers=headers, json={"name": "Changed"})
        assert answer.status_code == 200, headers


def test_nothing_changes_on_get(shared):
    """CHECKLIST 12: what changes something is not to be had by GET or HEAD."""
    session, browser = signed_in(shared)
    for path in ("logout", "refresh", "password", "register", "login"):
        for method in ("GET", "HEAD"):
            answer = shared.call(method, f"/api/v1/auth/{path}", headers={**browser, "Origin": shared.url})
            assert answer.status_code in (404, 405), (method, path)
    assert shared.me(session["access_token"]).status_code == 200


ALLOWED = "https://app.example.org"


@pytest.fixture(scope="module")
def cors(tmp_path_factory):
    from gate import Gatehouse

    server = Gatehouse(tmp_path_factory.mktemp("cors"), merged(QUICK, {"cors": {"origins": [ALLOWED]}})).start()
    yield server
    server.kill()


def varies_by_origin(answer) -> bool:
    return "origin" in answer.headers.get("Vary", "").lower()


@pytest.mark.parametrize("path", ["/health", "/api/v1/auth/me", "/nothing-here"])
def test_listed_origin_is_reflected_with_credentials(cors, path):
    """CHECKLIST 14, on answers of every kind."""
    answer = cors.call("GET", path, headers={"Origin": ALLOWED})
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert answer.headers["Access-Control-Allow-Credentials"] == "true" and varies_by_origin(answer)


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "https://app.example.org:444",
     "https://xapp.example.org", "https://app.example.orgx", "*"])
def test_other_origins_are_not_reflected(cors, origin):
    """CHECKLIST 14: `null` and near misses."""
    for method in ("GET", "OPTIONS"):
        answer = cors.call(method, "/api/v1/auth/me", headers={"Origin": origin, "Access-Control-Request-Method": "PATCH"})
        assert "Access-Control-Allow-Origin" not in answer.headers and "Access-Control-Allow-Credentials" not in answer.headers
        assert varies_by_origin(answer)


def test_preflight(cors):
    """CHECKLIST 14."""
    answer = cors.call("OPTIONS", "/api/v1/auth/me", headers={
        "Origin": ALLOWED, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, content-type"})
    assert answer.status_code in (200, 204) and answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed
    assert answer.headers["Access-Control-Allow-Credentials"] == "true" and varies_by_origin(answer)


def test_unsafe_methods_from_a_listed_origin_pass_with_the_cookie(cors):
    """CHECKLIST 12, 14: an origin that the operator listed for credentials is one that may write."""
    _, browser = signed_in(cors)
    answer = cors.call("PATCH", "/api/v1/auth/me", headers={**browser, "Origin": ALLOWED}, json={"name": "Changed"})
    assert answer.status_code == 200
