"""Limits, as a client meets them."""

import concurrent.futures
import re
import time

import requests

from gate import OPEN_LIMITS, PASSWORD, QUICK, QUICK_AUTH, assert_problem, merged


def limited_by(**policies) -> dict:
    """Cheap hashes, and no limit but these: `name=(limit, window)`, `_` for `-`."""
    chosen = {name.replace("_", "-"): {"limit": limit, "window": window} for name, (limit, window) in policies.items()}
    return {"auth": QUICK_AUTH, "limits": merged(OPEN_LIMITS, {"policies": chosen})}


def test_eleven_rapid_logins_are_limited_by_the_sixth(default):
    """The default policies: 5 log-ins in a minute from one network."""
    statuses = [default.login("nobody@example.com", "Wrong-Horse-9-battery").status_code for _ in range(11)]
    assert 429 in statuses[:6], statuses
    first = statuses.index(429)
    assert set(statuses[:first]) <= {401} and set(statuses[first:]) == {429}, statuses


def test_refusal_tells_when_to_come_again(default):
    """CHECKLIST 35: 429 carries Retry-After, RateLimit and RateLimit-Policy, and the older family."""
    answers = [default.login("nobody@example.com", "Wrong-Horse-9-battery") for _ in range(6)]
    refused = answers[-1]
    assert_problem(refused, 429, "rate-limit/exceeded")
    headers = refused.headers
    assert 1 <= int(headers["Retry-After"]) <= 900
    assert int(headers["X-RateLimit-Limit"]) >= 1 and int(headers["X-RateLimit-Remaining"]) == 0
    assert time.time() - 5 < int(headers["X-RateLimit-Reset"]) < time.time() + 905
    assert re.search(r'"[a-z-]+";\s*r=0;\s*t=\d+', headers["RateLimit"]), headers["RateLimit"]
    assert re.search(r'"[a-z-]+";\s*q=\d+;\s*w=\d+', headers["RateLimit-Policy"]), headers["RateLimit-Policy"]


def test_admitted_answers_count_down(make_server):
    server = make_server(limited_by(api=(5, "60s"))).start()
    token = server.register()["access_token"]
    remaining = []
    for _ in range(5):
        answer = server.me(token)
        assert answer.status_code == 200
        remaining.append(int(answer.headers["X-RateLimit-Remaining"]))
        assert "RateLimit" in answer.headers and "RateLimit-Policy" in answer.headers
    assert remaining == sorted(remaining, reverse=True) and len(set(remaining)) == 5
    assert_problem(server.me(token), 429, "rate-limit/exceeded")


def test_health_is_never_limited(default):
    """A thousand times in a row, on every health call, by a client that is limited elsewhere."""
    for _ in range(7):
        default.login("nobody@example.com", "Wrong-Horse-9-battery")
    session = requests.Session()
    for path in ("/health", "/api/v1/health", "/api/health", "/api/v1/health/live", "/api/v1/health/ready"):
        statuses = {default.call("GET", path, session=session).status_code for _ in range(1000 if path == "/health" else 250)}
        assert statuses == {200}, (path, statuses)


def test_registration_is_limited(default):
    """Three in an hour from one network, by default."""
    statuses = [
        default.call("POST", "/api/v1/auth/register", json={"email": default.address(), "password": PASSWORD}).status_code
        for _ in range(4)
    ]
    assert statuses == [201, 201, 201, 429]


def test_never_more_than_n_in_parallel(make_server):
    """CHECKLIST 35: never more than n in a window, from 24 clients at once."""
    server = make_server(limited_by(api=(40, "30s"))).start()
    token = server.register()["access_token"]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        statuses = list(pool.map(lambda _: server.me(token).status_code, range(200)))
    # The registration may have been charged to the network, never to this user.
    assert statuses.count(200) == 40 and statuses.count(429) == 160


def test_one_user_does_not_use_up_anothers(make_server):
    server = make_server(limited_by(api=(5, "60s"))).start()
    first, second = (server.register()["access_token"] for _ in range(2))
    assert [server.me(first).status_code for _ in range(6)] == [200] * 5 + [429]
    assert server.me(second).status_code == 200


def test_who_waits_exactly_retry_after_is_admitted(make_server):
    """CHECKLIST 56, again and again, with a window of two seconds."""
    server = make_server(limited_by(api=(3, "2s"))).start()
    token = server.register()["access_token"]
    for _ in range(3):
        for _ in range(10):
            answer = server.me(token)
            if answer.status_code == 429:
                break
        assert answer.status_code == 429
        wait = int(answer.headers["Retry-After"])
        assert 1 <= wait <= 2
        # The wait itself is what is tested: no event stands for it.
        time.sleep(wait)
        assert server.me(token).status_code == 200


def test_a_refused_request_costs_nothing(make_server):
    """Hammering does not push the end of the window away."""
    server = make_server(limited_by(api=(3, "2s"))).start()
    token = server.register()["access_token"]
    begun = time.monotonic()
    admitted = 0
    while time.monotonic() - begun < 3.5:
        admitted += server.me(token).status_code == 200
    assert 5 <= admitted <= 6


def test_failures_are_counted_for_unknown_accounts_too(make_server):
    """CHECKLIST 26: each further failure waits longer, known or not; the right password clears nothing for another network."""
    settings = merged(QUICK, {"limits": {"failed_login": {"free": 2, "first_wait": "2s"}}})
    server = make_server(settings).start()
    known = server.address()
    server.register(known)
    for email in (known, "nobody@example.com"):
        statuses = [server.login(email, "Wrong-Horse-9-battery").status_code for _ in range(4)]
        assert statuses[:2] == [401, 401] and statuses[-1] == 429, (email, statuses)


def test_the_owner_is_not_locked_out_for_good(make_server):
    """CHECKLIST 26: after the stated wait the right password is taken, and clears the failures."""
    settings = merged(QUICK, {"limits": {"failed_login": {"free": 1, "first_wait": "1s", "max_wait": "2s"}}})
    server = make_server(settings).start()
    email = server.address()
    server.register(email)
    for _ in range(8):
        answer = server.login(email, "Wrong-Horse-9-battery")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) <= 2
    time.sleep(int(answer.headers["Retry-After"]))
    assert server.login(email).status_code == 200
    assert server.login(email, "Wrong-Horse-9-battery").status_code == 401


def test_addresses_in_forwarded_headers_are_not_believed(default):
    """A client cannot leave its limit by naming another address."""
    statuses = [
        default.call(
            "POST", "/api/v1/auth/login", json={"email": f"n{n}@example.com", "password": "Wrong-Horse-9-battery"},
            headers={"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}", "Forwarded": f"for=198.51.100.{n}"},
        ).status_code
        for n in range(7)
    ]
    assert statuses[-1] == 429


def test_trusted_proxies_name_the_client(make_server):
    """CHECKLIST 31, 35: from a trusted network the header counts, right to left; an IPv6 network is a /64."""
    settings = merged(limited_by(api=(2, "60s")), {"listen": {"trusted_proxies": ["127.0.0.0/8"]}})
    server = make_server(settings).start()

    def ask(chain):
        # An unauthenticated call of the API: limited by network.
        return server.call("GET", "/api/v1/auth/me", headers={"X-Forwarded-For": chain}).status_code

    assert [ask("198.51.100.7") for _ in range(3)] == [401, 401, 429]
    assert ask("198.51.100.8") == 401
    assert ask("203.0.113.9, 198.51.100.7") == 429, "what the client itself wrote to the left is not believed"
    assert [ask(f"2001:db8:1:2::{n}") for n in range(1, 4)] == [401, 401, 429]
    assert ask("2001:db8:1:3::1") == 401
