"""What the log tells, and what it never tells."""

import json

import pytest
import requests

from gate import PASSWORD, QUICK, merged

PASSWORDS = [PASSWORD, "Wrong-Horse-9-battery", "Another-Horse-7-staple"]


def test_log_lines_are_json_with_what_an_operator_needs(quick):
    """H2: level, time, request id, method, path, status, duration."""
    quick.register()
    quick.call("GET", "/nothing-here?token=abc")
    assert quick.stop() == 0
    lines = quick.log_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert all("level" in entry and ("time" in entry or "timestamp" in entry) for entry in entries)
    (entry,) = [entry for entry in entries if "/nothing-here" in json.dumps(entry)]
    text = json.dumps(entry)
    assert "404" in text and "GET" in text and "request_id" in text and "duration" in text and "127.0.0.1" in text


@pytest.mark.parametrize("level", ["trace", "debug"])
def test_no_secret_is_ever_logged(make_server, level):
    """CHECKLIST 43: a whole scenario, and every secret that came by is looked for in the log, on disk too."""
    signing = "a-signing-secret-that-nobody-may-see-0123456789"
    settings = merged(QUICK, {"auth": {"jwt_secret": signing}, "log": {"level": level}, "limits": {"failed_login": {"free": 100}}})
    server = make_server(settings).start()
    secrets = {signing, *PASSWORDS}

    def remember(answer: requests.Response) -> dict:
        body = answer.json() if answer.content and "json" in answer.headers.get("Content-Type", "") else {}
        for key in ("access_token", "refresh_token"):
            if key in body:
                secrets.add(body[key])
                # A part of a token is one too: its signature, or the whole of an opaque one's beginning.
                secrets.add(body[key].split(".")[-1][:32])
        for line in answer.raw.headers.getlist("Set-Cookie"):
            value = line.split(";")[0].split("=", 1)[1]
            if value:
                secrets.add(value)
        return body

    email = server.address()
    first = remember(server.call("POST", "/api/v1/auth/register", json={"email": email, "password": PASSWORD}))
    remember(server.login(email, PASSWORDS[1]))
    other = remember(server.login(email))
    browser = remember(server.call("POST", "/api/v1/auth/login", data={"email": email, "password": PASSWORD}))
    rotated = remember(server.refresh(first["refresh_token"]))
    remember(server.refresh(first["refresh_token"]))
    server.refresh("no-such-token-but-secret-all-the-same")
    secrets.add("no-such-token-but-secret-all-the-same")
    server.me(rotated["access_token"])
    server.me(rotated["access_token"][:-3] + "abc")
    server.call("GET", f"/api/v1/auth/me?access_token={rotated['access_token']}&password={PASSWORD}")
    server.call("GET", "/api/v1/auth/me", headers={"Cookie": f"gatehouse={browser['refresh_token']}"})
    server.call("POST", "/api/v1/auth/login", data='{"email": "' + email + '", "password": "' + PASSWORD, headers={"Content-Type": "application/json"})
    server.call("POST", "/api/v1/auth/login", data=PASSWORD, headers={"Content-Type": "text/plain"})
    server.call(
        "POST", "/api/v1/auth/password", token=rotated["access_token"],
        json={"current_password": PASSWORD, "new_password": PASSWORDS[2]})
    server.logout(other["access_token"])
    assert server.run("user", "set-password", email, text=PASSWORD + "\n").returncode == 0
    assert server.run("secret", "rotate").returncode in (0, 1, 78), "with a secret from the configuration there is nothing to rotate"
    assert server.stop() == 0
    log = server.log_text()
    assert len(log.splitlines()) > 10
    found = [secret for secret in secrets if len(secret) >= 8 and secret in log]
    assert not found, found
    # Nor is a password or a refresh token in the database: hashes at most.
    stored = b"".join(path.read_bytes() for path in server.data.glob("gatehouse.db*"))
    found = [secret for secret in secrets - {signing} if len(secret) >= 8 and secret.encode() in stored]
    assert not found, found


def test_a_hostile_request_cannot_forge_a_log_line(quick):
    quick.call("GET", "/%0a{\"level\":\"critical\"}", headers={"User-Agent": "a\tb\"} {"})
    assert quick.stop() == 0
    for line in quick.log_text().splitlines():
        assert json.loads(line).get("level") != "critical"
