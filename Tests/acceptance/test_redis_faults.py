"""Redis dies, hangs, comes back empty, has no memory, is slow, is cut off: honest clients go on, and everything recovers by itself."""

import json
import time

import pytest

from redis_server import Clients, RedisServer, Wire
from waiting import eventually
from test_redis import ask, counting, redis_health

# The time limit for a command, and what a request may take besides on a busy machine.
TIMEOUT = 0.25
BUSY = 0.75
MANY = 10_000_000


@pytest.fixture
def wired(tmp_path, make_server):
    """Redis, a wire to it, and a server that counts over that wire: none is refused, so that every other answer is a fault."""
    redis = RedisServer(tmp_path / "redis").start()
    wire = Wire(redis.port)
    server = make_server(counting(f"redis://127.0.0.1:{wire.port}", limit=1_000_000, window="1s")).start()
    assert redis_health(server)["status"] == "healthy"
    yield redis, wire, server
    wire.close()
    redis.kill()


def degrade_and_recover(server, clients, fault, cure, record_property, name) -> None:
    """Every answer is 200 and none takes longer than the time limit; the fault is noticed, told once, and gone by itself."""
    eventually(lambda: len(clients.answers) > 50, 10, "clients are served")
    began = time.monotonic()
    fault()
    eventually(lambda: redis_health(server)["status"] == "degraded", 10, "degraded")
    noticed = time.monotonic() - began
    asked = time.monotonic()
    eventually(lambda: len(clients.since(asked)) > 50, 10, "clients go on")
    standing_in = max(took for _, _, took in clients.since(asked))
    assert server.call("GET", "/api/v1/health").status_code == 200
    assert server.call("GET", "/api/v1/health/ready").status_code == 200
    ended = time.monotonic()
    cure()
    eventually(lambda: redis_health(server)["status"] == "healthy", 15, "healthy")
    recovered = time.monotonic() - ended
    asked = time.monotonic()
    eventually(lambda: len(clients.since(asked)) > 50, 10, "clients are served")
    statuses = {status for _, status, _ in clients.answers}
    assert statuses == {200}, statuses
    assert clients.slowest() < TIMEOUT + BUSY, clients.slowest()
    entries = [(each["level"], each["message"]) for each in server.log_entries() if "Redis" in each.get("message", "")]
    assert [level for level, _ in entries].count("warning") == 1, entries
    assert any("again" in message for _, message in entries), entries
    figures = dict(
        noticed_ms=round(noticed * 1000), slowest_ms=round(clients.slowest() * 1000), standing_in_ms=round(standing_in * 1000),
        recovered_ms=round(recovered * 1000), answers=len(clients.answers))
    record_property(name, json.dumps(figures))
    print(f"{name}: {figures}")


def test_killed_and_restarted_empty(wired, record_property):
    """CHECKLIST 35: Redis is killed and comes back empty: 200 throughout, one warning, recovery by itself."""
    redis, wire, server = wired
    with Clients(server, "/counted") as clients:
        degrade_and_recover(server, clients, redis.kill, redis.start, record_property, "killed")
    # The script is not known to the new one, and neither are the policies.
    assert redis.ask("HGET", "gatehouse:policies", "few").startswith("1000000 ")


def test_paused(wired, record_property):
    """CHECKLIST 35: Redis hangs (SIGSTOP): no request waits longer than the time limit, and after the first none waits."""
    redis, wire, server = wired
    with Clients(server, "/counted") as clients:
        degrade_and_recover(server, clients, redis.pause, redis.go_on, record_property, "paused")


def test_cut_off(wired, record_property):
    """CHECKLIST 35: the network swallows everything, without closing a connection."""
    redis, wire, server = wired
    with Clients(server, "/counted") as clients:
        degrade_and_recover(server, clients, wire.cut, wire.mend, record_property, "cut")


def test_slow(wired, record_property):
    """CHECKLIST 35: every reply comes later than the time limit."""
    redis, wire, server = wired

    def delay(seconds):
        wire.delay = seconds

    with Clients(server, "/counted") as clients:
        degrade_and_recover(server, clients, lambda: delay(0.4), lambda: delay(0), record_property, "slow")


def test_out_of_memory(wired, record_property):
    """CHECKLIST 35: Redis takes no more (maxmemory with noeviction), though it answers PING all the while."""
    redis, wire, server = wired
    with Clients(server, "/counted") as clients:
        degrade_and_recover(
            server, clients, lambda: redis.ask("CONFIG", "SET", "maxmemory", "1mb"),
            lambda: redis.ask("CONFIG", "SET", "maxmemory", "0"), record_property, "out of memory")


def test_a_server_that_was_made_a_replica_is_left(wired, tmp_path, record_property):
    """Writes are refused (READONLY): told as any other fault, and gone when it takes writes again."""
    redis, wire, server = wired
    with Clients(server, "/counted") as clients:
        degrade_and_recover(
            server, clients, lambda: redis.ask("REPLICAOF", "127.0.0.1", "1"), lambda: redis.ask("REPLICAOF", "NO", "ONE"),
            record_property, "read-only")


def test_limits_hold_while_redis_is_gone(tmp_path, make_server):
    """CHECKLIST 35: the stated rule: without Redis each instance admits n, of which it counts what it has admitted before."""
    redis = RedisServer(tmp_path / "redis").start()
    try:
        one, other = (make_server(counting(redis.url, limit=20)).start() for _ in range(2))
        assert [ask(one).status_code for _ in range(12)] == [200] * 12
        redis.kill()
        eventually(lambda: all(redis_health(each)["status"] == "degraded" for each in (one, other)), 10, "degraded")
        assert [ask(one).status_code for _ in range(10)].count(200) == 8
        assert [ask(other).status_code for _ in range(25)].count(200) == 20
        assert one.run_json("limit", "list") is not None
    finally:
        redis.kill()


def test_starting_without_redis(tmp_path, make_server):
    """CHECKLIST 55: it starts though Redis is not there yet, and counts in it as soon as it is."""
    redis = RedisServer(tmp_path / "redis")
    server = make_server(counting(redis.url)).start()
    try:
        assert redis_health(server)["status"] == "degraded"
        redis.start()
        eventually(lambda: redis_health(server)["status"] == "healthy", 10, "healthy")
        assert ask(server).status_code == 200 and "few" in redis.ask("KEYS", "*")
        assert server.stop() == 0
        warnings = [each for each in server.log_entries() if each["level"] == "warning" and "Redis" in each["message"]]
        assert len(warnings) == 1, "a stop is no failure of Redis"
    finally:
        redis.kill()
