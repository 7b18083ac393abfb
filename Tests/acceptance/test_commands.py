"""The command line: with the server running and without, its exit codes, and JSON wherever something is listed."""

import json
import sqlite3
import subprocess

import pytest

from gate import BINARY, PASSWORD, QUICK, Gatehouse, assert_problem

OK, FAILURE, USAGE, UNAVAILABLE, CONFIGURATION = 0, 1, 64, 69, 78
NEW = "Another-Horse-7-staple"


def plain(*arguments: str, text: str = "") -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *arguments], input=text, capture_output=True, text=True, timeout=20)


def check(server: Gatehouse, text: str, **env) -> subprocess.CompletedProcess:
    server.config.write_text(text)
    server.env = env
    return server.run("check")


def test_check_prints_the_effective_configuration(make_server):
    """P4: with secrets redacted, and where each value comes from does not change what it is."""
    server = make_server(QUICK)
    server.env = {"JWT_SECRET": "a-secret-that-nobody-may-see-0123456789abcdef"}
    done = server.run("check")
    assert done.returncode == OK, done.stderr
    assert "bcrypt_cost" in done.stdout and str(server.data) in done.stdout
    assert "<redacted>" in done.stdout and "nobody-may-see" not in done.stdout + done.stderr
    assert isinstance(server.run_json("check"), dict)


def test_check_reports_all_faults_at_once(make_server):
    """P4: every fault with its line, the nearest known name, exit 78."""
    server = make_server()
    done = check(server, 'public_ulr = "http://x"\n[auth]\nbcrypt_cost = 99\nsigning = "RS256"\n[limits.policies.lgoin]\nlimit = 1\n')
    said = done.stdout + done.stderr
    assert done.returncode == CONFIGURATION, said
    for expected in ("public_ulr", "public_url", "bcrypt_cost", "RS256", "HS256", "lgoin", "login"):
        assert expected in said, (expected, said)
    for line in (1, 3, 4):
        assert f":{line}:" in said or f"line {line}" in said, (line, said)


@pytest.mark.parametrize(
    ("text", "env", "named"),
    [
        ("public_url = ", {}, "1"),
        ("", {"GATEHOUSE_AUTH_BCRYPT_COST": "many"}, "GATEHOUSE_AUTH_BCRYPT_COST"),
        ("", {"JWT_SECRET": "short"}, "JWT_SECRET"),
        ("", {"PORT": "99999"}, "PORT"),
        ("", {"GATEHOUSE_AUTH_BCRYPT_COTS": "12"}, "GATEHOUSE_AUTH_BCRYPT_COST"),
        ('[auth]\nsession_lifetime = "tomorrow"\n', {}, "session_lifetime"),
    ],
)
def test_faults_are_named_with_their_place(make_server, text, env, named):
    server = make_server()
    done = check(server, text, **env)
    assert done.returncode == CONFIGURATION and named in done.stdout + done.stderr, done


def test_serve_refuses_a_faulty_configuration(make_server):
    server = make_server()
    server.config.write_text("nonsense = true\n")
    server.spawn()
    assert server.wait_exit(5) == CONFIGURATION and "nonsense" in server.log_text()


def test_environment_wins_over_the_file_and_env_file_is_read(make_server):
    server = make_server({"auth": {"bcrypt_cost": 11}})
    env_file = server.folder / "test.env"
    env_file.write_text("# a comment\nGATEHOUSE_AUTH_BCRYPT_COST=13\nJWT_SECRET='a-secret-from-the-file-0123456789abcdef'\n")
    done = server.run("check", "--env-file", str(env_file), "--json")
    assert done.returncode == OK and "13" in done.stdout and "secret-from-the-file" not in done.stdout
    server.env = {"GATEHOUSE_AUTH_BCRYPT_COST": "14"}
    done = server.run("check", "--env-file", str(env_file), "--json")
    assert done.returncode == OK and "14" in done.stdout


def test_version_and_usage():
    assert plain("version").returncode == OK
    assert json.loads(plain("version", "--json").stdout)["gatehouse"]
    assert plain("--help").returncode == OK and "serve" in plain("--help").stdout
    for arguments in (["no-such-command"], ["user"], ["user", "show"], ["limit", "clear"], ["check", "--no-such-option"]):
        done = plain(*arguments)
        assert done.returncode == USAGE or (arguments == ["user"] and done.returncode == OK), (arguments, done)


def test_migrations_up_down_and_status(make_server):
    """A10, with no server running."""
    server = make_server(QUICK)
    assert server.run("migrate", "up").returncode == OK
    states = server.run_json("migrate", "status")["migrations"]
    assert states and {entry["state"] for entry in states} == {"applied"}
    assert server.run("migrate", "down", "--yes").returncode == OK
    assert server.run_json("migrate", "status")["migrations"][-1]["state"] == "pending"
    refused = server.run("migrate", "down")
    assert refused.returncode != OK, "nobody could be asked, and --yes was not given"
    assert server.run("migrate", "up").returncode == OK
    server.start()
    server.register()


def test_migrating_under_a_running_server_is_refused(quick):
    """A second process never writes."""
    assert quick.run("migrate", "down", "--yes").returncode == UNAVAILABLE
    assert quick.register()


@pytest.fixture(params=["running", "stopped"])
def operated(request, make_server):
    """A server with one account, running or not: commands act through it, or on its data folder."""
    server = make_server(QUICK).start()
    server.account = server.address()
    server.session = server.register(server.account, org_name="Sternwarte")
    server.is_running = request.param == "running"
    if not server.is_running:
        assert server.stop() == 0

    def up():
        if not server.is_running:
            server.start()
            server.is_running = True

    server.up = up
    return server


def test_users_are_added_listed_and_shown(operated):
    added = operated.run("user", "add", "new@example.com", "--name", "New", "--org", "Club", text=PASSWORD + "\n")
    assert added.returncode == OK, added.stderr
    emails = {user["email"] for user in operated.run_json("user", "list")["users"]}
    assert emails == {operated.account, "new@example.com"}
    shown = json.dumps(operated.run_json("user", "show", "new@example.com"))
    assert "New" in shown and "Club" in shown and "$2" not in shown
    assert operated.run("user", "add", "new@example.com", text=PASSWORD + "\n").returncode == FAILURE
    weak = operated.run("user", "add", "weak@example.com", text="a\n")
    assert weak.returncode == FAILURE and "password" in (weak.stdout + weak.stderr).lower()
    assert operated.run("user", "show", "nobody@example.com").returncode == FAILURE
    assert operated.run("user", "verify", "new@example.com").returncode == OK
    operated.up()
    session = operated.login("new@example.com")
    assert session.status_code == 200 and session.json()["user"]["email_verified"] is True


def test_a_disabled_user_is_out_at_once(operated):
    """CHECKLIST 5: sessions, access tokens and refresh tokens; enabling brings none of them back."""
    assert operated.run("user", "disable", operated.account).returncode == OK
    operated.up()
    token, refresh = operated.session["access_token"], operated.session["refresh_token"]
    assert operated.me(token).status_code in (401, 403)
    assert operated.refresh(refresh).status_code in (401, 403)
    assert operated.login(operated.account).status_code in (401, 403)
    assert operated.run("user", "enable", operated.account).returncode == OK
    assert operated.me(token).status_code == 401 and operated.refresh(refresh).status_code == 401
    assert operated.login(operated.account).status_code == 200


def test_a_deleted_user_is_gone(operated):
    """CHECKLIST 5."""
    assert operated.run("user", "delete", operated.account).returncode != OK, "nobody could be asked, and --yes was not given"
    assert operated.run("user", "delete", operated.account, "--yes").returncode == OK
    operated.up()
    assert operated.me(operated.session["access_token"]).status_code == 401
    assert operated.login(operated.account).status_code == 401
    operated.register(operated.account)


def test_set_password_ends_every_session(operated):
    done = operated.run("user", "set-password", operated.account, text=NEW + "\n")
    assert done.returncode == OK, done.stderr
    operated.up()
    assert operated.me(operated.session["access_token"]).status_code == 401
    assert operated.login(operated.account).status_code == 401 and operated.login(operated.account, NEW).status_code == 200
    assert operated.run("user", "set-password", operated.account, text="").returncode == USAGE


def test_sessions_are_listed_and_revoked(operated):
    (listed,) = operated.run_json("session", "list", operated.account)["sessions"]
    assert listed["id"] == operated.session["session_id"]
    assert operated.run("session", "revoke", listed["id"]).returncode == OK
    assert operated.run_json("session", "list", operated.account)["sessions"] == []
    assert operated.run("session", "revoke", listed["id"]).returncode == FAILURE
    operated.up()
    assert_problem(operated.me(operated.session["access_token"]), 401, "auth/token-revoked")
    operated.login(operated.account)
    assert operated.run("session", "revoke", "--user", operated.account).returncode == OK
    assert operated.run_json("session", "list", operated.account)["sessions"] == []


def test_limits_are_listed_and_cleared(default):
    for _ in range(7):
        answer = default.login("nobody@example.com", "Wrong-Horse-9-battery")
    assert answer.status_code == 429
    listed = default.run_json("limit", "list")["limits"]
    assert {"login"} <= {entry["policy"] for entry in listed} and "127.0.0.1" in json.dumps(listed)
    assert default.run("limit", "clear", "--all").returncode == OK
    assert default.login("nobody@example.com", "Wrong-Horse-9-battery").status_code == 401


def test_limit_list_needs_the_server(make_server):
    assert make_server(QUICK).run("limit", "list").returncode == UNAVAILABLE


def test_commands_leave_a_sound_database(operated):
    for n in range(3):
        assert operated.run("user", "add", f"n{n}@example.com", text=PASSWORD + "\n").returncode == OK
    operated.stop()
    with sqlite3.connect(f"file:{operated.data / 'gatehouse.db'}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_admin_socket_and_secrets_are_private(quick):
    """0600 for the socket and the secrets, 0700 for the folder."""
    assert quick.data.stat().st_mode & 0o777 == 0o700
    for name in ("admin.sock", "secrets.toml", "gatehouse.db"):
        assert (quick.data / name).stat().st_mode & 0o077 == 0, name
