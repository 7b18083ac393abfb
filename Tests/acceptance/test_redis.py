"""Limits in Redis: counted once for several instances, over every way to reach it, and told to operators."""

import collections
import concurrent.futures
import json
import subprocess
import time

import pytest
import requests

from gate import OPEN_LIMITS, QUICK_AUTH, free_port, merged
from redis_server import RedisServer, other_server
from waiting import eventually

LIMIT = 50
COUNTED = {"path": "/counted", "access": "public", "respond": "here", "limits": ["few"]}


def counting(url: str, limit: int = LIMIT, window: str = "60s", **more) -> dict:
    """A site at `/counted` under a policy of its own, counted by network."""
    return merged(
        {
            "auth": QUICK_AUTH,
            "limits": merged(OPEN_LIMITS, {"redis_url": url, "policies": {"few": {"limit": limit, "window": window, "key": "network"}}}),
            "site": [{"host": "127.0.0.1", **COUNTED}],
        },
        more,
    )


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.kill()


def ask(server, **more) -> requests.Response:
    return server.call("GET", "/counted", **more)


def redis_health(server) -> dict:
    return server.call("GET", "/api/v1/health").json()["checks"]["redis"]


def test_exactly_n_over_two_instances(redis, make_server):
    """CHECKLIST 35: exactly n are admitted over all instances together, from many clients in parallel."""
    servers = [make_server(counting(redis.url)).start() for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        statuses = collections.Counter(pool.map(lambda number: ask(servers[number % 2]).status_code, range(300)))
    assert statuses == {200: LIMIT, 429: 300 - LIMIT}
    # What is left is told by either.
    remaining = {ask(server).headers["X-RateLimit-Remaining"] for server in servers}
    assert remaining == {"0"}


@pytest.mark.parametrize("name", ["Redis 6.2", "Valkey 8"])
def test_other_servers(tmp_path, make_server, name):
    """CHECKLIST 35, 56: exactly n over two instances on Redis 6 and on Valkey too; who waits is admitted, and operators see and clear."""
    server = RedisServer(tmp_path / "redis", program=other_server(name)).start()
    try:
        one, other = (make_server(counting(server.url, limit=20, window="3s")).start() for _ in range(2))
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            statuses = collections.Counter(pool.map(lambda number: ask((one, other)[number % 2]).status_code, range(60)))
        assert statuses == {200: 20, 429: 40}
        time.sleep(int(ask(other).headers["Retry-After"]))
        assert ask(one).status_code == 200
        assert "few" in other.run("limit", "list").stdout
        assert other.run("limit", "clear", "--policy", "few").returncode == 0 and server.ask("KEYS", "*:few") == ""
        assert redis_health(one)["status"] == redis_health(other)["status"] == "healthy"
    finally:
        server.kill()


def test_waiting_exactly_retry_after_admits_everywhere(redis, make_server):
    """CHECKLIST 56: a client that waits exactly Retry-After is admitted, at the other instance too."""
    one, other = (make_server(counting(redis.url, limit=3, window="2s")).start() for _ in range(2))
    for _ in range(3):
        assert ask(one).status_code == 200
    refused = ask(other)
    assert refused.status_code == 429
    time.sleep(int(refused.headers["Retry-After"]))
    assert ask(other).status_code == 200


def test_what_redis_holds_is_bounded(redis, make_server):
    """CHECKLIST 35: a refused request leaves nothing, and what is counted is gone with its window."""
    server = make_server(counting(redis.url, limit=5, window="2s")).start()
    for _ in range(50):
        ask(server)
    (key,) = [name for name in redis.ask("KEYS", "gatehouse:limit:*").splitlines() if name.endswith(":few")]
    assert redis.ask("ZCARD", key) == "5"
    assert 0 < int(redis.ask("PTTL", key)) <= 2001
    eventually(lambda: redis.ask("EXISTS", key) == "0", 4, "the key is gone")


def test_operators_see_and_clear_what_is_counted(redis, make_server):
    """`limit list` and `limit clear` at one instance act on what both have counted."""
    one, other = (make_server(counting(redis.url)).start() for _ in range(2))
    for _ in range(7):
        ask(one)
    listed = other.run_json("limit", "list", "--policy", "few")
    entries = listed if isinstance(listed, list) else next(iter(listed.values()))
    assert [entry["used"] for entry in entries] == [7], listed
    assert other.run("limit", "clear", "--policy", "few").returncode == 0
    assert one.run_json("limit", "list", "--policy", "few") in ([], {"limits": []}, {"entries": []}) or redis.ask("KEYS", "*:few") == ""


def test_health_and_metrics_tell_of_redis(redis, make_server):
    """The health call lists Redis with its latency in milliseconds; the log says where limits are counted, without a password."""
    server = make_server(counting(redis.url)).start()
    assert redis_health(server)["status"] == "healthy" and 0 <= redis_health(server)["latency"] < 250
    assert server.call("GET", "/api/v1/health").json()["status"] == "healthy"
    assert any("counted in Redis" in entry.get("message", "") for entry in server.log_entries())


class TestWaysToReachIt:
    """Each of them counts, and shows no secret anywhere."""

    SECRET = "s3cr%t/p@ss"
    ENCODED = "s3cr%25t%2Fp%40ss"

    def counts(self, make_server, url: str, **more):
        server = make_server(counting(url, limit=2, **more)).start()
        assert [ask(server).status_code for _ in range(3)] == [200, 200, 429], server.log_text()[-2000:]
        assert redis_health(server)["status"] == "healthy"
        shown = server.log_text() + server.run("check").stdout + server.run("doctor", "--json").stdout
        assert self.SECRET not in shown and self.ENCODED not in shown
        return server

    def test_unix_socket_and_database(self, redis, make_server):
        self.counts(make_server, f"unix://{redis.socket}?db=3")
        assert "few" in redis.ask("-n", "3", "KEYS", "*")

    def test_variable(self, redis, make_server):
        """`REDIS_URL` alone is enough."""
        settings = counting("")
        del settings["limits"]["redis_url"]
        server = make_server(settings, env={"REDIS_URL": redis.url}).start()
        assert redis_health(server)["status"] == "healthy"

    def test_password(self, tmp_path, make_server):
        server = RedisServer(tmp_path / "redis", "--requirepass", self.SECRET).start()
        try:
            self.counts(make_server, f"redis://:{self.ENCODED}@127.0.0.1:{server.port}/0")
        finally:
            server.kill()

    def test_user_with_few_rights(self, tmp_path, make_server):
        """The rights that the manual names are enough."""
        server = RedisServer(tmp_path / "redis").start()
        try:
            rights = "~gatehouse:* &gatehouse:* +@connection +eval +evalsha +time +scan +unlink +hset +hgetall +@sortedset +pexpire +publish +subscribe"
            server.ask("ACL", "SETUSER", "gate", "on", f">{self.SECRET}", *rights.split())
            gate = self.counts(make_server, f"redis://gate:{self.ENCODED}@127.0.0.1:{server.port}")
            assert gate.run("limit", "list").returncode == 0 and gate.run("limit", "clear", "--all").returncode == 0
        finally:
            server.kill()

    @pytest.mark.parametrize("mistake", ["password", "closed", "silent"])
    def test_what_is_wrong_is_told_without_the_secret(self, tmp_path, make_server, mistake):
        """CHECKLIST 43: a refused password, a closed port and a peer that says nothing: it starts, says why, and shows no secret."""
        server = RedisServer(tmp_path / "redis", "--requirepass", "another").start()
        silent = __import__("socket").create_server(("127.0.0.1", free_port()))
        try:
            port = {"password": server.port, "closed": free_port(), "silent": silent.getsockname()[1]}[mistake]
            gate = make_server(counting(f"redis://:{self.ENCODED}@127.0.0.1:{port}", limit=2)).start()
            assert [ask(gate).status_code for _ in range(3)] == [200, 200, 429]
            assert redis_health(gate)["status"] == "degraded"
            assert gate.call("GET", "/api/v1/health").status_code == 200
            warnings = [entry for entry in gate.log_entries() if entry.get("level") == "warning" and "Redis" in entry["message"]]
            assert len(warnings) == 1, warnings
            shown = gate.log_text() + gate.run("doctor").stdout
            assert self.SECRET not in shown and self.ENCODED not in shown
            assert "WRONGPASS" in shown or mistake != "password"
        finally:
            silent.close()
            server.kill()

    def test_tls(self, tmp_path, make_server):
        """rediss:// with a private authority; without it, or for another name, nothing is said to the server."""
        folder = tmp_path / "tls"
        folder.mkdir()
        make = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
        make("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
             "-subj", "/CN=Redis Test CA", "-days", "30")
        make("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "redis.key", "-out", "redis.csr",
             "-subj", "/CN=localhost")
        (folder / "names").write_text("subjectAltName=DNS:localhost")
        make("x509", "-req", "-in", "redis.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "redis.pem",
             "-days", "30", "-extfile", "names")
        port = free_port()
        server = RedisServer(
            tmp_path / "redis", "--tls-port", str(port), "--tls-cert-file", str(folder / "redis.pem"), "--tls-key-file",
            str(folder / "redis.key"), "--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-auth-clients", "no").start()
        try:
            authority = {"redis": {"ca_file": str(folder / "ca.pem")}}
            self.counts(make_server, f"rediss://localhost:{port}", **authority)
            for url, settings in ((f"rediss://localhost:{port}", {}), (f"rediss://127.0.0.1:{port}", authority)):
                gate = make_server(counting(url, **settings)).start()
                assert redis_health(gate)["status"] == "degraded"
                assert "certificate" in gate.log_text().lower()
        finally:
            server.kill()

    def test_sentinel(self, tmp_path, make_server):
        """The primary that the sentinels name is used; after a fail-over, the new one, by itself."""
        primary = RedisServer(tmp_path / "primary").start()
        replica = RedisServer(tmp_path / "replica", "--replicaof", f"127.0.0.1 {primary.port}").start()
        sentinels = []
        config = (
            f"port PORT\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
        )
        try:
            eventually(lambda: "state=online" in primary.ask("INFO", "replication"), 10, "the replica follows")
            sentinels.append(RedisServer(tmp_path / "sentinel", program="redis-sentinel", config=config).start())
            eventually(lambda: "slaves=1" in sentinels[0].ask("INFO", "sentinel"), 15, "the sentinel knows the replica")
            absent = free_port()
            url = f"redis+sentinel://127.0.0.1:{absent},127.0.0.1:{sentinels[0].port}/main"
            gate = self.counts(make_server, url)
            primary.kill()
            eventually(lambda: redis_health(gate)["status"] == "degraded", 10, "degraded")
            eventually(lambda: redis_health(gate)["status"] == "healthy", 25, "the new primary counts")
            assert ask(gate).status_code in (200, 429)
            assert "few" in replica.ask("KEYS", "*") and "role:master" in replica.ask("INFO", "replication")
        finally:
            for server in [*sentinels, replica, primary]:
                server.kill()


def test_a_replica_is_no_place_to_count(tmp_path, make_server):
    """Where the address is that of a replica, the log says so."""
    primary = RedisServer(tmp_path / "primary").start()
    replica = RedisServer(tmp_path / "replica", "--replicaof", f"127.0.0.1 {primary.port}").start()
    try:
        gate = make_server(counting(replica.url)).start()
        assert redis_health(gate)["status"] == "degraded" and "replica" in gate.log_text()
    finally:
        replica.kill()
        primary.kill()


def test_doctor_asks_redis(redis, make_server):
    """The doctor says whether Redis answers, and what to do where it does not."""
    server = make_server(counting(redis.url))
    finding = lambda: [each for each in json.loads(server.run("doctor", "--json").stdout)["findings"] if each["check"] == "redis"]
    assert [each["status"] for each in finding()] == ["ok"], finding()
    redis.kill()
    (each,) = finding()
    assert each["status"] == "problem" and each["advice"]


def test_a_cluster_is_no_place_to_count(tmp_path, make_server):
    """What a request asks together would lie on different servers: the log says so, and this process counts."""
    redis = RedisServer(tmp_path / "redis", "--cluster-enabled", "yes", "--cluster-port", str(free_port())).start()
    try:
        gate = make_server(counting(redis.url, limit=2)).start()
        assert redis_health(gate)["status"] == "degraded" and "Cluster" in gate.log_text()
        assert [ask(gate).status_code for _ in range(3)] == [200, 200, 429]
    finally:
        redis.kill()


def test_commands_without_a_server(redis, make_server):
    """Where no server runs, commands neither wait for Redis nor speak of it."""
    server = make_server(counting(redis.url)).start()
    assert server.stop() == 0
    redis.kill()
    begun = time.monotonic()
    users = server.run("user", "list")
    assert users.returncode == 0 and "Redis" not in users.stdout + users.stderr
    assert time.monotonic() - begun < 1.5
