"""A standby takes over: two servers, of which one follows the other synchronously, and honest clients at two instances all the while."""

import functools
import json
import threading
import time

from beside import Workers
from gate import PASSWORD, assert_problem
from test_postgres import instances  # noqa: F401 (a fixture)

# What no request may take longer than: the queue, the transaction, a second of patience for each, and the machine's other work.
LIMIT = 10


class Registrations(Workers):
    """Clients that register, each at its instance; those that were answered 201 are told."""

    def __init__(self, servers, count: int = 4):
        self.registered: list[tuple[float, str]] = []
        self.others: list[tuple[float, int]] = []
        self.slowest = 0.0
        super().__init__(*[functools.partial(self._work, servers[number % len(servers)]) for number in range(count)])

    def _work(self, server) -> None:
        while not self.stopping.is_set():
            email = server.address(f"at{server.port}.{threading.get_ident()}.")
            begun = time.monotonic()
            answer = server.call("POST", "/api/v1/auth/register", json={"email": email, "password": PASSWORD}, timeout=30)
            ended = time.monotonic()
            self.slowest = max(self.slowest, ended - begun)
            if answer.status_code == 201:
                self.registered.append((ended, email))
            else:
                assert_problem(answer, 503, "unavailable")
                self.others.append((ended, answer.status_code))
                time.sleep(0.02)

    def await_more(self, count: int, within: float) -> float:
        """Waits for so many more, and tells when the first of them was."""
        before = len(self.registered)
        deadline = time.monotonic() + within
        while len(self.registered) < before + count:
            assert time.monotonic() < deadline, (len(self.registered) - before, self.others[-3:])
            time.sleep(0.01)
        return self.registered[before][0]


class BothHosts:
    """Makes addresses that name the primary and its standby."""

    def __init__(self, primary, standby: int):
        self.primary, self.standby = primary, standby
        self.new_database = primary.new_database

    def url(self, name: str, port: int | None = None, settings: str = "") -> str:
        url = self.primary.url(name, None, settings)
        return url.replace(f":{self.primary.port}/", f":{self.primary.port},127.0.0.1:{self.standby}/")


def test_the_standby_takes_over(instances, own_postgres, record_property):  # noqa: F811
    """CHECKLIST 45, 46: the primary is killed: nothing that was answered is lost, and everything goes on by itself."""
    standby = int(own_postgres.command("standby"))
    one, other = servers = instances(2, BothHosts(own_postgres, standby))
    name = one.settings["database"]["url"].rsplit("/", 1)[1]
    kept, ended = one.register(), one.register()
    assert one.logout(ended["access_token"]).status_code == 204
    with Registrations(servers) as clients:
        clients.await_more(40, within=10)
        began = time.monotonic()
        own_postgres.command("kill")
        assert own_postgres.command(f"promote {standby}") == "t"
        promoted = time.monotonic()
        served = clients.await_more(40, within=LIMIT)
        for server in servers:
            while server.call("GET", "/api/v1/health/ready").status_code != 200:
                assert time.monotonic() - promoted < LIMIT
                time.sleep(0.02)
        recovered = time.monotonic()
    figures = {
        "refused": len(clients.others), "first_after_s": round(served - began, 2), "ready_after_s": round(recovered - began, 2),
        "slowest_s": round(clients.slowest, 2), "registered": len(clients.registered),
    }
    record_property("failover", json.dumps(figures))
    print(f"fail-over: {figures}")
    assert clients.slowest < LIMIT
    found = own_postgres.command(f"sql-at {standby} {name} SELECT string_agg(email, ',') FROM users").split(",")
    assert {email for _, email in clients.registered} <= set(found)
    assert one.login(clients.registered[-1][1]).status_code == 200
    for server in servers:
        assert server.me(kept["access_token"]).status_code == 200
        assert server.me(ended["access_token"]).status_code == 401
    # They tell each other of changes again.
    session = one.register()
    assert other.me(session["access_token"]).status_code == 200
    assert one.logout(session["access_token"]).status_code == 204
    other.refused_within(session["access_token"], 1)
