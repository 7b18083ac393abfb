"""Decisions of the limiter, in process and through Redis on the same machine: how many a second, and how long one takes."""

from __future__ import annotations

import re
import tempfile

from . import report
from .backends import DURABLE, Redis
from .inside import built, told
from .rows import Plan
from .servers import Gatehouse
from .tools import median

PLACES = {"process": "in process", "tcp": "Redis, loopback", "unix": "Redis, Unix socket"}
FIGURES = ("decisions_per_second", "p50_nanoseconds", "p99_nanoseconds")


def section(plan: Plan, how: str) -> list[str]:
    program = built("limits-bench")
    runs = []
    for _ in range(plan.short_rounds):
        with tempfile.TemporaryDirectory(dir=DURABLE) as folder:
            run = told([program, "decisions", folder, plan.short_seconds / 2])
            runs.append(run | run["redis"])
    cells = []
    for place, name in PLACES.items():
        for row in runs[0][place]:
            rates, p50, p99 = ([run[place][row][figure] for run in runs] for figure in FIGURES)
            cells.append([name, *_said(row), report.median_and_range(rates), report.number(median(p50) / 1000), report.number(median(p99) / 1000)])
    versions = {"Gatehouse": Gatehouse.version(), "Redis": Redis.version()}
    how = f"{plan.short_rounds} rounds; {plan.short_seconds / 2:g} s each through Redis."
    return [report.taken(versions, how), report.table(["counted", "policies", "at once", "keys", "decisions/s", "p50, µs", "p99, µs"], cells)]


def _said(row: str) -> list[str]:
    policies, at_once, million = re.fullmatch(r"(\d+)_policies_(\d+)_at_once(_1m_keys)?", row).groups()
    return [policies, at_once, report.number(1_000_000) if million else at_once]
