"""Accounts and sessions, in the sequences that a user would try first."""

import base64
import concurrent.futures
import statistics
import time

import pytest
import requests

from gate import PASSWORD, QUICK, assert_problem, merged

DATABASES = ["sqlite", "postgres"]


def test_first_sequence(shared):
    """Register, me, refresh, sessions, log out, refused (CHECKLIST 4)."""
    email = shared.address()
    answer = shared.call("POST", "/api/v1/auth/register", json={"email": email, "password": PASSWORD, "name": "Ada"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    first = answer.json()
    assert first["token_type"] == "Bearer" and first["expires_in"] == 900
    assert first["refresh_expires_in"] > 29 * 86_400 and first["session_id"] and first["refresh_token"]
    user = first["user"]
    assert user["email"] == email and user["email_verified"] is False and user["name"] == "Ada"
    assert {"id", "avatar_url", "orgs", "created_at", "updated_at"} <= user.keys()

    me = shared.me(first["access_token"])
    assert me.status_code == 200 and me.json()["id"] == user["id"]

    second = shared.refresh(first["refresh_token"])
    assert second.status_code == 200
    second = second.json()
    assert second["refresh_token"] != first["refresh_token"] and second["session_id"] == first["session_id"]

    sessions = shared.call("GET", "/api/v1/auth/sessions", token=second["access_token"])
    assert sessions.status_code == 200
    assert [entry["current"] for entry in sessions.json()["sessions"]] == [True]

    out = shared.logout(second["access_token"])
    assert out.status_code == 204 and out.content == b""
    for token in (first["access_token"], second["access_token"]):
        assert_problem(shared.me(token), 401, "auth/token-revoked")
    for token in (first["refresh_token"], second["refresh_token"]):
        assert shared.refresh(token).status_code == 401


def test_register_restart_login(quick):
    """What was answered is still there after a restart (CHECKLIST 45), and so are the keys that sign tokens."""
    email = quick.address()
    session = quick.register(email)
    quick.restart()
    assert quick.login(email).status_code == 200
    assert quick.me(session["access_token"]).status_code == 200
    assert quick.refresh(session["refresh_token"]).status_code == 200


def test_logged_out_token_is_refused_after_restart_and_kill(quick):
    """CHECKLIST 4, 10: a revocation survives a restart and `kill -9`."""
    session = quick.register()
    assert quick.logout(session["access_token"]).status_code == 204
    quick.kill()
    quick.start()
    assert_problem(quick.me(session["access_token"]), 401, "auth/token-revoked")
    quick.restart()
    assert_problem(quick.me(session["access_token"]), 401, "auth/token-revoked")
    assert quick.refresh(session["refresh_token"]).status_code == 401


def test_duplicate_address_is_told(shared):
    """CHECKLIST 25: one address in any spelling is one account."""
    email = shared.address("Mixed.Case")
    shared.register(email)
    for spelling in (email, email.upper(), email.lower()):
        answer = shared.call("POST", "/api/v1/auth/register", json={"email": spelling, "password": PASSWORD})
        assert_problem(answer, 409, "auth/email-taken")
    assert shared.login(email.upper()).status_code == 200


@pytest.mark.parametrize("email", ["", "nobody", "a@b@example.com", "a\n@example.com", "a@example.com\r\nBcc: b@example.com", "a\x00@example.com", "@example.com", "a@"])
def test_malformed_addresses_are_refused(shared, email):
    """CHECKLIST 25: several @, control characters and line breaks."""
    answer = shared.call("POST", "/api/v1/auth/register", json={"email": email, "password": PASSWORD})
    assert "email" in {entry["field"] for entry in assert_problem(answer, 422, "request/invalid")["errors"]}


def test_each_unmet_password_requirement_is_listed(shared):
    answer = shared.call("POST", "/api/v1/auth/register", json={"email": shared.address(), "password": "a"})
    errors = assert_problem(answer, 422, "request/invalid")["errors"]
    assert errors and all(entry["field"] == "password" and entry["code"] and entry["message"] for entry in errors)


def test_long_passwords_are_never_truncated(shared):
    """CHECKLIST 24: bcrypt reads 72 bytes; two passwords that differ in the 73rd are two passwords."""
    email, stem = shared.address(), "Aa1-" + "é" * 60 + "x" * 20
    shared.register(email, stem + "left")
    assert shared.login(email, stem + "left").status_code == 200
    assert shared.login(email, stem + "right").status_code == 401
    assert shared.login(email, stem).status_code == 401
    assert shared.login(email, (stem + "left")[:72]).status_code == 401


def test_unknown_and_wrong_answer_alike_in_the_same_time(make_server):
    """CHECKLIST 20: same status, same body, same time for an unknown address and a wrong password."""
    server = make_server(merged(QUICK, {"auth": {"bcrypt_cost": 12}, "limits": {"failed_login": {"free": 100}}})).start()
    email = server.address()
    server.register(email)
    times, bodies = {"known": [], "unknown": []}, {}
    for _ in range(7):
        for kind, address in (("known", email), ("unknown", server.address("nobody"))):
            begun = time.monotonic()
            answer = server.login(address, "Wrong-Horse-9-battery")
            times[kind].append(time.monotonic() - begun)
            body = assert_problem(answer, 401, "auth/invalid-credentials")
            bodies[kind] = {key: value for key, value in body.items() if key != "request_id"}
    assert bodies["known"] == bodies["unknown"]
    known, unknown = (statistics.median(times[kind]) for kind in ("known", "unknown"))
    assert abs(known - unknown) < 0.3 * max(known, unknown), times


def test_password_change_ends_the_other_sessions(shared):
    """CHECKLIST 6."""
    email, new = shared.address(), "Another-Horse-7-staple"
    mine, other = shared.register(email), shared.login(email).json()
    wrong = shared.call(
        "POST", "/api/v1/auth/password", token=mine["access_token"],
        json={"current_password": "Wrong-Horse-9-battery", "new_password": new})
    assert wrong.status_code in (401, 422) and shared.me(other["access_token"]).status_code == 200
    changed = shared.call(
        "POST", "/api/v1/auth/password", token=mine["access_token"], json={"current_password": PASSWORD, "new_password": new})
    assert changed.status_code == 204
    assert shared.me(mine["access_token"]).status_code == 200
    assert_problem(shared.me(other["access_token"]), 401, "auth/token-revoked")
    assert shared.refresh(other["refresh_token"]).status_code == 401
    assert shared.login(email).status_code == 401 and shared.login(email, new).status_code == 200


@pytest.mark.parametrize("field", ["org_name", "orgName"])
def test_organisation_is_created_at_registration(shared, field):
    session = shared.register(**{field: "Sternwarte"})
    (org,) = session["user"]["orgs"]
    assert org["name"] == "Sternwarte" and org["role"] == "owner" and org["id"]
    listed = shared.call("GET", "/api/v1/orgs", token=session["access_token"])
    assert listed.status_code == 200 and org["id"] in listed.text


def test_profile_is_changed(shared):
    token = shared.register(name="Before")["access_token"]
    answer = shared.call("PATCH", "/api/v1/auth/me", token=token, json={"name": "Ünïcode 🦉"})
    assert answer.status_code == 200 and answer.json()["name"] == "Ünïcode 🦉"
    assert shared.me(token).json()["name"] == "Ünïcode 🦉"


def test_sessions_tell_device_and_address_and_end_one_by_one(shared):
    email = shared.address()
    first = shared.register(email)
    login = {"json": {"email": email, "password": PASSWORD}, "headers": {"User-Agent": "Lighthouse/7"}}
    second = shared.call("POST", "/api/v1/auth/login", **login).json()
    third = shared.call("POST", "/api/v1/auth/login", **login).json()

    def sessions():
        return shared.call("GET", "/api/v1/auth/sessions", token=first["access_token"]).json()["sessions"]

    listed = {entry["id"]: entry for entry in sessions()}
    assert listed.keys() == {first["session_id"], second["session_id"], third["session_id"]}
    assert [key for key, entry in listed.items() if entry["current"]] == [first["session_id"]]
    assert "Lighthouse/7" in str(listed[second["session_id"]]) and "127.0.0.1" in str(listed[second["session_id"]])

    ended = shared.call("DELETE", f"/api/v1/auth/sessions/{second['session_id']}", token=first["access_token"])
    assert ended.status_code == 204
    assert_problem(shared.me(second["access_token"]), 401, "auth/token-revoked")
    assert shared.me(third["access_token"]).status_code == 200
    assert shared.call("DELETE", "/api/v1/auth/sessions", token=first["access_token"]).status_code == 204
    assert_problem(shared.me(third["access_token"]), 401, "auth/token-revoked")
    assert [entry["id"] for entry in sessions()] == [first["session_id"]]


def test_a_session_of_someone_else_cannot_be_ended(shared):
    victim, attacker = shared.register(), shared.register()
    answer = shared.call("DELETE", f"/api/v1/auth/sessions/{victim['session_id']}", token=attacker["access_token"])
    assert_problem(answer, 404, "not-found")
    assert shared.me(victim["access_token"]).status_code == 200


def test_a_session_id_is_never_taken_from_the_client(shared):
    """CHECKLIST 9: what the browser sends before signing in is neither adopted nor kept."""
    planted = base64.urlsafe_b64encode(b"planted-by-an-attacker-0123456789").decode()
    email = shared.address()
    shared.register(email)
    browser = requests.Session()
    browser.cookies.set("gatehouse", planted)
    first = shared.call("POST", "/api/v1/auth/login", session=browser, headers={"Origin": shared.url}, json={"email": email, "password": PASSWORD})
    assert first.status_code == 200 and planted not in str(first.headers) + first.text
    second = shared.call("POST", "/api/v1/auth/login", session=browser, headers={"Origin": shared.url}, json={"email": email, "password": PASSWORD})
    assert second.json()["session_id"] != first.json()["session_id"]
    assert shared.call("GET", "/api/v1/auth/me", headers={"Cookie": f"gatehouse={planted}"}).status_code == 401


def test_registration_can_be_closed(make_server):
    server = make_server(merged(QUICK, {"auth": {"registration": "closed"}})).start()
    answer = server.call("POST", "/api/v1/auth/register", json={"email": "a@example.com", "password": PASSWORD})
    assert_problem(answer, 403, "auth/forbidden")


def test_parallel_registrations_of_one_address_make_one_account(shared):
    email = shared.address()
    body = {"email": email, "password": PASSWORD}
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: shared.call("POST", "/api/v1/auth/register", json=body).status_code, range(12)))
    assert sorted(answers) == [201] + [409] * 11
