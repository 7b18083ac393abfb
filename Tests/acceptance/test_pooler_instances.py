"""Two instances behind PgBouncer in transaction mode, with Redis: nobody can listen, and one of them may be cut off from Redis."""

import collections
import concurrent.futures
import shutil
import threading
import time

import pytest

from gate import OPEN_LIMITS, QUICK_AUTH, Gatehouse, merged
from postgres import Postgres
from redis_server import RedisServer, Wire
from waiting import eventually
from test_redis import redis_health

LIMIT = 40


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """Postgres, Redis, a wire to Redis that the second instance has for itself, and the two behind a pooler."""
    folder = tmp_path_factory.mktemp("pooled")
    postgres = Postgres()
    pooler = int(postgres.command("bouncer"))
    redis = RedisServer(folder / "redis").start()
    wire = Wire(redis.port)
    name = postgres.new_database()
    made = []
    for port in (redis.port, wire.port):
        server = Gatehouse(
            folder / f"server{len(made)}",
            {
                "auth": {**QUICK_AUTH, "issuer": "https://gate.test", "audience": "https://gate.test"},
                "database": {"url": postgres.url(name, pooler)},
                "limits": merged(
                    OPEN_LIMITS,
                    {
                        "redis_url": f"redis://127.0.0.1:{port}",
                        "policies": {"api": {"limit": 1_000_000, "window": "60s"}, "few": {"limit": LIMIT, "window": "60s", "key": "network"}},
                    },
                ),
                "site": [{"host": "127.0.0.1", "path": "/counted", "access": "public", "respond": "here", "limits": ["few"]}],
            },
        )
        if made:
            server.data.mkdir(mode=0o700)
            shutil.copy2(made[0].data / "cluster.key", server.data)
        made.append(server.start())
    yield postgres, redis, wire, *made
    for server in made:
        server.kill()
    wire.close()
    redis.kill()
    postgres.close()


@pytest.fixture(autouse=True)
def logs(request, pooled):
    """Shows the servers' logs where a test fails."""
    request.node.servers = pooled[3:]


def queries_of(postgres, seconds: float) -> int:
    """Transactions of all databases in that time."""
    count = lambda: int(postgres.sql("postgres", "SELECT sum(xact_commit) FROM pg_stat_database"))
    time.sleep(1.1)
    before = count()
    time.sleep(seconds)
    return count() - before


def test_memory_is_believed_behind_a_pooler(pooled):
    """Requests are answered from memory there too: the database is asked for changes, not for each request."""
    postgres, redis, wire, one, other = pooled
    token = one.register()["access_token"]
    eventually(lambda: "asks the database" in other.log_text(), 10, "memory is believed")
    stop = threading.Event()
    asked = collections.Counter()

    def ask():
        while not stop.is_set():
            asked[other.me(token).status_code] += 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun = time.monotonic()
    transactions = queries_of(postgres, 1)
    stop.set()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begun
    assert set(asked) == {200}
    # Two instances ask five times a second, the pooler and the servers' health checks a little more.
    assert asked[200] / took > 100 > transactions, (asked, transactions)


def test_limits_and_sessions_hold_behind_a_pooler(pooled):
    """CHECKLIST 2, 35: exactly n over both, and one successor of parallel refreshes at both."""
    postgres, redis, wire, one, other = pooled
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = collections.Counter(pool.map(lambda n: (one, other)[n % 2].call("GET", "/counted").status_code, range(120)))
        assert statuses == {200: LIMIT, 429: 120 - LIMIT}
        session = one.register()
        answers = list(pool.map(lambda n: (one, other)[n % 2].refresh(session["refresh_token"]), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_revocations_travel_behind_a_pooler_whoever_is_cut_off_from_redis(pooled, record_property):
    """CHECKLIST 4, 10: a token that was revoked at one is refused at the other within a second: both on Redis, one cut off from it
    without a word, and without Redis. (The last one: Redis stays away.)"""
    postgres, redis, wire, one, other = pooled
    slowest: dict[str, float] = collections.defaultdict(float)
    for phase in ("whole", "one cut off", "healed", "no Redis"):
        if phase == "one cut off":
            wire.cut()
        if phase == "healed":
            wire.mend()
            eventually(lambda: all(redis_health(each)["status"] == "healthy" for each in (one, other)), 15, "both count in Redis")
        if phase == "no Redis":
            redis.kill()
        for number in range(6):
            # Who is cut off revokes, and the other way round.
            revoker, reader = ((other, one), (one, other))[number % 2]
            session = one.register()
            assert reader.me(session["access_token"]).status_code == 200
            assert revoker.logout(session["access_token"]).status_code == 204
            slowest[phase] = max(slowest[phase], reader.refused_within(session["access_token"]))
            assert reader.refresh(session["refresh_token"]).status_code == 401
    record_property("slowest_ms", {phase: round(took * 1000) for phase, took in slowest.items()})
    print({phase: round(took * 1000) for phase, took in slowest.items()})
