"""Three instances as one, behind the gateway of one of them and behind nginx: on Postgres and Redis, and on Postgres alone.

One-time links (CHECKLIST 22) are not among it: there are none yet."""

import collections
import concurrent.futures
import html
import itertools
import re
import time

import pytest

from gate import PASSWORD, assert_problem
from instances import DOORS, PUBLIC, Cluster, Visitor, within
from redis_server import RedisServer
from test_operating import get_unix

# That of a refresh token, in seconds.
GRACE = 2
ORIGIN = {"Origin": f"http://{PUBLIC}"}
names = itertools.count(1)


@pytest.fixture(scope="module", params=["redis", "postgres alone"])
def backend(request):
    return request.param


@pytest.fixture(scope="module")
def _cluster(backend, postgres, application, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    shared = {"database": {"url": postgres.socket_url(postgres.new_database())}, "auth": {"refresh_grace": f"{GRACE}s"}}
    redis = RedisServer(folder / "redis").start() if backend == "redis" else None
    if redis:
        shared["limits"] = {"redis_url": redis.url}
    made = Cluster(folder, 3, shared, application.url)
    try:
        yield made.start()
    finally:
        made.close()
        if redis:
            redis.kill()


@pytest.fixture
def cluster(_cluster, request, application):
    request.node.servers = _cluster.members
    application.forget()
    return _cluster


@pytest.fixture(params=DOORS)
def door(request):
    return request.param


def address() -> str:
    return f"user{next(names)}@example.com"


def out_everywhere(cluster, session: dict, cookie: str) -> float:
    """How long it takes until the session is refused in each way, at each instance and behind each door: less than a second."""

    def is_out() -> bool:
        visitors = [*cluster.each(), *(cluster.visitor(each) for each in DOORS)]
        statuses = []
        for each in visitors:
            statuses += [each.me(session["access_token"]).status_code, each.get("/api/v1/auth/me", headers={"Cookie": cookie}).status_code]
            statuses.append(each.get("/api/v1/auth/verify", headers={"Cookie": cookie}).status_code)
        for each in DOORS:
            statuses.append(cluster.visitor(each, application=True).get("/x", headers={"Cookie": cookie}).status_code)
        assert set(statuses) <= {200, 401}, statuses
        return set(statuses) == {401}

    return within(1, "refused everywhere", is_out)


def signed_in(visitor) -> tuple[dict, str]:
    """A new account: the session answer, and the `Cookie` field of its browser."""
    answer = visitor.post("/api/v1/auth/register", {"email": address(), "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return answer.json(), cookie_of(answer)


def cookie_of(answer) -> str:
    (line,) = answer.raw.headers.getlist("Set-Cookie")
    return re.match("[^;]+", line)[0]


def in_parallel(calls) -> list:
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_every_instance_has_its_share(cluster, door):
    """A session that was made at one is good at each; what comes by the door goes to all of them."""
    first, second, third = cluster.each()
    session, _ = signed_in(first)
    assert second.me(session["access_token"]).json()["id"] == third.me(session["access_token"]).json()["id"] == session["user"]["id"]
    visitor = cluster.visitor(door)
    before = [served(each) for each in cluster.members]
    statuses = in_parallel([lambda: [visitor.me(session["access_token"]).status_code for _ in range(20)]] * 6)
    assert set(sum(statuses, [])) == {200}
    within(2, "each has its share", lambda: all(served(each) - was >= 15 for each, was in zip(cluster.members, before)))


def served(instance) -> int:
    return sum(1 for entry in instance.log_entries() if entry.get("path") == "/api/v1/auth/me")


def test_a_refresh_token_used_again_ends_the_session_everywhere(cluster):
    """CHECKLIST 1: after the grace time, at another instance than the first time; and while its successor is used at a third."""
    doors = [cluster.visitor(each) for each in DOORS]
    first, second, third = cluster.each()
    families = [(at, *signed_in(at)) for at in [*doors, first]]
    successors = [at.refresh(session["refresh_token"]).json() for at, session, _ in families]
    raced = [second.register(address()) for _ in range(6)]
    rotated = [third.refresh(session["refresh_token"]).json() for session in raced]
    time.sleep(GRACE + 0.1)
    for (_, session, cookie), successor, at in zip(families, successors, [*doors[::-1], third]):
        assert_problem(at.refresh(session["refresh_token"]), 401, "auth/token-revoked")
        out_everywhere(cluster, successor, cookie)
        for each in (first, second, third):
            assert each.refresh(successor["refresh_token"]).status_code == 401
    for old, successor in zip(raced, rotated):
        stolen, honest = in_parallel([lambda: first.refresh(old["refresh_token"]), lambda: second.refresh(successor["refresh_token"])])
        assert stolen.status_code == 401 and honest.status_code in (200, 401)
        last = honest.json() if honest.status_code == 200 else successor
        within(1, "out", lambda: {each.me(last["access_token"]).status_code for each in (first, second, third)} == {401})
        assert third.refresh(last["refresh_token"]).status_code == 401


def test_parallel_refreshes_give_one_successor(cluster, door):
    """CHECKLIST 2: through the door and past it; every caller's works, and again, many times over."""
    session = cluster.visitor(door).register(address())
    callers = [cluster.visitor(door) for _ in range(6)] + cluster.each()
    token = session["refresh_token"]
    for _ in range(6):
        answers = in_parallel([lambda at=at: at.refresh(token) for at in callers])
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        for answer, at in zip(answers, callers[1:] + callers[:1]):
            assert at.me(answer.json()["access_token"]).status_code == 200
        token = answers[0].json()["refresh_token"]


def test_honest_clients_that_race_stay_signed_in(cluster):
    """CHECKLIST 2: two tabs that each keep their own token, at two instances: both go on within the grace time, and no token is taken for stolen."""
    first, second, _ = cluster.each()
    session = first.register(address())
    tokens = [session["refresh_token"]] * 2
    ends = time.monotonic() + 1.5
    rounds = 0
    while time.monotonic() < ends:
        answers = in_parallel([lambda: first.refresh(tokens[0]), lambda: second.refresh(tokens[1])])
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        # One of them is slow to notice: it comes with what it had before.
        tokens[rounds % 2] = answers[rounds % 2].json()["refresh_token"]
        rounds += 1
    assert rounds > 5


def test_a_log_out_is_heeded_everywhere(cluster, door, record_property):
    """CHECKLIST 4: signed in at one, used at another, signed out at a third: the API, forward-auth and the application refuse it within a second."""
    slowest = 0.0
    for turn in range(3):
        one, two, three = cluster.each()[turn:] + cluster.each()[:turn]
        session, cookie = signed_in(one)
        assert two.me(session["access_token"]).status_code == 200
        assert cluster.visitor(door, application=True).get("/x", headers={"Cookie": cookie}).status_code == 200
        assert three.logout(session["access_token"]).status_code == 204
        slowest = max(slowest, out_everywhere(cluster, session, cookie))
    record_property("slowest_ms", round(slowest * 1000))


def test_a_disabled_user_is_out_everywhere(cluster, door, record_property):
    """CHECKLIST 5: signed in at one, used at another, disabled on a third by its command line."""
    session, cookie = signed_in(cluster.visitor(door))
    for each in cluster.each():
        assert each.me(session["access_token"]).status_code == 200
    assert cluster.visitor(door, application=True).get("/x", headers={"Cookie": cookie}).status_code == 200
    assert cluster.members[2].run("user", "disable", session["user"]["email"]).returncode == 0
    record_property("slowest_ms", round(out_everywhere(cluster, session, cookie) * 1000))
    assert cluster.visitor(door).refresh(session["refresh_token"]).status_code == 401
    assert cluster.visitor(door).login(session["user"]["email"]).status_code in (401, 403)


def test_cookies_and_the_rule_against_other_sites(cluster, door):
    """CHECKLIST 12: a cookie of one instance is good at the others, and each refuses what another site's page sends with it."""
    session, cookie = signed_in(cluster.visitor(door))
    everyone = [*cluster.each(), cluster.visitor(door)]
    for number, each in enumerate(everyone):
        browser = {"Cookie": f"theme=dark; {cookie}"}
        for headers in ({}, {"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            assert_problem(each.call("PATCH", "/api/v1/auth/me", json={"name": "Taken"}, headers={**browser, **headers}), 403, "auth/csrf")
        assert each.call("PATCH", "/api/v1/auth/me", json={"name": f"Name {number}"}, headers={**browser, **ORIGIN}).status_code == 200
        for other in everyone:
            within(1, "the new name", lambda: other.get("/api/v1/auth/me", headers=browser).json()["name"] == f"Name {number}")
        renewed = each.post("/api/v1/auth/refresh", headers={**browser, **ORIGIN})
        assert renewed.status_code == 200 and renewed.json()["session_id"] == session["session_id"]
        cookie = cookie_of(renewed)
    out = cluster.visitor(door).post("/api/v1/auth/logout", headers={"Cookie": cookie, **ORIGIN})
    assert out.status_code == 204 and "Max-Age=0" in out.headers["Set-Cookie"]
    out_everywhere(cluster, session, cookie)


def test_the_sign_in_page_of_one_is_answered_by_another(cluster, door):
    """CHECKLIST 12: the form that one instance made is sent to another."""
    session, _ = signed_in(cluster.visitor(door))
    page = cluster.visitor(0).get("/.gatehouse/sign-in?redirect=/x")
    action = html.unescape(re.search('<form[^>]* action="([^"]+)"', page.text)[1])
    answer = cluster.visitor(door).call("POST", action, data={"email": session["user"]["email"], "password": PASSWORD}, headers=ORIGIN)
    assert answer.status_code == 303 and answer.headers["Location"].endswith("/x"), (answer.status_code, answer.text[:500])
    assert cluster.visitor(1).get("/api/v1/auth/me", headers={"Cookie": cookie_of(answer)}).json()["id"] == session["user"]["id"]


def test_a_reload_of_each_makes_a_limit_that_holds_over_all(cluster, backend, door):
    """CHECKLIST 35: exactly n for a user over three instances with Redis; without, never more than n by each."""
    limit = 30
    policy = {"limits": {"policies": {"api": {"limit": limit, "window": "60s"}}}}
    visitors = [cluster.visitor(door) for _ in range(6)] + cluster.each()
    token = visitors[0].register(address())["access_token"]
    for each in cluster.members:
        each.change(policy)
    statuses = collections.Counter(sum(in_parallel([lambda at=at: [at.me(token).status_code for _ in range(15)] for at in visitors]), []))
    for each in cluster.members:
        each.change({"limits": {"policies": {"api": {"limit": 1_000_000, "window": "1s"}}}})
    assert set(statuses) == {200, 429} and statuses.total() == 135
    assert statuses[200] == limit if backend == "redis" else limit <= statuses[200] <= 3 * limit, statuses


def test_a_limit_by_address_counts_a_client_once(cluster, backend, door):
    """CHECKLIST 31, 35: by the client's own address, whatever it says of itself, once for each request: also where it came by two instances."""
    limit = 6
    policy = {"limits": {"policies": {"login": {"limit": limit, "window": "60s"}}}}
    for each in cluster.members:
        each.change(policy)
    number = 50 + DOORS.index(door)
    clients = [cluster.visitor(door, f"127.0.0.{number}") for _ in range(24)]
    forged = [{"X-Forwarded-For": f"198.51.100.{each}", "Forwarded": f"for=198.51.100.{each}", "X-Real-IP": "198.51.100.1"} for each in range(24)]
    answers = in_parallel([
        lambda at=at, headers=headers: at.post("/api/v1/auth/login", {"email": address(), "password": "Wrong-Horse-9-battery"}, headers=headers)
        for at, headers in zip(clients, forged)])
    other = cluster.visitor(door, f"127.0.0.{number + 10}").login(address())
    for each in cluster.members:
        each.change({"limits": {"policies": {"login": {"limit": 1_000_000, "window": "1s"}}}})
    admitted = sum(answer.status_code == 401 for answer in answers)
    assert {answer.status_code for answer in answers} == {401, 429} and other.status_code == 401
    assert admitted == limit if backend == "redis" else limit <= admitted <= 3 * limit, admitted


def test_what_the_application_is_told(cluster, door, application):
    """CHECKLIST 29, 31: the client's own address and who it is, each once and from nobody but the instance that answered; how it came is in `Via`."""
    session, cookie = signed_in(cluster.visitor(door))
    visitor = cluster.visitor(door, "127.0.0.77", application=True)
    forged = {
        "X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9", "X-Real-IP": "198.51.100.9", "X-Gatehouse-User": "forged",
        "x-gatehouse-roles": "owner", "X-Gatehouse-Assertion": "forged", "X_Gatehouse_Email": "forged", "X-Forwarded-Host": "evil.test",
    }
    for _ in range(6):
        assert visitor.get("/x", headers={**forged, "Cookie": f"theme=dark; {cookie}"}).status_code == 200
    assert visitor.get("/x", headers=forged).status_code == 401
    assert len(application.requests) == 6
    for request in application.requests:
        assert [request.one(name) for name in ("x-forwarded-for", "x-real-ip", "x-forwarded-proto")] == ["127.0.0.77", "127.0.0.77", "http"]
        assert request.one("forwarded").startswith("for=127.0.0.77;")
        assert request.one("x-forwarded-host") == request.one("host") == visitor.host
        assert request.one("x-gatehouse-user") == session["user"]["id"] and request.one("x-gatehouse-email") == session["user"]["email"]
        assert request.one("x-gatehouse-session") == session["session_id"] and request.one("x-gatehouse-assertion").count(".") == 2
        assert request.spelt("x-gatehouse-user") == ["X-Gatehouse-User"] and "forged" not in request.head.decode()
        assert request.one("cookie") == "theme=dark"
        passed = re.fullmatch(r"1\.1 gatehouse-[0-9a-f]{8}, 1\.1 gatehouse" if door == "gateway" else r"1\.1 gatehouse", request.one("via"))
        assert passed, request.one("via")


def test_a_request_has_one_id_at_both_instances(cluster):
    """That of the door, in the answer, the problem document and both logs; nobody but an instance says what it is."""
    door = cluster.visitor("gateway")
    own = {"X-Request-Id": "0123456789abcdef"}
    for _ in range(6):
        answer = door.get("/api/v1/auth/me", headers={**own, "Via": "1.1 somebody"})
        told = assert_problem(answer, 401, "auth/required")["request_id"]
        assert told == answer.headers["X-Request-Id"] != own["X-Request-Id"]
        within(2, "both have it", lambda: sum(entry.get("request_id") == told for each in cluster.members for entry in each.log_entries()) >= 2)
    for headers in ({**own, "Via": "1.1 gatehouse"}, own, {"Via": "1.1 gatehouse-01234567", "X-Request-Id": "0123456789ABCDEF"}):
        assert cluster.visitor(1).get("/health", headers=headers).headers["X-Request-Id"] != headers["X-Request-Id"]


def test_what_came_by_an_instance_goes_no_further(cluster):
    """RFC 9110 §7.6.3: every instance spreads requests over all of them, itself included, and none goes round. Health is each one's own."""
    before = [passed_on(each) for each in cluster.members]
    for number in range(3):
        at = Visitor(cluster.members[number].port, PUBLIC)
        for _ in range(6):
            assert at.get("/api/v1/auth/me").status_code == 401
        for path in ("/health", "/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready"):
            assert at.get(path).status_code == 200
    assert [passed_on(each) - was for each, was in zip(cluster.members, before)] == [6, 6, 6]


def passed_on(instance, site: str = "instances of") -> int:
    _, told = get_unix(instance.data / "admin.sock", "/metrics")
    return sum(int(value) for value in re.findall(rf'^gatehouse_upstream_requests_total\{{[^}}]*site="{site}[^}}]*\}} (\d+)', told, re.M))


def test_a_loop_is_broken(cluster):
    """RFC 9110 §7.6.3: an application's site whose servers are these instances: a problem that says so, after a few rounds."""
    try:
        for number, each in enumerate(cluster.members):
            around = {"host": "loop.test", "upstream": cluster.members[(number + 1) % 3].url, "access": "public", "limits": []}
            each.change({"site": [*each.settings["site"], around]})
        answer = Visitor(cluster.members[0].port, "loop.test").get("/x")
        assert "circle" in assert_problem(answer, 502, "upstream/unreachable")["detail"]
        assert sum(passed_on(each, "loop.test") for each in cluster.members) <= 5
    finally:
        for each in cluster.members:
            each.change({"site": each.settings["site"][:-1]})
