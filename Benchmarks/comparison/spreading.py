"""How long a session that was ended at one instance is still admitted by another: from the answer to the log-out until all refuse its token."""

from __future__ import annotations

import concurrent.futures
import http.client
import threading
import time

from . import report
from .backends import Instance, Pooler, Postgres, Redis
from .instances import members
from .loads import ROTATING, by_refresh, registered, signed_in
from .rows import Plan
from .servers import Gatehouse

INSTANCES = 3
USERS = 16
# A reader that asks more often would be a load of its own.
PATIENCE = 10


class Asking:
    """A kept connection to one instance, with a session's token."""

    def __init__(self, server: Instance):
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def status(self, token: str, method: str = "GET", path: str = "/api/v1/auth/me") -> int:
        self._connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def refused_after(self, token: str, since: float) -> float:
        """Seconds; the moment at which the request was sent that was refused."""
        while True:
            asked = time.monotonic()
            if self.status(token) == 401:
                return max(0.0, asked - since)
            if asked - since > PATIENCE:
                raise RuntimeError(f"a session that has ended is admitted after {PATIENCE} s")

    def close(self) -> None:
        self._connection.close()


def lags(instances: list[Instance], sessions: list[dict]) -> list[float]:
    """For each session: milliseconds until all the others refuse it."""
    first, *others = [Asking(each) for each in instances]
    figures = []
    with concurrent.futures.ThreadPoolExecutor(len(others)) as pool:
        for session in sessions:
            token = session["access"]
            if [each.status(token) for each in others] != [200] * len(others):
                raise RuntimeError("a session is not known everywhere")
            if (status := first.status(token, "POST", "/api/v1/auth/logout")) != 204:
                raise RuntimeError(f"a log-out is answered with {status}")
            answered = time.monotonic()
            figures.append(1000 * max(pool.map(lambda each: each.refused_after(token, answered), others)))
    for each in (first, *others):
        each.close()
    return sorted(figures)


class Busy:
    """Sessions that are refreshed without a pause at the first instance, meanwhile."""

    def __init__(self, instance: Instance, emails: list[str], seconds: float):
        self._sessions = signed_in(instance, [emails[number % len(emails)] for number in range(ROTATING)])
        self._thread = threading.Thread(target=by_refresh, args=(instance.port, self._sessions, seconds))

    def __enter__(self) -> None:
        self._thread.start()
        time.sleep(0.3)

    def __exit__(self, *_) -> None:
        self._thread.join()


def section(plan: Plan, how: str) -> list[str]:
    postgres, redis = Postgres(), Redis()
    rows: dict[tuple[str, str], list[float]] = {}
    try:
        postgres.start()
        redis.start()
        pooler = Pooler(postgres)
        ways = {
            "LISTEN/NOTIFY": lambda: (postgres.url("listening"), None),
            "LISTEN/NOTIFY and Redis": lambda: (postgres.url("both"), redis.url),
            "Redis, Postgres behind PgBouncer": lambda: (pooler.url("pooled"), redis.url),
        }
        try:
            pooler.start()
            for way, make in ways.items():
                of_way(plan, way, members(INSTANCES, *make()), rows)
                print(table({key: each for key, each in rows.items() if key[0] == way}).split("\n", 2)[2], flush=True)
        finally:
            pooler.close()
    finally:
        redis.close()
        postgres.close()
    versions = {"Gatehouse": Gatehouse.version(), "PostgreSQL": postgres.version(), "Redis": redis.version()}
    return [report.taken(versions, f"{plan.samples} sessions each, {INSTANCES} instances."), table(rows)]


def of_way(plan: Plan, way: str, instances: list[Instance], rows: dict[tuple[str, str], list[float]]) -> None:
    try:
        for each in instances:
            each.start()
        emails = registered(instances[0], USERS)
        sessions = signed_in(instances[0], [emails[number % USERS] for number in range(2 * plan.samples)])
        rows[way, "nothing else"] = lags(instances, sessions[:plan.samples])
        with Busy(instances[0], emails, plan.short_seconds + 1):
            rows[way, "refreshes, as many as go"] = lags(instances, sessions[plan.samples:])
    finally:
        for each in instances:
            each.close()


def table(rows: dict[tuple[str, str], list[float]]) -> str:
    cells = [
        [way, beside, *(report.number(figures[min(len(figures) - 1, int(len(figures) * share))]) for share in (0.5, 0.99)), report.number(figures[-1])]
        for (way, beside), figures in rows.items()
    ]
    return report.table(["told by", "beside it", "p50, ms", "p99, ms", "longest, ms"], cells)
