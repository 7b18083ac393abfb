"""How cost grows: with accounts and sessions, on SQLite and on Postgres; and with connections."""

from __future__ import annotations

import dataclasses
import time

from . import report
from .backends import Instance, Postgres
from .loads import CONNECTIONS, ROTATING, by_bearer, by_refresh, registered, signed_in
from .rows import Plan, own_record_file, settle
from .seeding import address, seed_postgres, seed_sqlite
from .servers import Gatehouse
from .tools import call, median, wrk

# Accounts that are used: as many of any number, so that each has as many sessions from here.
USERS = 10
# How often a single request is asked, and how many sessions an account has more when all of them are ended.
SINGLE, MORE = 40, 3


@dataclasses.dataclass
class Size:
    """One line of the table."""

    place: str
    users: int
    sessions: int
    start_ms: float = 0
    idle_mb: float = 0
    sign_in_ms: list[float] = dataclasses.field(default_factory=list)
    who_am_i: list[float] = dataclasses.field(default_factory=list)
    refresh: list[float] = dataclasses.field(default_factory=list)
    listing: list[float] = dataclasses.field(default_factory=list)
    ending_ms: list[float] = dataclasses.field(default_factory=list)
    loaded_mb: float = 0


def timed(work) -> float:
    """Milliseconds."""
    begun = time.monotonic()
    work()
    return 1000 * (time.monotonic() - begun)


def section(plan: Plan, how: str) -> list[str]:
    postgres = Postgres()
    sizes: list[Size] = []
    try:
        postgres.start()
        for users, sessions in plan.many:
            for place in ("SQLite", "Postgres"):
                sizes.append(Size(place, users, sessions))
                of_size(plan, sizes[-1], postgres)
                print(sizes_table(sizes[-1:]).split("\n", 2)[2], flush=True)
    finally:
        postgres.close()
    connections = with_connections(plan)
    versions = {"Gatehouse": Gatehouse.version(), "PostgreSQL": postgres.version()}
    how = f"{plan.short_rounds} rounds of {plan.short_seconds:g} s each, {CONNECTIONS} connections; sign-ins and ends of sessions {SINGLE}, one after the other; "
    how += f"{USERS} accounts are used."
    return [report.taken(versions, how), sizes_table(sizes), connections_table(connections)]


def of_size(plan: Plan, size: Size, postgres: Postgres) -> None:
    name = f"of_{size.users}_{size.sessions}"
    server = Instance(size.place, postgres.url(name) if size.place == "Postgres" else None)
    try:
        server.start()
        (template,) = registered(server, 1)
        server.stop()
        if size.place == "Postgres":
            seed_postgres(postgres, name, template, size.users, size.sessions)
        else:
            seed_sqlite(server, template, size.users, size.sessions)
        size.start_ms = 1000 * server.start()
        time.sleep(1)
        size.idle_mb = server.resident_mb()
        # Over all of them, so that they do not lie side by side.
        emails = [address(number * size.users // USERS) for number in range(USERS)]
        size.sign_in_ms = sorted(timed(lambda: signed_in(server, [emails[number % USERS]])) for number in range(SINGLE))
        users = signed_in(server, [emails[number % USERS] for number in range(64)])
        for _ in range(plan.short_rounds):
            settle([server], patience=3)
            size.who_am_i.append(by_bearer(server.port, users, plan.short_seconds)["rate"])
            size.listing.append(by_bearer(server.port, users, plan.short_seconds, "/api/v1/auth/sessions")["rate"])
            rotating = signed_in(server, [emails[number % USERS] for number in range(ROTATING)])
            size.refresh.append(by_refresh(server.port, rotating, plan.short_seconds)["rate"])
        size.ending_ms = sorted(
            timed(lambda: end_others(server, user))
            for _ in range(SINGLE // USERS) for user in signed_in(server, emails * (1 + MORE))[-USERS:])
        size.loaded_mb = server.resident_mb()
    finally:
        server.close()


def end_others(server: Gatehouse, user: dict) -> None:
    status, body = call(server.port, "DELETE", "/api/v1/auth/sessions", headers={"Authorization": f"Bearer {user['access']}"})
    assert status == 204, (status, body)


def with_connections(plan: Plan) -> list[tuple[int, float, float, float]]:
    """For each count: requests a second, p50 and p99 in ms, memory after it."""
    server = Gatehouse()
    measured = []
    try:
        server.start()
        server.add_users(USERS)
        for count in plan.many_connections:
            runs = [
                wrk(server.port, "/", plan.short_seconds, count, "bearer", TOKENS=own_record_file(server), AUTH_PREFIX="Bearer ")
                for _ in range(plan.short_rounds)
            ]
            p50, p99 = (median([run[figure] for run in runs]) / 1000 for figure in ("p50_us", "p99_us"))
            measured.append((count, median([run["rate"] for run in runs]), p50, p99, server.resident_mb()))
    finally:
        server.close()
    return measured


def percentiles(figures: list[float]) -> str:
    return f"{report.number(median(figures))}, {report.number(figures[int(len(figures) * 0.99)])}" if figures else ""


def sizes_table(sizes: list[Size]) -> str:
    return report.table(
        ["users", "live sessions", "on", "start, ms", "idle, MB", "sign-in p50, p99, ms", "who am I/s", "refreshes/s", "lists of sessions/s",
         "ending all others p50, p99, ms", "then, MB"],
        [
            [report.number(size.users), report.number(size.sessions), size.place, report.number(size.start_ms), report.number(size.idle_mb),
             percentiles(size.sign_in_ms), *(report.median_of(each) for each in (size.who_am_i, size.refresh, size.listing)), percentiles(size.ending_ms),
             report.number(size.loaded_mb)]
            for size in sizes
        ])


def connections_table(measured: list[tuple]) -> str:
    return report.table(["connections", "who am I/s", "p50, ms", "p99, ms", "then, MB"], [[report.number(figure) for figure in line] for line in measured])
