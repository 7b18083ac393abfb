"""Postgres instead of SQLite: several instances as one, its faults, a pooler in front of it, and moving there and back."""

import base64
import concurrent.futures
import json
import os
import subprocess
import threading
import time

import pytest

from gate import PASSWORD, QUICK, assert_problem, merged
from instances import introduce

UNSEEN = "keep-this-unseen"


def on(url: str) -> dict:
    return merged(QUICK, {"database": {"url": url}})


@pytest.fixture
def instances(make_server, postgres):
    """Makes servers that share one database and, as an operator sees to it, the key to its secrets."""

    def make(count: int, server=postgres, settings: str = "", port: int | None = None):
        url = server.url(server.new_database(), port, settings)
        made = [make_server(on(url)).start()]
        for _ in range(1, count):
            # Behind a load balancer all have the same public_url; here each has its own.
            another = make_server(merged(on(url), {"auth": {"issuer": made[0].url, "audience": made[0].url}}))
            introduce(made[0], another)
            made.append(another.start())
        return made

    return make


def test_a_revocation_is_heeded_by_every_instance_within_a_second(instances):
    """CHECKLIST 4: log-out at one instance ends the access token, the refresh token and the cookie at the other."""
    one, other = instances(2)
    slowest = 0.0
    for _ in range(20):
        session = one.register()
        assert other.me(session["access_token"]).status_code == 200
        assert one.logout(session["access_token"]).status_code == 204
        slowest = max(slowest, other.refused_within(session["access_token"], 1))
        assert other.refresh(session["refresh_token"]).status_code == 401
    print(f"slowest: {slowest * 1000:.0f} ms")


def test_what_is_remembered_of_a_user_is_not_older_than_a_second(instances):
    """CHECKLIST 5: disabling a user at one instance ends everything at the other; a changed name is told there."""
    one, other = instances(2)
    email = one.address()
    session = one.register(email)
    token = session["access_token"]
    assert other.me(token).json()["name"] is None
    assert one.call("PATCH", "/api/v1/auth/me", token=token, json={"name": "Ada"}).status_code == 200
    begun = time.monotonic()
    while other.me(token).json()["name"] != "Ada":
        assert time.monotonic() - begun < 1
    assert one.run("user", "disable", email).returncode == 0
    other.refused_within(token, 1)


def test_parallel_refreshes_at_two_instances_give_one_successor(instances):
    """CHECKLIST 2: and every caller's works."""
    one, other = instances(2)
    for _ in range(5):
        session = one.register()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda index: (one, other)[index % 2].refresh(session["refresh_token"]), range(16)))
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        for answer in answers:
            assert other.me(answer.json()["access_token"]).status_code == 200


def test_a_reused_token_ends_the_session_everywhere(instances):
    """CHECKLIST 1: used again after the grace time at another instance than the first time."""
    one, other = instances(2)
    for server in (one, other):
        server.stop()
        server.settings = merged(server.settings, {"auth": {"refresh_grace": "0s"}})
        server.write_config()
        server.start()
    session = one.register()
    successor = one.refresh(session["refresh_token"]).json()
    time.sleep(0.01)
    assert other.refresh(session["refresh_token"]).status_code == 401
    one.refused_within(successor["access_token"], 1)
    assert one.refresh(successor["refresh_token"]).status_code == 401


def test_one_address_is_registered_once_across_instances(instances):
    one, other = instances(2)
    email = one.address()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda index: (one, other)[index % 2].call(
                    "POST", "/api/v1/auth/register", json={"email": email, "password": PASSWORD}).status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_an_instance_that_hears_nothing_asks_the_database(instances, own_postgres):
    """CHECKLIST 4, 10: its listening connection is cut at the worst moment, again and again: nobody who was signed out gets in."""
    one, other = instances(2, own_postgres)
    stop = threading.Event()

    def cut():
        while not stop.is_set():
            own_postgres.sql("postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query IN ('LISTEN gatehouse_changes', 'SELECT 1')")
            time.sleep(0.05)

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        for _ in range(5):
            session = one.register()
            assert other.me(session["access_token"]).status_code == 200
            assert one.logout(session["access_token"]).status_code == 204
            other.refused_within(session["access_token"], 1)
            for _ in range(50):
                assert other.me(session["access_token"]).status_code == 401
    finally:
        stop.set()
        cutting.join()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_the_database_goes_and_comes_back(instances, own_postgres, how):
    """CHECKLIST 45, 46: 503 meanwhile, nothing that was answered is lost, and it goes on by itself."""
    (server,) = instances(1, own_postgres)
    emails: list[str] = []
    slowest = 0.0
    before = server.register()

    def work(until: float) -> set[int]:
        nonlocal slowest
        seen = set()
        while time.monotonic() < until:
            email = server.address()
            begun = time.monotonic()
            answer = server.call("POST", "/api/v1/auth/register", json={"email": email, "password": PASSWORD})
            slowest = max(slowest, time.monotonic() - begun)
            seen.add(answer.status_code)
            if answer.status_code == 201:
                emails.append(email)
            else:
                assert_problem(answer, 503, "unavailable")
                assert int(answer.headers["Retry-After"]) >= 1
        return seen

    assert work(time.monotonic() + 0.5) == {201}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, time.monotonic() + 2.5) for _ in range(4)]
        time.sleep(0.5)
        own_postgres.command(how)
        time.sleep(0.7)
        assert server.call("GET", "/api/v1/health/ready").status_code == 503
        assert server.call("GET", "/api/v1/health/live").status_code == 200
        assert own_postgres.command("start") == "done"
        for future in working:
            assert future.result() <= {201, 503}
    begun = time.monotonic()
    while server.call("GET", "/api/v1/health/ready").status_code != 200:
        assert time.monotonic() - begun < 5
        time.sleep(0.02)
    for email in emails:
        assert server.login(email).status_code == 200, email
    assert server.me(before["access_token"]).status_code == 200
    assert slowest < 10, slowest


def test_a_database_that_hangs_holds_nobody_longer_than_its_limits(instances, own_postgres):
    """It answers nothing: 503 within the limits, health at once; then it goes on."""
    (server,) = instances(1, own_postgres)
    session = server.register()
    own_postgres.command("pause")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        begun = time.monotonic()
        waiting = [pool.submit(server.refresh, session["refresh_token"]) for _ in range(8)]
        assert server.call("GET", "/api/v1/health/live", timeout=2).status_code == 200
        answers = [future.result() for future in waiting]
        took = time.monotonic() - begun
    assert {answer.status_code for answer in answers} == {503} and took < 15, took
    own_postgres.command("resume")
    begun = time.monotonic()
    while server.me(session["access_token"]).status_code != 200 or server.refresh(session["refresh_token"]).status_code != 200:
        assert time.monotonic() - begun < 10
        time.sleep(0.05)


@pytest.mark.parametrize("settings", ["?prepare=off", ""])
def test_behind_a_pooler(instances, own_postgres, settings):
    """PgBouncer in transaction mode, whether it was named or is found out."""
    port = int(own_postgres.command("bouncer"))
    one, other = instances(2, own_postgres, settings, port)
    for _ in range(10):
        session = one.register()
        renewed = other.refresh(session["refresh_token"]).json()
        assert one.me(renewed["access_token"]).status_code == 200
        assert other.logout(renewed["access_token"]).status_code == 204
        # Nobody can listen: each asks for what has changed.
        one.refused_within(renewed["access_token"])
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        sessions = list(pool.map(lambda index: (one, other)[index % 2].register(one.address()), range(32)))
    assert len({session["session_id"] for session in sessions}) == 32


def test_no_password_is_shown(make_server, postgres):
    """CHECKLIST 43: not by `check`, not by the log, not where the database refuses."""
    name = postgres.new_database()
    server = make_server(on(postgres.url(name))).start()
    server.register()
    shown = server.run("check")
    assert shown.returncode == 0 and f"postgres://gatehouse:<redacted>@127.0.0.1:{postgres.port}/{name}" in shown.stdout
    assert server.stop() == 0
    for url in (postgres.url("nowhere"), postgres.url(name, 1), postgres.url(name, settings="?sslmode=require")):
        server.settings["database"]["url"] = url
        server.write_config()
        server.spawn()
        assert server.wait_exit(10) == 69
        for command in (("doctor",), ("migrate", "status"), ("check",)):
            said = server.run(*command)
            assert UNSEEN not in said.stdout + said.stderr
    assert UNSEEN not in server.log_text()
    assert "nowhere" in server.log_text()


def test_a_missing_library_is_named(make_server, postgres):
    """With what to install."""
    library = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True).stdout
    path = next(line.split("=> ")[1] for line in library.splitlines() if "libpq.so.5" in line)
    hide = f'mount --bind /dev/null {path} && exec "$0" "$@"'
    unshare = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else []), "--", "sh", "-c", hide]
    server = make_server(on(postgres.url(postgres.new_database())), wrapper=unshare)
    server.spawn()
    assert server.wait_exit(10) == 69
    assert "libpq5" in server.log_text()


def test_moving_to_postgres_and_back(make_server, postgres):
    """Every account, session and revocation goes along; nothing is moved under a running server or onto what is there."""
    server = make_server(QUICK).start()
    email = server.address()
    session = server.register(email, org_name="Analytical Engines")
    ended = server.register()
    assert server.logout(ended["access_token"]).status_code == 204
    for _ in range(3):
        assert server.login(email, "Wrong-Horse-9-battery").status_code == 401
    name = postgres.new_database()
    target = f"postgres://gatehouse@127.0.0.1:{postgres.port}/{name}"
    server.env = {"PGPASSWORD": UNSEEN}

    refused = server.run("move", "--to", target)
    assert refused.returncode == 69 and "process" in refused.stderr, refused
    assert server.stop() == 0
    done = server.run("move", "--to", target)
    assert done.returncode == 0, done.stderr
    assert "users: 2" in done.stdout and "compared row by row" in done.stdout
    again = server.run("move", "--to", target)
    assert again.returncode == 73 and "not empty" in again.stderr

    server.settings["database"] = {"url": target}
    server.write_config()
    secrets = (server.data / "secrets.toml").read_text()
    server.start()
    assert server.me(session["access_token"]).status_code == 200
    assert server.me(ended["access_token"]).status_code == 401
    # The database has them now; nobody believes the file any more.
    assert not (server.data / "secrets.toml").exists()
    assert server.run("secret", "rotate").returncode == 0
    renewed = server.refresh(session["refresh_token"]).json()
    added = server.register()

    # Another instance keeps the database from being moved, wherever it runs.
    other = make_server(on(postgres.url(name)))
    introduce(server, other)
    other.start()
    assert server.stop() == 0
    held = server.run("move", "--to", "sqlite:back.db")
    assert held.returncode == 69 and "Somebody else" in held.stderr, held
    assert other.stop() == 0
    back = server.run("move", "--to", "sqlite:back.db")
    assert back.returncode == 0, back.stderr
    written = server.data / "secrets.toml"
    assert written.stat().st_mode & 0o777 == 0o600 and written.read_text() != secrets, "the keys of the rotation"
    server.settings["database"] = {"url": "sqlite:back.db"}
    server.write_config()
    server.start()
    assert server.me(renewed["access_token"]).status_code == 200
    assert server.refresh(renewed["refresh_token"]).status_code == 200
    assert server.me(added["access_token"]).status_code == 200
    assert server.me(ended["access_token"]).status_code == 401
    assert server.login(email).status_code == 200


def test_servers_that_start_together_migrate_once(make_server, postgres):
    """Migrations under an advisory lock."""
    url = postgres.url(postgres.new_database())
    key = {"GATEHOUSE_DATABASE_CLUSTER_KEY": base64.b64encode(os.urandom(32)).decode()}
    servers = [make_server(on(url), env=key) for _ in range(4)]
    for server in servers:
        server.spawn()
    for server in servers:
        server.wait_ready()
    steps = [line.split('"migration":')[1] for server in servers for line in server.log_text().splitlines() if '"migration":' in line]
    assert steps and len(set(steps)) == len(steps), steps
    # Their secrets, too, are made by one.
    session = servers[0].register()
    assert all(server.refresh(session["refresh_token"]).status_code == 200 for server in servers)


def test_the_pool_is_told_in_the_metrics(make_server, postgres):
    server = make_server(merged(on(postgres.url(postgres.new_database())), {"database": {"pool_size": 3}})).start()
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: server.register(), range(24)))
    told = subprocess.run(
        ["curl", "-s", "--unix-socket", server.data / "admin.sock", "http://localhost/metrics"], capture_output=True, text=True).stdout
    samples = dict(line.rsplit(" ", 1) for line in told.splitlines() if line.startswith("gatehouse_database"))
    assert 1 <= float(samples["gatehouse_database_connections"]) <= 3
    assert float(samples["gatehouse_database_waiting"]) == 0
    assert float(samples["gatehouse_database_up"]) == 1


def test_doctor_looks_at_postgres(make_server, postgres):
    """What the doctor says of Postgres, before the first start, while a server runs, and where it may not be read."""
    name = postgres.new_database()
    server = make_server(on(postgres.url(name)))

    def findings() -> dict:
        told = [each for each in json.loads(server.run("doctor", "--json").stdout)["findings"] if each["check"] == "database"]
        assert all(each["advice"] for each in told if each["status"] in ("problem", "warning")) and UNSEEN not in json.dumps(told)
        return {each["seen"]: each["status"] for each in told}

    said = lambda words, status: [seen for seen, found in findings().items() if words in seen and found == status]
    assert said("is empty", "ok") and said("Postgres 15", "ok") and said("read, write and migrate", "ok")
    # The tests' own server runs with fsync=off.
    assert said("fsync=off", "problem")
    server.start()
    assert said("the newest that this program knows", "ok")
    postgres.sql(name, "ALTER TABLE users OWNER TO postgres")
    assert said("may not read and write users", "problem")
    server.settings["database"]["url"] = postgres.url(name, 1)
    server.write_config()
    assert said("cannot be used", "problem")
