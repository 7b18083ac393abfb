"""One, two and three instances on one Postgres and one Redis, behind nginx and behind the gateway of one of them: what they answer together, and
the processor time that each request costs each program."""

from __future__ import annotations

import pathlib

from . import report
from .backends import Instance, Postgres, Redis
from .loads import CONNECTIONS, ROTATING, Runs, by_bearer, by_refresh, measured, registered, signed_in
from .peers import Nginx
from .rows import Plan, settle
from .servers import Gatehouse

USERS = 64
COUNTS = (1, 2, 3)
# The host that the gateway spreads over the instances. Under any other each answers by itself.
SPREAD = "gate.test"
DOORS = ("none", "nginx", "gateway")


class Member(Instance):
    """`ports` are those that it spreads requests over."""

    ports: tuple[int, ...] = ()

    def command(self):
        command = super().command()
        if self.ports:
            path = pathlib.Path(command[-1])
            instances = ", ".join(f'"http://127.0.0.1:{port}"' for port in self.ports)
            text = path.read_text().replace("[listen]\n", '[listen]\ntrusted_proxies = ["127.0.0.1/32"]\n', 1)
            path.write_text(text + f'[[site]]\nhost = ["{SPREAD}"]\ninstances = [{instances}]\n')
        return command


class Balancer(Nginx):
    def __init__(self, ports: list[int]):
        super().__init__()
        self.ports = ports

    def http(self):
        servers = " ".join(f"server 127.0.0.1:{port};" for port in self.ports)
        return f"""
    upstream gatehouse {{ {servers} keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{self.port};
        location / {{
            proxy_pass http://gatehouse;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}"""

    def _serves(self):
        return True


def members(count: int, database: str, redis: str | None, is_spread: bool = False) -> list[Member]:
    """With one configuration, which makes each of them a gateway for all where it is to be spread."""
    made: list[Member] = []
    for _ in range(count):
        made.append(Member(f"instance {len(made) + 1}", database, redis, made[0] if made else None))
    for each in made if is_spread else []:
        each.ports = tuple(each.port for each in made)
    return made


def section(plan: Plan, how: str) -> list[str]:
    postgres, redis = Postgres(), Redis()
    runs: dict[tuple[str, int, str], Runs] = {}
    try:
        postgres.start()
        redis.start()
        for count in COUNTS:
            of_count(plan, count, members(count, postgres.url(f"of_{count}"), redis.url, is_spread=True), postgres, redis, runs)
            print(table({key: each for key, each in runs.items() if key[1] == count}).split("\n", 2)[2], flush=True)
    finally:
        redis.close()
        postgres.close()
    versions = {"Gatehouse": Gatehouse.version(), "nginx": Nginx.version(), "PostgreSQL": postgres.version(), "Redis": redis.version()}
    how = f"{plan.short_rounds} rounds of {plan.short_seconds:g} s each, {CONNECTIONS} connections."
    failed = [f"{key}: {each.failed}" for key, each in runs.items() if each.failed]
    return [report.taken(versions, how), table(runs), f"Failed requests: {'; '.join(failed)}." if failed else ""]


def of_count(plan: Plan, count: int, instances: list[Member], postgres: Postgres, redis: Redis, runs: dict) -> None:
    nginx = Balancer([each.port for each in instances])
    try:
        for each in [*instances, nginx]:
            each.start()
        first = instances[0]
        emails = registered(first, USERS)
        users = signed_in(first, emails)
        doors = {"none": (first.port, {}), "nginx": (nginx.port, {}), "gateway": (first.port, {"REQUEST_HOST": SPREAD})}
        if count > 1:
            del doors["none"]
        parties = {"Gatehouse": instances, "nginx": [nginx], "Postgres": [postgres], "Redis": [redis]}
        works = {
            "who am I": lambda port, env, sessions: by_bearer(port, users, plan.short_seconds, **env),
            "token refresh": lambda port, env, sessions: by_refresh(port, sessions, plan.short_seconds, **env),
        }
        for work, run in works.items():
            for _ in range(plan.short_rounds):
                for door, (port, env) in doors.items():
                    # Fresh ones, since a run leaves those of the last one rotated.
                    sessions = signed_in(first, [emails[number % USERS] for number in range(ROTATING)]) if work == "token refresh" else []
                    settle([*instances, postgres, redis], patience=5)
                    measured(runs.setdefault((work, count, door), Runs()), parties, lambda: run(port, env, sessions))
    finally:
        for each in [nginx, *instances]:
            each.close()


def table(runs: dict[tuple[str, int, str], Runs]) -> str:
    parties = ("Gatehouse", "nginx", "Postgres", "Redis", "load")
    cells = [
        [work, str(count), door, report.median_and_range(each.rates), report.median_of(each.p50), report.median_of(each.p99),
         *(report.number(each.cost(party)) for party in parties)]
        for (work, count, door), each in sorted(runs.items(), key=lambda entry: (entry[0][0] != "who am I", entry[0][1], DOORS.index(entry[0][2])))
    ]
    return report.table(["work", "instances", "behind", "a second", "p50, ms", "p99, ms", *(f"{party}, µs" for party in parties)], cells)
