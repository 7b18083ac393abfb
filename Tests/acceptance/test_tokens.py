"""Access and refresh tokens: forged, used again, moved in time."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from clock import MovedClock
from gate import QUICK, assert_problem, merged

DATABASES = ["sqlite", "postgres"]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def assemble(header: dict, claims: dict, sign) -> str:
    text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    return text + "." + b64(sign(text.encode()))


def hs256(key: bytes):
    return lambda text: hmac.new(key, text, hashlib.sha256).digest()


def decoded(token: str) -> tuple[dict, dict]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


@pytest.fixture(scope="module", params=["HS256", "EdDSA", "ES256"])
def signed(request, tmp_path_factory, database):
    """A server for each way of signing, and one session of it."""
    from gate import Gatehouse

    server = Gatehouse(tmp_path_factory.mktemp("signed"), merged(database(), QUICK, {"auth": {"signing": request.param}})).start()
    server.algorithm = request.param
    server.sample = server.register()
    yield server
    server.kill()


def test_claims(signed):
    header, claims = decoded(signed.sample["access_token"])
    assert header["alg"] == signed.algorithm and header["typ"] == "at+jwt"
    assert {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "email", "email_verified"} <= claims.keys()
    assert claims["sub"] == signed.sample["user"]["id"] and claims["sid"] == signed.sample["session_id"]
    assert claims["iss"] == signed.url and claims["exp"] - claims["iat"] == 900


def test_published_keys_verify_tokens(signed):
    """The keys at /.well-known/jwks.json are read and used by another implementation; a shared secret is not among them, nor is any
    private half: with HS256, only what assertions are verified with."""
    keys = signed.call("GET", "/.well-known/jwks.json")
    assert keys.status_code == 200
    assert not any("d" in key or "k" in key for key in keys.json()["keys"])
    if signed.algorithm == "HS256":
        assert [key["alg"] for key in keys.json()["keys"]] == ["EdDSA"]
        return
    token = signed.sample["access_token"]
    key = jwt.PyJWKClient(signed.url + "/.well-known/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key.key, algorithms=[signed.algorithm], audience=decoded(token)[1]["aud"], issuer=signed.url)
    assert claims["sub"] == signed.sample["user"]["id"]


def forgeries(server) -> dict[str, str]:
    """Tokens with the claims of a good one that must all be refused."""
    token = server.sample["access_token"]
    header, claims = decoded(token)
    head, body, signature = token.split(".")
    made = {
        "none": assemble({**header, "alg": "none"}, claims, lambda _: b""),
        "None": assemble({**header, "alg": "None"}, claims, lambda _: b""),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": token + ".x",
        "flipped signature": f"{head}.{body}." + ("B" if signature[0] != "B" else "C") + signature[1:],
        "other claims": f"{head}.{b64(json.dumps({**claims, 'sub': 'someone-else'}).encode())}.{signature}",
        "no alg": assemble({key: value for key, value in header.items() if key != "alg"}, claims, hs256(b"")),
        "wrong key": assemble({**header, "alg": "HS256"}, claims, hs256(b"x" * 48)),
        "empty key": assemble({**header, "alg": "HS256"}, claims, hs256(b"")),
        "padding": f"{head}.{body}.{signature}==",
    }
    for name, private, algorithm in (
        ("EdDSA", ed25519.Ed25519PrivateKey.generate(), "EdDSA"), ("ES256", ec.generate_private_key(ec.SECP256R1()), "ES256"),
    ):
        algorithms = jwt.algorithms.get_default_algorithms()
        public = json.loads(algorithms[algorithm].to_jwk(private.public_key()))
        extra = {key: value for key, value in header.items() if key not in ("alg",)}
        made[f"{name} by another key"] = jwt.encode(claims, private, algorithm, headers=extra)
        made[f"{name} with embedded jwk"] = jwt.encode(claims, private, algorithm, headers={**extra, "jwk": public})
        made[f"{name} with jku"] = jwt.encode(claims, private, algorithm, headers={**extra, "jku": "http://127.0.0.1:1/keys"})
        made[f"{name} with x5u"] = jwt.encode(claims, private, algorithm, headers={**extra, "x5u": "http://127.0.0.1:1/x"})
        made[f"{name} with another kid"] = jwt.encode(claims, private, algorithm, headers={**extra, "kid": "../../dev/null"})
    if server.algorithm != "HS256":
        # The public key taken for a shared secret: as PEM, DER, raw and JWK.
        (published, *_) = server.call("GET", "/.well-known/jwks.json").json()["keys"]
        public = jwt.PyJWK(published).key
        forms = {
            "PEM": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            "DER": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
            "x": published["x"].encode(),
            "raw x": base64.urlsafe_b64decode(published["x"] + "=="),
            "JWK": json.dumps(published).encode(),
        }
        for name, key in forms.items():
            for algorithm in ("HS256", server.algorithm):
                made[f"HMAC with the public key as {name}, said to be {algorithm}"] = assemble(
                    {**header, "alg": algorithm}, claims, hs256(key))
    return made


def test_forged_tokens_are_refused(signed):
    """CHECKLIST 7: the algorithm is pinned to the key."""
    accepted = {name: signed.me(token).status_code for name, token in forgeries(signed).items()}
    assert set(accepted.values()) == {401}, accepted
    assert signed.me(signed.sample["access_token"]).status_code == 200


SECRET = "a-secret-known-to-the-test-and-long-enough-0123456789"


def test_claims_are_checked(make_server):
    """CHECKLIST 8: iss, aud, exp, nbf and typ, in tokens that are signed with the right key."""
    server = make_server(merged(QUICK, {"auth": {"jwt_secret": SECRET}})).start()
    session = server.register()
    header, claims = decoded(session["access_token"])
    now = int(time.time())

    def signed_with(head=None, **changes):
        body = {key: value for key, value in {**claims, **changes}.items() if value is not None}
        return assemble({**header, **(head or {})}, body, hs256(SECRET.encode()))

    assert server.me(signed_with()).status_code == 200, "the test's own signature is a good one"
    refused = {
        "iss": signed_with(iss="https://elsewhere.example"), "no iss": signed_with(iss=None),
        "aud": signed_with(aud="https://elsewhere.example"), "no aud": signed_with(aud=None),
        "exp": signed_with(iat=now - 990, exp=now - 90), "no exp": signed_with(exp=None), "exp a string": signed_with(exp=str(now + 900)),
        "nbf": signed_with(nbf=now + 600), "no sub": signed_with(sub=None), "no sid": signed_with(sid=None),
        "typ": signed_with({"typ": "JWT"}), "another type": signed_with({"typ": "assertion+jwt"}),
        "crit": signed_with({"crit": ["b64"], "b64": False}), "another session": signed_with(sid="0" * 36),
    }
    accepted = {name: server.me(token).status_code for name, token in refused.items()}
    assert set(accepted.values()) == {401}, accepted
    assert_problem(server.me(refused["exp"]), 401, "auth/token-expired")


def test_token_types_do_not_cross(shared):
    """CHECKLIST 8: a refresh token opens nothing, an access token refreshes nothing."""
    session = shared.register()
    assert shared.me(session["refresh_token"]).status_code == 401
    assert shared.refresh(session["access_token"]).status_code == 401


def test_reuse_after_the_grace_window_revokes_the_family(make_server):
    """CHECKLIST 1 (RFC 9700 §4.14.2), the window set to one second."""
    server = make_server(merged(QUICK, {"auth": {"refresh_grace": "1s"}})).start()
    first = server.register()
    second = server.refresh(first["refresh_token"]).json()
    again = server.refresh(first["refresh_token"])
    assert again.status_code == 200 and again.json()["refresh_token"] == second["refresh_token"]
    time.sleep(1.2)
    assert server.refresh(first["refresh_token"]).status_code == 401
    for token in (first["access_token"], second["access_token"], again.json()["access_token"]):
        assert_problem(server.me(token), 401, "auth/token-revoked")
    assert server.refresh(second["refresh_token"]).status_code == 401


def test_parallel_refreshes_give_one_successor(shared):
    """CHECKLIST 2: every caller works on."""
    token = shared.register()["refresh_token"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: shared.refresh(token), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert {shared.me(answer.json()["access_token"]).status_code for answer in answers} == {200}
    assert shared.refresh(answers[0].json()["refresh_token"]).status_code == 200


def test_rotation_never_extends_a_session(make_server):
    """CHECKLIST 3: the session's end stays where it was set at sign-in."""
    server = make_server(merged(QUICK, {"auth": {"session_lifetime": "60s", "access_token_lifetime": "30s"}})).start()
    session = server.register()
    assert session["refresh_expires_in"] <= 60
    time.sleep(2)
    rotated = server.refresh(session["refresh_token"]).json()
    assert rotated["refresh_expires_in"] <= session["refresh_expires_in"] - 1


@pytest.fixture
def clock(tmp_path):
    return MovedClock(tmp_path)


def test_expiry_has_a_leeway_of_at_most_a_minute(make_server, clock):
    """CHECKLIST 8: tested with a moved clock."""
    server = make_server(QUICK, env=clock.env).start()
    session = server.register()
    clock.set(880)
    assert server.me(session["access_token"]).status_code == 200
    clock.set(900 + 62)
    assert_problem(server.me(session["access_token"]), 401, "auth/token-expired")
    renewed = server.refresh(session["refresh_token"])
    assert renewed.status_code == 200 and server.me(renewed.json()["access_token"]).status_code == 200
    clock.set(31 * 86_400)
    assert server.refresh(renewed.json()["refresh_token"]).status_code == 401, "a session ends at its absolute end"


def test_revocations_are_kept_until_the_token_has_expired(make_server, clock):
    """CHECKLIST 10: within the leeway a revoked token stays refused, over a restart too."""
    server = make_server(QUICK, env=clock.env).start()
    session = server.register()
    assert server.logout(session["access_token"]).status_code == 204
    for moved in (600, 905, 950):
        clock.set(moved)
        server.restart()
        assert server.me(session["access_token"]).status_code == 401


def test_secrets_are_rotated_with_overlap(make_server):
    """`secret rotate`: new tokens carry the new key, those that are out stay good. Instances wait until all of them know the new one."""
    for algorithm in ("HS256", "EdDSA", "ES256"):
        server = make_server(merged(QUICK, {"auth": {"signing": algorithm}})).start()
        session = server.register()
        done = server.run("secret", "rotate")
        assert done.returncode == 0, done.stderr
        assert server.me(session["access_token"]).status_code == 200
        old = new = jwt.get_unverified_header(session["access_token"])["kid"]
        renewed, end = session, time.monotonic() + 5
        while new == old:
            assert time.monotonic() < end
            time.sleep(0.1)
            renewed = server.refresh(renewed["refresh_token"]).json()
            new = jwt.get_unverified_header(renewed["access_token"])["kid"]
        server.restart()
        for token in (session["access_token"], renewed["access_token"]):
            assert server.me(token).status_code == 200
        if algorithm != "HS256":
            published = {key["kid"] for key in server.call("GET", "/.well-known/jwks.json").json()["keys"]}
            assert {old, new} <= published
        assert server.stop() == 0
