"""Several instances on one Postgres and one Redis: limits and revocations are common to them, whichever of the two is away."""

import collections
import concurrent.futures
import time

import pytest

from gate import OPEN_LIMITS, QUICK_AUTH, merged
from instances import introduce
from redis_server import RedisServer
from waiting import eventually
from test_redis import redis_health

LIMIT = 40


@pytest.fixture
def cluster(make_server, postgres, tmp_path):
    """Redis, and a maker of instances that share it, a database and their secrets."""
    redis = RedisServer(tmp_path / "redis").start()

    def make(count: int, settings: str = "", limit: int = 1_000_000):
        url = postgres.url(postgres.new_database(), settings=settings)
        all_settings = {
            "auth": {**QUICK_AUTH, "issuer": "https://gate.test", "audience": "https://gate.test"},
            "database": {"url": url},
            "limits": merged(OPEN_LIMITS, {"redis_url": redis.url, "policies": {"api": {"limit": limit, "window": "60s"}}}),
        }
        made = []
        for _ in range(count):
            server = make_server(all_settings)
            if made:
                introduce(made[0], server)
            made.append(server.start())
        return made

    yield redis, make
    redis.kill()


def test_a_users_limit_holds_over_three_instances(cluster):
    """CHECKLIST 35: exactly n for a user over three instances, in parallel."""
    redis, make = cluster
    servers = make(3, limit=LIMIT)
    token = servers[0].register()["access_token"]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        statuses = collections.Counter(pool.map(lambda number: servers[number % 3].me(token).status_code, range(150)))
    assert statuses == {200: LIMIT, 429: 150 - LIMIT}


def test_revocations_travel_while_redis_comes_and_goes(cluster, record_property):
    """CHECKLIST 4, 10: a token that was revoked at one instance is refused at the other within a second, with Redis and without."""
    redis, make = cluster
    one, other = make(2)
    slowest = 0.0
    for phase in ("there", "gone", "back"):
        if phase == "gone":
            redis.kill()
        if phase == "back":
            redis.start()
            eventually(lambda: all(redis_health(each)["status"] == "healthy" for each in (one, other)), 10, "both count in Redis")
        for _ in range(8):
            session = one.register()
            assert other.me(session["access_token"]).status_code == 200
            assert one.logout(session["access_token"]).status_code == 204
            slowest = max(slowest, other.refused_within(session["access_token"]))
            assert other.refresh(session["refresh_token"]).status_code == 401
    record_property("slowest_ms", round(slowest * 1000))
    print(f"slowest: {slowest * 1000:.0f} ms")


def test_redis_paused_at_the_moment_of_a_log_out(cluster):
    """CHECKLIST 4: the log-out is answered though Redis hangs, and heeded everywhere within a second."""
    redis, make = cluster
    one, other = make(2)
    sessions = [one.register() for _ in range(3)]
    for session in sessions:
        assert other.me(session["access_token"]).status_code == 200
    redis.pause()
    try:
        for session in sessions:
            begun = time.monotonic()
            assert one.logout(session["access_token"]).status_code == 204
            assert time.monotonic() - begun < 1.5
            other.refused_within(session["access_token"])
    finally:
        redis.go_on()
