"""Gatehouse on SQLite, on Postgres, and on Postgres with limits counted in Redis: the same requests, every write on disk before it is answered."""

from __future__ import annotations

from . import report
from .backends import Instance, Postgres, Redis
from .loads import CONNECTIONS, ROTATING, Runs, by_bearer, by_cookie, by_password, by_refresh, measured, registered, signed_in
from .rows import Plan, settle
from .servers import Gatehouse
from .tools import CORES

USERS = 64
PLACES = ("SQLite", "Postgres", "Postgres and Redis")
KINDS = {
    "who am I, bearer token": lambda server, users, emails, seconds: by_bearer(server.port, users, seconds),
    "who am I, cookie": lambda server, users, emails, seconds: by_cookie(server.port, users, seconds),
    "token refresh": lambda server, users, emails, seconds: by_refresh(
        server.port, signed_in(server, [emails[number % len(emails)] for number in range(ROTATING)]), seconds),
    "token refresh, one at a time": lambda server, users, emails, seconds: by_refresh(server.port, signed_in(server, emails[:4]), seconds, 1),
    f"sign-in, bcrypt cost 10, {2 * CORES} at once": lambda server, users, emails, seconds: by_password(server.port, emails, seconds, 2 * CORES),
}


def section(plan: Plan, how: str) -> list[str]:
    postgres, redis = Postgres(), Redis()
    servers: dict[str, Instance] = {}
    runs = {kind: {place: Runs() for place in PLACES} for kind in KINDS}
    try:
        postgres.start()
        redis.start()
        servers = {
            "SQLite": Instance("SQLite"),
            "Postgres": Instance("Postgres", postgres.url("alone")),
            "Postgres and Redis": Instance("Postgres and Redis", postgres.url("with_redis"), redis.url),
        }
        people = {}
        for place, server in servers.items():
            server.start()
            emails = registered(server, USERS)
            people[place] = (signed_in(server, emails), emails)
        for kind, work in KINDS.items():
            for _ in range(plan.short_rounds):
                for place, server in servers.items():
                    settle([*servers.values(), postgres, redis], patience=5)
                    # What a run needs before it, fresh sessions, is part of neither its time nor its cost.
                    measured(runs[kind][place], {}, lambda: work(server, *people[place], plan.short_seconds))
            print(table({kind: runs[kind]}).split("\n", 2)[2], flush=True)
    finally:
        for each in [*servers.values(), redis, postgres]:
            each.close()
    versions = {"Gatehouse": Gatehouse.version(), "PostgreSQL": postgres.version(), "Redis": redis.version()}
    how = f"{plan.short_rounds} rounds of {plan.short_seconds:g} s each, {CONNECTIONS} connections unless told."
    return [report.taken(versions, how), table(runs), *failures(runs)]


def table(runs: dict[str, dict[str, Runs]]) -> str:
    cells = []
    for kind, places in runs.items():
        base = places["SQLite"].rate
        cells += [
            [kind if place == "SQLite" else "", place, report.median_and_range(each.rates), report.median_of(each.p50), report.median_of(each.p99),
             "" if place == "SQLite" or not base else f"{each.rate / base:.2f}"]
            for place, each in places.items()
        ]
    return report.table(["work", "on", "a second", "p50, ms", "p99, ms", "to SQLite"], cells)


def failures(runs: dict[str, dict[str, Runs]]) -> list[str]:
    failed = [f"{kind} on {place}: {each.failed}" for kind, places in runs.items() for place, each in places.items() if each.failed]
    return [f"Failed requests: {'; '.join(failed)}."] if failed else []
