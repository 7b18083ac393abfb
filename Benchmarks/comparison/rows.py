"""The rows of the table: each measures every server in turn, round after round."""

from __future__ import annotations

import dataclasses
import resource
import time
from collections.abc import Callable, Iterator

from .servers import Gatehouse, PocketBase, Server
from .tools import CORES, PASSWORD, Prober, bcrypt_capacity, lines, median, wrk


@dataclasses.dataclass
class Plan:
    """How long and how often."""

    rounds: int = 5
    seconds: float = 5
    login_seconds: float = 8
    users: int = 256
    # Of the parts that compare Gatehouse with itself in several places.
    short_rounds: int = 5
    short_seconds: float = 3
    # Sessions whose end is followed.
    samples: int = 300
    # Accounts and live sessions, and connections, of the tables that show how cost grows.
    many: tuple[tuple[int, int], ...] = ((10, 10), (1000, 1000), (100_000, 1000), (100_000, 100_000))
    many_connections: tuple[int, ...] = (1, 64, 10_000)


@dataclasses.dataclass
class Row:
    """One kind of work: the figures of every round, for each server."""

    name: str
    unit: str
    mark: str
    figures: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    # The ratio to reach against the peer: (server, peer, factor). A factor below one is for what should be small.
    at_least: tuple[str, str, float] | None = None
    at_most: tuple[str, float] | None = None
    note: str = ""
    # Microseconds of processor time for each request, of the server; under "load", of what asked.
    costs: dict[str, list[float]] = dataclasses.field(default_factory=dict)

    def add(self, server: str, figure: float) -> None:
        self.figures.setdefault(server, []).append(figure)

    def median(self, server: str) -> float | None:
        return median(self.figures[server]) if server in self.figures else None

    def ratio(self) -> float | None:
        """Of the medians."""
        if not self.at_least:
            return None
        server, peer, _ = self.at_least
        return self.median(server) / self.median(peer) if self.median(peer) else None

    def is_reached(self) -> bool | None:
        if self.at_least:
            return self.ratio() >= self.at_least[2]
        if self.at_most:
            return self.median(self.at_most[0]) <= self.at_most[1]
        return None


# More than there are connections, so that none ever waits for a token.
ROTATING = 192


def own_record_file(server: Server) -> str:
    return lines(f"{server.name.lower()}-own-record.txt", [server.own_record(user) for user in server.users])


def rotating_file(server: Server) -> str:
    """Tokens of new sessions: a run leaves those of the last one rotated."""
    return lines(f"{server.name.lower()}-refresh.txt", [user["refresh"] for user in server.renewed(ROTATING)])


def counted(row: Row, server: Server, report: dict) -> None:
    """Notes a run; one with refusals or broken connections is said so, not averaged away."""
    row.add(server.name, report["rate"])
    wrong = report["refused"] + report["broken"]
    if wrong > report["requests"] * 0.001:
        row.note += f"{server.name}: {wrong} of {report['requests']} failed. "


def costed(row: Row, server: Server, work: Callable[[], dict]) -> None:
    """As `counted`, of what `work` reports; and notes the processor time that it took."""
    before, load = server.processor_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
    report = work()
    spent, after = server.processor_seconds() - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    counted(row, server, report)
    # Those that were served before the report begins to count are more.
    served = max(1, report.get("served", report["requests"]))
    row.costs.setdefault(server.name, []).append(1e6 * spent / served)
    row.costs.setdefault("load", []).append(1e6 * (after.ru_utime + after.ru_stime - load.ru_utime - load.ru_stime) / served)


def in_turn(plan: Plan, servers: list[Server]) -> Iterator[Server]:
    """Each server, round after round, and not before all of them rest: one may be busy with its logs for seconds after a load, and
    would take that time from the other."""
    for _ in range(plan.rounds):
        for server in servers:
            settle(servers)
            yield server


def settle(servers: list[Server], patience: float = 30) -> None:
    """Returns when all together use less than a twentieth of a core, or after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = sum(server.processor_seconds() for server in servers)
        time.sleep(0.3)
        if sum(server.processor_seconds() for server in servers) - before <= 0.015:
            return


def health(plan: Plan, servers: list[Server]) -> Row:
    row = Row("health, plain HTTP", "requests/s", "≥ 2.5 × PocketBase", at_least=("Gatehouse", "PocketBase", 2.5))
    for server in in_turn(plan, servers):
        counted(row, server, wrk(server.port, server.health, plan.seconds, 64))
    return row


def own_record(plan: Plan, servers: list[Server]) -> Row:
    row = Row("who am I / own record, authenticated, limited", "requests/s", "≥ 8 × PocketBase", at_least=("Gatehouse", "PocketBase", 8))
    for server in in_turn(plan, servers):
        tokens = own_record_file(server)
        counted(row, server, wrk(server.port, "/", plan.seconds, 64, "bearer", TOKENS=tokens, AUTH_PREFIX=server.own_record_prefix))
    return row


def refresh(plan: Plan, servers: list[Server]) -> Row:
    row = Row("token refresh", "requests/s", "≥ 1 × PocketBase, with a durable rotation each", at_least=("Gatehouse", "PocketBase", 1))
    for server in in_turn(plan, servers):
        tokens = rotating_file(server)
        counted(row, server, wrk(server.port, "/", plan.seconds, 64, "rotate", TOKENS=tokens, KIND=server.name.lower()))
    return row


def log_in(plan: Plan) -> list[Row]:
    """At cost 12, against what all cores can hash, measured right before and after; PocketBase at its cost 10 for information."""
    rate = Row("log-in (bcrypt cost 12)", "log-ins/s", "≥ 0.95 of what the cores can hash", at_least=("Gatehouse", "plain crypt(3)", 0.95))
    tail = Row("health's p99 meanwhile", "ms", "< 5 ms", at_most=("Gatehouse", 5))
    peer = Row("log-in at cost 10, for information", "log-ins/s", "")
    server, pocketbase, cheap = Gatehouse(cost=12), PocketBase(), Gatehouse(cost=10)
    try:
        for each in (server, pocketbase, cheap):
            each.start()
            each.add_users(CORES * 4)
        for _ in range(plan.rounds):
            before = bcrypt_capacity(12, plan.login_seconds / 2)
            with Prober(server.port, server.health) as prober:
                counted(rate, server, log_in_load(server, plan.login_seconds))
            rate.add("plain crypt(3)", (before + bcrypt_capacity(12, plan.login_seconds / 2)) / 2)
            tail.add("Gatehouse", prober.percentile_ms(99))
            for each in (cheap, pocketbase):
                with Prober(each.port, each.health) as prober:
                    counted(peer, each, log_in_load(each, plan.login_seconds))
                if each is pocketbase:
                    tail.add("PocketBase", prober.percentile_ms(99))
    finally:
        for each in (server, pocketbase, cheap):
            each.close()
    return [rate, tail, peer]


def log_in_load(server: Server, seconds: float) -> dict:
    emails = lines(f"{server.name.lower()}-emails.txt", [user["email"] for user in server.users])
    return wrk(
        server.port, "/", seconds, CORES * 4, "login", threads=1, timeout=30, TOKENS=emails, LOGIN=server.log_in_path,
        FIELD=server.log_in_field, PASSWORD=PASSWORD)


def start_size_and_idle(plan: Plan) -> list[Row]:
    start = Row("start to first answer", "ms", "≤ 50 ms", at_most=("Gatehouse", 50))
    idle = Row("memory, idle", "MB", "≤ 25 MB", at_most=("Gatehouse", 25))
    size = Row("binary", "MB", "≤ 30 MB", at_most=("Gatehouse", 30))
    servers = [Gatehouse(), PocketBase()]
    try:
        for server in servers:
            server.start()
            server.stop()
            size.add(server.name, server.binary.stat().st_size / 1e6)
        for _ in range(max(5, plan.rounds)):
            for server in servers:
                start.add(server.name, 1000 * server.start())
                time.sleep(1)
                idle.add(server.name, server.resident_mb())
                server.stop()
    finally:
        for server in servers:
            server.close()
    return [start, idle, size]
