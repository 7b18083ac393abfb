"""The figures inside the process: what the programs in Sources print, and the storage against a bare C loop."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile

from .rows import Plan, Row
from .tools import HERE, RESULTS, ROOT

PROGRAMS = ("limits-bench", "crypto-bench", "identity-bench")


def built(product: str) -> pathlib.Path:
    subprocess.run([ROOT / "scripts/build-release", product], check=True, stdout=subprocess.DEVNULL)
    return ROOT / ".build/release" / product


def told(command: list) -> dict:
    """The last line of its output, one JSON object."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _flattened(figures: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in figures.items():
        flat |= _flattened(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def figures() -> dict[str, dict]:
    RESULTS.mkdir(exist_ok=True)
    # One of them has a database, and is told where.
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        return {name: _flattened(told([built(name), folder])) for name in PROGRAMS}


def storage(plan: Plan) -> list[Row]:
    """Durable writes of so many tasks, against a bare C loop with as many rows to a commit, each in a savepoint too."""
    program = built("storage-bench")
    baseline = RESULTS / "storage-baseline"
    source = HERE / "Sources/storage-bench/storage-baseline.c"
    RESULTS.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O2", "-o", baseline, source, "-l:libsqlite3.a", "-lm", "-lpthread", "-ldl"], check=True)
    seconds = max(1, round(plan.seconds / 2))
    measured = []
    # A commit of Gatehouse holds 512 writes at most.
    for writers, rows in ((1, 1), (64, 64), (1000, 512)):
        row = Row(f"durable writes, {writers} at once", "writes/s", "≥ 0.8 of a bare C loop", at_least=("Gatehouse", "bare C loop", 0.8))
        for _ in range(plan.rounds):
            # On the file system of the checkout: /tmp may be memory.
            with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
                row.add("Gatehouse", told([program, folder, seconds, writers])["writes_per_second"])
                row.add("bare C loop", told([baseline, folder, rows, seconds, 1])["writes_per_second"])
        measured.append(row)
    return measured
