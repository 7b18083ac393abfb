"""How cost grows: with users, with sessions, with connections."""

from __future__ import annotations

import dataclasses
import time

from .rows import Plan, own_record_file, rotating_file
from .servers import Gatehouse
from .tools import median, wrk


@dataclasses.dataclass
class Growth:
    """One line of the table: what there is so many of, and what the work costs then."""

    what: str
    count: int
    start_ms: float
    idle_mb: float
    own_record: float
    refresh: float | None = None
    p99_ms: float | None = None
    loaded_mb: float | None = None


def _measured(plan: Plan, server: Gatehouse, what: str, count: int) -> Growth:
    start = server.start()
    time.sleep(1)
    idle = server.resident_mb()
    own, rotated = [], []
    for _ in range(max(3, plan.rounds // 2)):
        own.append(wrk(server.port, "/", plan.seconds / 2, 64, "bearer", TOKENS=own_record_file(server), AUTH_PREFIX="Bearer "))
        tokens = rotating_file(server)
        rotated.append(wrk(server.port, "/", plan.seconds / 2, 64, "rotate", TOKENS=tokens, KIND="gatehouse")["rate"])
    return Growth(
        what, count, 1000 * start, idle, median([run["rate"] for run in own]), median(rotated),
        median([run["p99_us"] for run in own]) / 1000, server.resident_mb())


def with_rows(plan: Plan, table: str, counts: tuple[int, ...]) -> list[Growth]:
    measured = []
    for count in counts:
        server = Gatehouse()
        try:
            server.start()
            server.add_users(min(count, plan.users))
            server.stop()
            server.multiply(table, count)
            measured.append(_measured(plan, server, table, count))
        finally:
            server.close()
    return measured


def with_connections(plan: Plan) -> list[Growth]:
    server = Gatehouse()
    measured = []
    try:
        start = server.start()
        server.add_users(plan.users)
        idle = server.resident_mb()
        for count in plan.many_connections:
            runs = [
                wrk(server.port, "/", plan.seconds, count, "bearer", TOKENS=own_record_file(server), AUTH_PREFIX="Bearer ")
                for _ in range(max(3, plan.rounds // 2))
            ]
            measured.append(Growth(
                "connections", count, 1000 * start, idle, median([run["rate"] for run in runs]),
                p99_ms=median([run["p99_us"] for run in runs]) / 1000, loaded_mb=server.resident_mb()))
    finally:
        server.close()
    return measured
