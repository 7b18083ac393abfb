"""Who an application is told a request is from: nothing but what Gatehouse says, on HTTP/1.1 and HTTP/2."""

import time

import jwt
import pytest
import requests

from sites import HOST

NAMES = ("user", "email", "name", "org", "roles", "session", "assertion")
SPELLINGS = ("X-Gatehouse-{}", "x-gatehouse-{}", "X_GATEHOUSE_{}", "x_gatehouse_{}", "X-Gatehouse_{}", "X_Gatehouse-{}", "X.Gatehouse.{}", "x-gatehouse.{}", "X-GATEHOUSE-{}")


@pytest.fixture(scope="module")
def _module_server(make_module_sites, application):
    site = {"upstream": application.url}
    return make_module_sites([
        {**site, "path": "/public", "access": "public"}, {**site, "path": "/optional", "access": "optional"}, {**site, "path": "/"},
        {**site, "path": "/owners", "access": "role:owner"}, {**site, "path": "/admins", "access": "role:admin"},
    ]).start()


@pytest.fixture
def server(_module_server, application, request):
    request.node.servers = [_module_server]
    application.forget()
    return _module_server


def forged(spelling: str, protocol: str) -> list[tuple[str, str]]:
    """Every identity field in this spelling; HTTP/2 knows lower case only."""
    names = [spelling.format(name if spelling[-3].islower() else name.upper()) for name in NAMES]
    return [(name.lower() if protocol == "h2" else name, "forged") for name in names]


def identity(request) -> dict[str, str]:
    """What an application reads, whatever it takes for these fields; every one once."""
    found: dict[str, str] = {}
    for name in NAMES:
        spelt = request.spelt(f"x-gatehouse-{name}")
        assert len(spelt) <= 1, spelt
        if spelt:
            found[name] = request.one(spelt[0])
    return found


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_identity_from_outside_is_dropped(server, application, protocol, spelling):
    """CHECKLIST 29 [CVE-2025-64484]: in every spelling, on public paths too, with a session and without."""
    user = server.user()
    with server.client(protocol) as client:
        for path in ("/public/x", "/optional/x"):
            assert client.get(path, *forged(spelling, protocol)).status == 200
            assert identity(application.requests[-1]) == {}, path
        for path in ("/optional/x", "/x"):
            assert client.get(path, *forged(spelling, protocol), user.bearer).status == 200
            told = identity(application.requests[-1])
            assert told["user"] == user.id and told["session"] == user.session and "forged" not in told.values(), path
        assert client.get("/x", *forged(spelling, protocol)).status == 401
    assert len(application.requests) == 4 and not application.violations


def test_identity_in_trailers_is_dropped(server, application, protocol):
    """CHECKLIST 29: an application that joins trailers to the fields is not told either."""
    user = server.user()
    with server.client(protocol) as client:
        trailers = [("x-gatehouse-user", "forged"), ("x_gatehouse_roles", "owner"), ("x-checksum", "1")]
        assert client.ask("POST", "/x", user.bearer, body=b"hello", trailers=trailers).status == 200
    (request,) = application.requests
    assert request.body == b"hello" and identity(request)["user"] == user.id
    assert [name for name, _ in request.trailers if "gatehouse" in name.lower()] == []


@pytest.mark.parametrize("named", ["X-Gatehouse-User", "x-gatehouse-user, X-Gatehouse-Assertion, x-gatehouse-roles", "X_Gatehouse_User", "close, X-Gatehouse-Session",
                                   "authorization", "cookie", "x-forwarded-for, x-forwarded-proto, x-forwarded-host, forwarded", "host, content-length"])
def test_fields_named_in_connection_go_before_identity_comes(server, application, named):
    """CHECKLIST 30 [RFC 9110 §7.6.1, CVE-2024-45410]: nothing that a client names takes away what Gatehouse says."""
    user = server.user()
    for client in (server.client("http"), server.client("https")):
        with client:
            application.forget()
            status = client.get("/x", ("Connection", named), ("X-Gatehouse-User", "forged"), user.bearer).status
            if status != 200:
                # Fields that a request cannot do without may be refused: never passed on without them.
                assert status in (400, 401) and not application.requests, status
                continue
            (request,) = application.requests
            assert identity(request).keys() >= {"user", "email", "session", "assertion"} and identity(request)["user"] == user.id
            assert request.one("x-forwarded-for") == "127.0.0.1" and request.one("x-forwarded-proto") == client.protocol
            assert request.all("connection") in ([], ["keep-alive"])


def test_hop_by_hop_fields_stay_on_their_hop(server, application):
    """RFC 9110 §7.6.1: those that are named, and those that everybody knows."""
    with server.client("http") as client:
        hop = [("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "close"), ("Proxy-Authorization", "Basic eDp5"),
               ("TE", "trailers, gzip"), ("Upgrade", "h2c"), ("X-End", "to end"), ("X-Empty", "")]
        assert client.get("/public/x", *hop).status == 200
    (request,) = application.requests
    for name in ("x-hop", "keep-alive", "proxy-connection", "proxy-authorization", "upgrade"):
        assert request.all(name) == [], name
    assert request.all("te") in ([], ["trailers"]) and request.one("x-end") == "to end" and request.one("x-empty") == ""


def test_what_is_told(server, application, protocol):
    """Every field once, and an assertion that the application can verify by itself: for this site, for a minute at most."""
    user = server.new_user(name="Zoë 王", org_name="Ünïts")
    with server.client(protocol) as client:
        assert client.get("/x", user.bearer).status == 200
    (request,) = application.requests
    told = identity(request)
    me = server.me(user.token).json()
    assert told["user"] == user.id and told["email"] == user.email and told["org"] == me["orgs"][0]["id"] and told["roles"] == "owner"
    assert all(value.isascii() for value in told.values())
    keys = requests.get(server.url + "/.well-known/jwks.json", timeout=5).json()
    header = jwt.get_unverified_header(told["assertion"])
    key = next(key for key in keys["keys"] if key["kid"] == header["kid"])
    assert header["alg"] in ("EdDSA", "ES256") and header["typ"] != "at+jwt"
    claims = jwt.decode(told["assertion"], jwt.PyJWK(key), [header["alg"]], audience=jwt.decode(told["assertion"], options={"verify_signature": False})["aud"])
    assert claims["iss"] == server.public_url and claims["sub"] == user.id and claims["sid"] == user.session and HOST in claims["aud"]
    assert claims["exp"] - claims["iat"] <= 60 and time.time() - 60 <= claims["iat"] <= time.time() + 1
    assert claims["name"] == "Zoë 王" and claims["org"] == told["org"] and claims["roles"] == ["owner"]
    # It opens nothing of ours.
    assert server.me(told["assertion"]).status_code == 401


def test_credentials_of_ours_stay_here(server, application, protocol):
    """The application sees neither the session's cookie nor the access token; others of the client's it does."""
    user = server.user()
    with server.client(protocol) as client:
        mixed = ("cookie", f"before=1; {user.cookie[1]}; after=2")
        assert client.get("/x", mixed).status == 200
        assert client.get("/x", user.bearer, ("cookie", "theirs=1")).status == 200
        assert client.get("/public/x", ("authorization", "Basic dXNlcjpwYXNz")).status == 200
        assert client.get("/optional/x", ("authorization", "Bearer of-the-application")).status in (200, 401)
        assert client.get("/public/x", mixed).status == 200
    with_cookie, with_bearer, basic, *_, public = application.requests
    secrets = (user.token.encode(), user.cookie[1].split("=", 1)[1].encode())
    assert all(secret not in request.head for request in application.requests for secret in secrets)
    assert [each.strip() for each in with_cookie.one("cookie").split(";")] == ["before=1", "after=2"] == [each.strip() for each in public.one("cookie").split(";")]
    assert with_bearer.all("authorization") == [] and with_bearer.one("cookie") == "theirs=1"
    assert basic.one("authorization") == "Basic dXNlcjpwYXNz"


def test_several_session_cookies(server, application, protocol):
    """Whichever of two counts, it is one, and neither is passed on."""
    one, other = server.user(), server.new_user()
    with server.client(protocol) as client:
        status = client.get("/x", ("cookie", f"{one.cookie[1]}; {other.cookie[1]}")).status
        assert status in (200, 400, 401)
    for request in application.requests:
        assert identity(request)["user"] in (one.id, other.id) and request.all("cookie") == []


def test_roles(server, application, protocol):
    """`role:NAME` lets pass who has it, or one above it, in the organisation that the session is for."""
    owner, nobody = server.new_user(org_name="Somewhere"), server.user()
    with server.client(protocol) as client:
        assert client.get("/owners/x", owner.bearer).status == 200
        assert client.get("/admins/x", owner.bearer).status == 200
        assert client.get("/owners/x", nobody.bearer).status == client.get("/admins/x", nobody.bearer).status == 403
        assert client.get("/owners/x").status == 401
        assert client.get("/owners/x", ("x-gatehouse-roles", "owner")).status == 401
    assert [request.target for request in application.requests] == ["/owners/x", "/admins/x"]


def test_signing_out_ends_it_at_the_next_request(server, application, protocol):
    """CHECKLIST 4: the access token and the cookie fail at the proxy, on a connection that was open all the time."""
    for ended in ("token", "cookie"):
        user = server.new_user()
        with server.client(protocol) as client:
            credential, token = (user.bearer, user.token) if ended == "token" else (user.cookie, user.cookie_token)
            for _ in range(3):
                assert client.get("/x", credential).status == 200
            application.forget()
            assert server.logout(token).status_code == 204
            assert client.get("/x", credential).status == 401
            assert client.get("/optional/x", credential).status in (200, 401)
            assert all(identity(request) == {} for request in application.requests)


def test_disabling_ends_it_at_the_next_request(server, application, protocol):
    """CHECKLIST 5 at the proxy."""
    user = server.new_user()
    with server.client(protocol) as client:
        assert client.get("/x", user.bearer).status == client.get("/x", user.cookie).status == 200
        assert server.run("user", "disable", user.email).returncode == 0
        assert {client.get("/x", user.bearer).status, client.get("/x", user.cookie).status} <= {401, 403}
