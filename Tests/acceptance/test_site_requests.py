"""Which requests reach an application, and as what: addresses, paths, origins, limits."""

import html
import json
import re
import urllib.parse

import pytest

from framed import Ended, Framed, Reset
from sites import HOST

NAVIGATION = (("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))


@pytest.fixture(scope="module")
def _module_server(make_module_sites, application):
    site = {"upstream": application.url}
    return make_module_sites(
        [{**site, "path": "/", "access": "public"}, {**site, "path": "/secret"}, {**site, "path": "/counted", "access": "public", "limits": ["few"]},
         {**site, "host": "*.apps.test", "access": "public"}, {"host": "other.test", "respond": "other"}],
        {"limits": {"policies": {"few": {"limit": 3, "window": "1h", "key": "user"}}}, "cors": {"origins": ["https://listed.test"]}}).start()


@pytest.fixture
def server(_module_server, application, request):
    request.node.servers = [_module_server]
    application.forget()
    return _module_server


# Where Gatehouse comes from, CHECKLIST 31

FORGED = (("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "203.0.113.8"), ("x-forwarded-proto", "gopher"), ("x-forwarded-host", "evil.test"), ("x-forwarded-port", "1"),
          ("forwarded", 'for=203.0.113.9;host=evil.test;proto=gopher'), ("x-real-ip", "203.0.113.10"), ("x_forwarded_for", "203.0.113.11"), ("x-forwarded-ssl", "on"))


def test_forwarding_fields_are_overwritten(server, application, protocol):
    """CHECKLIST 31: what an untrusted client says of its way here is not passed on."""
    with server.client(protocol) as client:
        assert client.get("/x?a=b", *FORGED).status == 200
        (request,) = application.requests
        assert request.one("x-forwarded-for") == "127.0.0.1" and request.one("x-forwarded-host") == client.authority
        assert request.one("x-forwarded-proto") == ("http" if protocol == "http" else "https")
        assert request.one("host") == client.authority
    told = " ".join(value for name, value in request.headers)
    assert "203.0.113" not in told and "evil" not in told and "gopher" not in told, request.head
    assert len(request.spelt("x-forwarded-for")) == 1


def test_forwarding_fields_from_a_trusted_proxy(make_sites, recorder, protocol):
    """CHECKLIST 31: from right to left, to the first that is not trusted."""
    settings = {"listen": {"trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"]}}
    server = make_sites([{"upstream": recorder.url, "access": "public"}], settings).start()
    with server.client(protocol) as client:
        fields = [("x-forwarded-for", "203.0.113.7, 198.51.100.1, 10.1.1.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.test")]
        assert client.get("/x", *fields).status in (200, 404), "the host may be that of another site"
        assert client.get("/x", fields[0], fields[1]).status == 200
    request = recorder.requests[-1]
    assert "198.51.100.1" in request.one("x-forwarded-for") and "203.0.113.7" not in request.one("x-forwarded-for").split("198.51.100.1")[1]
    assert request.one("x-forwarded-proto") == "https"


# Paths, CHECKLIST 32

SECRETS = (
    "/secret", "/secret/", "/secret/x", "/secret?x=/public", "/secret/../secret", "/public/../secret", "/./secret", "/public/%2e%2e/secret", "/public/%2E./secret", "//secret", "///secret",
    "/.//secret", "/%73ecret", "/%2573ecret", "/secre%74", "/secret;x=y", "/;/secret", "/public/..;/secret", "/public;/../secret", "/public\\..\\secret", "/\\secret", "\\secret",
    "/%5csecret", "/%2fsecret", "/%2f/secret", "/%252fsecret", "/public%2f..%2fsecret", "/public/..%2fsecret", "/secret%2fx", "/secret%00", "/%00/secret", "/secret%0a", "/secret%20", "/secret/.",
    "/secret/..", "/secret/%2e", "/public/.%00./secret", "/public/..%c0%afsecret", "/SECRET/%2e%2e/secret", "/secret%3fx", "/secret%23x", "/public/%u002e%u002e/secret", "/public/...//secret",
    "/secret%09", "/x/../../secret", "/secret,x", "/public/%e3%80%82%e3%80%82/secret",
)


def readings(target: str) -> set[str]:
    """How applications may read a path: decoded once or twice, `\\` for `/`, without parameters, with dots resolved before or after."""
    path = target.split("?")[0].split("#")[0]
    found = {path}
    for _ in range(3):
        for each in list(found):
            found |= {urllib.parse.unquote(each, "latin-1"), each.replace("\\", "/"), "/".join(part.split(";")[0] for part in each.split("/"))}
    return {resolved(each.split("?")[0].split("\0")[0]) for each in found}


def resolved(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    return "/" + "/".join(kept)


@pytest.mark.parametrize("target", SECRETS)
def test_the_path_that_was_judged_is_the_path_that_is_sent(server, application, protocol, target):
    """CHECKLIST 32: no spelling leads past the rule, and none is rewritten on its way."""
    user = server.user()
    for fields in ((), (user.bearer,)):
        with server.client(protocol) as client:
            try:
                status = client.get(target, *fields).status
            except (Reset, Ended):
                status = 400
        assert status in (200, 400, 401, 404), status
        for request in application.requests:
            assert request.target == target, "the application was sent another path"
            if not fields:
                assert not any(each.lower() == "/secret" or each.lower().startswith("/secret/") for each in readings(request.target)), "a way past the rule"
        if target.startswith("/secret") and not set(target) & set("%;\\.,") and "//" not in target:
            assert status == (200 if fields else 401)
        application.forget()


@pytest.mark.parametrize("target", ["/a%20b", "/caf%C3%A9", "/a/b/c.d.e", "/a?b=%2F..%2F&c=//;d", "/.well-known/x", "/a..b/...", "/~user", "/a+b", "/x?", "/a:b@c", "/*", "/a(b)'c'!$", "/?"])
def test_usual_paths_are_sent_as_they_are(server, application, protocol, target):
    with server.client(protocol) as client:
        assert client.get(target).status == 200
    assert [request.target for request in application.requests] == [target]


def test_hosts(server, application, protocol):
    """Exact and wildcard hosts; what no site covers is not sent anywhere. Case and port don't matter."""
    with server.client(protocol, "one.apps.test") as client:
        assert client.get("/x").status == 200
    with server.client(protocol, "ONE.Apps.test") as client:
        assert client.get("/x").status == 200
    assert len(application.requests) == 2
    for host in ("a.b.apps.test", "apps.test", "nowhere.test", "app.test.evil.test", "xapps.test", "[::1]", "127.0.0.1"):
        with server.client(protocol, "one.apps.test") as client:
            client.authority = host
            assert client.get("/x").status in (404, 421), host
    with server.client(protocol, "other.test") as client:
        answer = client.get("/x")
        assert (answer.status, answer.body) == (200, b"other")
    assert len(application.requests) == 2


# Browsers and programs, CHECKLIST 12, 13, 14, 28

def action_of(page: bytes) -> str:
    """Where the form of a page goes."""
    return html.unescape(re.search(r'<form method="post" action="([^"]+)"', page.decode())[1])


def test_a_browser_is_sent_to_sign_in_and_comes_back(server, application, protocol):
    user = server.user()
    with server.client(protocol) as client:
        answer = client.get("/secret/page?a=1&b=%2F", *NAVIGATION)
        assert answer.status in (302, 303) and not application.requests
        location = urllib.parse.urlsplit(answer.one("location"))
        assert location.path == "/.gatehouse/sign-in" and location.netloc in ("", client.authority)
        assert urllib.parse.parse_qs(location.query)["redirect"] == ["/secret/page?a=1&b=%2F"]
        assert "no-store" in answer.one("cache-control")
        page = client.get(location.path + "?" + location.query, *NAVIGATION)
        assert page.status == 200 and b"<form" in page.body and b"<script" not in page.body
        assert "default-src 'none'" in page.one("content-security-policy")
        form = urllib.parse.urlencode({"email": user.email, "password": "Correct-Horse-9-battery"}).encode()
        kind = ("content-type", "application/x-www-form-urlencoded")
        entered = client.ask("POST", action_of(page.body), kind, ("origin", client.origin), ("sec-fetch-site", "same-origin"), *NAVIGATION, body=form)
        assert entered.status in (302, 303) and entered.one("location") in ("/secret/page?a=1&b=%2F", client.origin + "/secret/page?a=1&b=%2F")
        cookie = next(each for each in entered.all("set-cookie") if each.startswith(user.cookie_name + "="))
        assert client.get("/secret/page?a=1&b=%2F", ("cookie", cookie.split(";")[0]), *NAVIGATION).status == 200
    assert application.requests[-1].target == "/secret/page?a=1&b=%2F"


def test_a_program_is_told_that_it_is_not_signed_in(server, application, protocol):
    with server.client(protocol) as client:
        for fields in ((), (("accept", "application/json"),), (("authorization", "Bearer nonsense"),), (("cookie", f"{server.user().cookie_name}=nonsense"),)):
            answer = client.get("/secret/x", *fields)
            assert answer.status == 401 and answer.one("www-authenticate").startswith("Bearer")
            assert answer.one("content-type").split(";")[0] == "application/problem+json" and json.loads(answer.body)["code"].startswith("auth/")
    assert not application.requests


EVIL = ("//evil.test", "/\\evil.test", "https:evil.test", "https://evil.test/", "/%2f/evil.test\\@x", "\\/evil.test", "/\tevil.test/..//evil.test", "javascript:alert(1)", "https://app.test@evil.test/",
        "//evil.test\\@app.test", "///evil.test", "/.//evil.test", "http:/\\evil.test", "\x01//evil.test", "/..//evil.test", "data:text/html,x")


@pytest.mark.parametrize("target", EVIL)
def test_signing_in_leads_nowhere_else(server, protocol, target):
    """CHECKLIST 28 [CWE-601]: a redirect that is not of this origin is not followed."""
    user = server.user()
    kind = ("content-type", "application/x-www-form-urlencoded")
    with server.client(protocol) as client:
        query = urllib.parse.urlencode({"redirect": target})
        page = client.get("/.gatehouse/sign-in?" + query, *NAVIGATION)
        assert page.status in (200, 400, 422)
        form = urllib.parse.urlencode({"email": user.email, "password": "Correct-Horse-9-battery", "redirect": target}).encode()
        answers = [client.ask("POST", f"/.gatehouse/sign-in{suffix}", kind, ("origin", client.origin), *NAVIGATION, body=form) for suffix in ("", "?" + query)]
        assert {answer.status for answer in answers} <= {302, 303, 400, 422}
        for location in [location for answer in answers for location in answer.all("location")]:
            landed = urllib.parse.urljoin(client.origin + "/.gatehouse/sign-in", location.replace("\\", "/"))
            assert urllib.parse.urlsplit(landed).netloc == client.authority and not location.startswith(("//", "/\\", "/%09")), location


@pytest.mark.parametrize("fields", [(("origin", "https://evil.test"),), (("sec-fetch-site", "cross-site"),), (("origin", "null"),), (("origin", "https://app.test.evil.test"),)])
def test_signing_in_from_elsewhere_is_refused(server, protocol, fields):
    """CHECKLIST 13: nobody is signed in as somebody else by a page of another site."""
    user = server.user()
    form = urllib.parse.urlencode({"email": user.email, "password": "Correct-Horse-9-battery"}).encode()
    with server.client(protocol) as client:
        answer = client.ask("POST", "/.gatehouse/sign-in", ("content-type", "application/x-www-form-urlencoded"), *fields, *NAVIGATION, body=form)
        assert answer.status == 403 and answer.all("set-cookie") == []


CROSS = ((("origin", "https://evil.test"),), (("origin", "null"),), (("sec-fetch-site", "cross-site"),), (("sec-fetch-site", "same-site"), ("origin", "https://x.app.test")), ())


@pytest.mark.parametrize("fields", CROSS)
def test_a_cookie_changes_nothing_from_elsewhere(server, application, protocol, fields):
    """CHECKLIST 12 at the proxy: unsafe methods with the cookie need this origin; a bearer token doesn't."""
    user = server.user()
    with server.client(protocol) as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.ask(method, "/secret/x", user.cookie, *fields, body=b"x").status == 403, method
        assert not application.requests
        assert client.ask("POST", "/secret/x", user.bearer, *fields, body=b"x").status == 200
        assert client.get("/secret/x", user.cookie, *fields).status == 200
        assert client.ask("POST", "/secret/x", user.cookie, ("origin", client.origin), body=b"x").status == 200
        assert client.ask("POST", "/secret/x", user.cookie, ("sec-fetch-site", "same-origin"), body=b"x").status == 200


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "https://listed.test.evil.test", "http://listed.test"])
def test_answers_of_ours_are_not_read_from_elsewhere(server, protocol, origin):
    """CHECKLIST 14 at the proxy: a refusal is for listed origins to read, and the application's own answers say for themselves."""
    with server.client(protocol) as client:
        for path in ("/secret/x", "/x"):
            assert client.get(path, ("origin", origin)).all("access-control-allow-origin") == [], path
        allowed = client.get("/secret/x", ("origin", "https://listed.test"))
        assert allowed.all("access-control-allow-origin") in ([], ["https://listed.test"])


# Limits

def test_a_site_has_limits_of_its_own(server, application, protocol):
    """A policy of one's own name, counted by user: the same on each protocol, and none of it reaches the application."""
    user = server.new_user()
    network = f"127.0.2.{('http', 'https', 'h2').index(protocol) + 1}"
    with server.client(protocol) as client:
        answers = [client.get("/counted/x", user.bearer) for _ in range(5)]
        if [each.status for each in answers] != [200, 200, 200, 429, 429]:
            # Where everyone may pass, nobody is asked who they are: then the network is what counts, once for all protocols.
            assert {each.status for each in answers} <= {200, 429}, network
        refused = client.get("/counted/x", user.bearer)
        assert refused.status == 429 and int(refused.one("retry-after")) > 0 and refused.all("ratelimit")
        assert json.loads(refused.body)["code"] == "rate-limit/exceeded"
    assert len(application.requests) <= 3


# Heads and bodies, CHECKLIST 34

def test_limits_of_a_head_hold_at_sites(server, application, protocol):
    """CHECKLIST 34: count and size, on :80 and :443 alike."""
    for fields in ([(f"x-{number}", "y") for number in range(200)], [("x-large", "y" * 70_000)]):
        with server.client(protocol) as client:
            try:
                assert client.get("/x", *fields).status in (414, 431)
            except (Reset, Ended, OSError):
                pass
    assert not application.requests


def test_a_reset_takes_its_request_along(make_sites, recorder):
    """CHECKLIST 34 [CVE-2023-44487]: thousands of requests that are taken back at once leave nothing running behind them."""
    server = make_sites([{"upstream": recorder.url, "access": "public"}]).start()
    from framed import REQUEST, RstStreamFrame
    fields = [(":authority", HOST) if name == ":authority" else (":path", "/x") if name == ":path" else (name, value) for name, value in REQUEST]
    for _ in range(3):
        try:
            with Framed(server.https_port, name=HOST) as connection:
                for _ in range(2000):
                    frame = connection.headers(fields)
                    connection.send(frame, RstStreamFrame(frame.stream_id, error_code=8))
        except (Ended, OSError):
            pass
    with server.client("h2") as client:
        assert client.get("/y").status == 200
    assert server.is_running() and recorder.connections < 2500
