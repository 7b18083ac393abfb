"""Several instances on one Postgres, and one authority: a certificate is ordered once, and whoever is asked answers."""

import base64
import concurrent.futures
import os
import shutil
import threading

import pytest
import requests

from certificates import fingerprint, names_of
from gate import merged
from ordering import NAME, ports, settle
from secure import SecureConnection, context
from waiting import eventually

ISSUER = "https://gate.test"


@pytest.fixture
def make_instances(make_ordering, postgres):
    """Makes instances that are not yet started, on one database and one authority, which asks the first of them, whatever the name."""

    def make(count: int, settings: dict | None = None, **more):
        url = postgres.socket_url(postgres.new_database())
        key = base64.b64encode(os.urandom(32)).decode()
        shared = merged(
            {"auth": {"issuer": ISSUER, "audience": ISSUER}, "database": {"url": url, "cluster_key": key}}, settings or {})
        first = make_ordering(shared, **more)
        return [first] + [make_ordering(shared, authority=first.authority, at=ports(), **more) for _ in range(count - 1)]

    return make


def start_all(servers) -> None:
    for server in servers:
        server.spawn()
    for server in servers:
        server.wait_ready()


def statuses(servers) -> list:
    """`cert status` of each: what is the same everywhere."""
    told = [server.run_json("cert", "status")["certificates"] for server in servers]
    return [[{**each, "next_action_at": (each["next_action_at"] or "")[:16]} for each in certificates] for certificates in told]


def test_ordered_once_though_all_start_at_once(make_instances, postgres):
    """CHECKLIST 37: three instances start together: one account, one order for each name, and each certificate is served by all; so it is
    with a renewal that one of them is asked for."""
    names = [NAME, "www.gate.test"]
    servers = make_instances(3, {"acme": {"domains": names}})
    authority = servers[0].authority
    start_all(servers)
    for name in names:
        for server in servers:
            eventually(lambda: server.is_trusted(name) and names_of(server.leaf(name)) == {name}, 30)
        assert len({fingerprint(server.leaf(name)) for server in servers}) == 1
    assert authority.count("account", status=201) == 1 and authority.count("order", status=201) == 2
    # When the authority was asked about renewal, the others know.
    eventually(lambda: all(each == statuses(servers[:1])[0] for each in statuses(servers)), 15)
    told = statuses(servers)[0]
    assert [each["names"] for each in told] == [[name] for name in names]
    assert all(each["status"] == "valid" and each["last_problem"] is None and not each["busy"] for each in told)
    for server in servers:
        assert not (server.data / "acme").exists()
        assert server.call("GET", "/api/v1/health").json()["status"] == "healthy"
    before = servers[0].leaf()
    assert servers[2].renew("--force", NAME).returncode == 0
    for server in servers:
        server.wait_renewed(before)
    assert len({fingerprint(server.leaf()) for server in servers}) == 1
    assert authority.count("account", status=201) == 1 and authority.count("order", status=201) == 3
    # After a restart too, from the first moment.
    leaf = servers[1].leaf()
    servers[1].restart()
    assert servers[1].leaf() == leaf and authority.count("order", status=201) == 3


def flood(server, until: threading.Event) -> int:
    """Asks for tokens that nobody has, in plain HTTP and in handshakes of TLS-ALPN-01. Returns how often."""
    count = 0
    with requests.Session() as session:
        while not until.is_set():
            token = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
            answer = session.get(f"{server.url}/.well-known/acme-challenge/{token}", headers={"Host": NAME}, timeout=10, allow_redirects=False)
            assert answer.status_code == 308, answer.status_code
            try:
                SecureConnection(server.https_port, "other.test", context(alpn=("acme-tls/1",))).socket.close()
            except OSError:
                pass
            count += 1
    return count


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_the_authority_asks_another_instance(make_instances, challenge):
    """CHECKLIST 38: the validator reaches an instance that does not hold the order, while others ask it for tokens that there are not."""
    asked, holder = make_instances(2, {"acme": {"challenges": [challenge]}})
    with asked.authority.held("order", done=False) as fault:
        holder.start()
        assert fault.reached.wait(30)
        asked.start()
        done = threading.Event()
        pool = concurrent.futures.ThreadPoolExecutor(8)
        floods = [pool.submit(flood, asked, done) for _ in range(8)]
        # Whoever is asked says who is at work.
        eventually(lambda: asked.status()["busy"], 10)
        assert asked.status()["status"] == "missing"
    leaf = asked.wait_trusted()
    done.set()
    assert holder.wait_trusted() == leaf
    assert sum(each.result(30) for each in floods) > 8
    assert asked.authority.count("order", status=201) == 1 and asked.authority.count("account", status=201) == 1
    # The holder itself was never asked: nothing leads there.
    assert asked.authority.count("challenge", status=200) == 1


def test_the_holder_of_an_order_is_killed(make_instances):
    """CHECKLIST 37: kill -9 in the middle of an order: the other instance goes on with the same order, within the lease's ten seconds."""
    other, holder = make_instances(2)
    with other.authority.held("finalize", done=False) as late:
        with other.authority.held("order", done=False) as fault:
            holder.start()
            assert fault.reached.wait(30)
            other.start()
        assert late.reached.wait(30)
        holder.kill()
    leaf = other.wait_trusted(30)
    assert other.authority.count("order", status=201) == 1 and other.authority.count("account", status=201) == 1
    # Whoever comes back orders nothing, and serves the same.
    holder.start()
    assert holder.leaf() == leaf
    assert other.authority.count("order", status=201) == 1


def test_a_moved_installation_keeps_its_certificates(make_ordering, postgres):
    """CHECKLIST 37: from files into the database, to a second instance, and back: nothing is ordered, nobody is registered again."""
    server = make_ordering({"auth": {"issuer": ISSUER, "audience": ISSUER}}).start()
    authority = server.authority
    leaf = server.wait_trusted()
    assert server.stop() == 0
    url = postgres.url(postgres.new_database())
    assert server.run("move", "--to", url).returncode == 0
    server.settings["database"] = {"url": url}
    server.write_config()
    server.start()
    assert server.leaf() == leaf, "from the first moment"
    assert not (server.data / "acme").exists() and (server.data / "acme.in-database" / "certificates").is_dir()
    second = make_ordering({key: server.settings[key] for key in ("auth", "database")}, authority=authority, at=ports())
    second.data.mkdir(mode=0o700)
    shutil.copy2(server.data / "cluster.key", second.data)
    second.start()
    assert second.leaf() == leaf
    assert second.status()["status"] == "valid"
    assert server.stop() == 0 and second.stop() == 0
    # Without a server too, from the database.
    assert server.status()["status"] == "valid"
    back = server.run("move", "--to", "sqlite:back.db")
    assert back.returncode == 0, back.stderr
    server.settings["database"] = {"url": "sqlite:back.db"}
    server.write_config()
    server.start()
    assert server.leaf() == leaf and (server.data / "acme" / "history.json").exists()
    settle()
    assert authority.count("order", status=201) == 1 and authority.count("account", status=201) == 1
