"""Requests of signed-in users to Gatehouse, and what a request costs each of the programs that took part in it."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import resource

from .servers import Gatehouse
from .tools import PASSWORD, lines, median, wrk

CONNECTIONS = 64
# More than there are connections, so that none ever waits for a token.
ROTATING = 96


def signed_in(server: Gatehouse, emails: list[str]) -> list[dict]:
    """A new session of each."""

    def sign_in(email: str) -> dict:
        user = {"email": email}
        server.log_in(user)
        return user

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(sign_in, emails))


def registered(server: Gatehouse, count: int) -> list[str]:
    server.add_users(count)
    return [user["email"] for user in server.users]


def by_bearer(port: int, users: list[dict], seconds: float, path: str = "/api/v1/auth/me", connections: int = CONNECTIONS, **env) -> dict:
    tokens = lines("bearer.txt", [f"{path} {user['access']}" for user in users])
    return wrk(port, "/", seconds, connections, "bearer", TOKENS=tokens, AUTH_PREFIX="Bearer ", **env)


def by_cookie(port: int, users: list[dict], seconds: float, **env) -> dict:
    tokens = lines("cookies.txt", [f"/api/v1/auth/me {user['cookie']}" for user in users])
    return wrk(port, "/", seconds, CONNECTIONS, "bearer", TOKENS=tokens, AUTH_FIELD="Cookie", AUTH_PREFIX="", **env)


def by_refresh(port: int, sessions: list[dict], seconds: float, connections: int = CONNECTIONS, **env) -> dict:
    """Each session once: its tokens are rotated away."""
    tokens = lines("refresh.txt", [user["refresh"] for user in sessions])
    return wrk(port, "/", seconds, connections, "rotate", TOKENS=tokens, KIND="gatehouse", **env)


def by_password(port: int, emails: list[str], seconds: float, connections: int, **env) -> dict:
    return wrk(
        port, "/", seconds, connections, "login", threads=1, timeout=30, TOKENS=lines("emails.txt", emails), LOGIN=Gatehouse.log_in_path,
        FIELD=Gatehouse.log_in_field, PASSWORD=PASSWORD, **env)


@dataclasses.dataclass
class Runs:
    """Those of one kind of work in one place."""

    rates: list[float] = dataclasses.field(default_factory=list)
    p50: list[float] = dataclasses.field(default_factory=list)
    p99: list[float] = dataclasses.field(default_factory=list)
    # Microseconds of processor time for each request, of whom.
    costs: list[dict[str, float]] = dataclasses.field(default_factory=list)
    failed: int = 0

    def add(self, report: dict, costs: dict[str, float] | None = None) -> None:
        self.rates.append(report["rate"])
        self.p50.append(report["p50_us"] / 1000)
        self.p99.append(report["p99_us"] / 1000)
        self.failed += report["refused"] + report["broken"]
        if costs:
            self.costs.append({name: 1e6 * seconds / max(1, report["requests"]) for name, seconds in costs.items()})

    @property
    def rate(self) -> float:
        return median(self.rates)

    def cost(self, name: str) -> float | None:
        return median([each[name] for each in self.costs]) if self.costs and name in self.costs[0] else None


def measured(runs: Runs, parties: dict[str, list], work) -> None:
    """Runs `work` once. `parties` are those whose processor time counts, by the column that they stand in; the load's is added."""
    before = {name: sum(each.processor_seconds() for each in those) for name, those in parties.items()}
    load = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    costs = {name: sum(each.processor_seconds() for each in those) - before[name] for name, those in parties.items()}
    runs.add(report, {**costs, "load": after.ru_utime + after.ru_stime - load.ru_utime - load.ru_stime})
