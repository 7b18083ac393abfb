"""The Markdown that `make bench` leaves."""

from __future__ import annotations

import datetime
import os
import pathlib
import platform
import re
import subprocess

from .rows import Row
from .peers import PeersRow
from .tools import CORES, median


# What a section begins with when a request has become dearer than it was: `make bench` fails then.
DEARER = "**Dearer than before:** "


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 1e6
    release = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return f"{model[1] if model else platform.machine()}, {CORES} cores, {memory:.0f} GB, {release[1]}, Linux {platform.release()}"


def revision() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=pathlib.Path(__file__).parent)
    return done.stdout.strip() or "unknown"


def number(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(row: Row, server: str) -> str:
    """The median, and between which figures the rounds lay."""
    return median_and_range(row.figures.get(server, []))


def median_of(figures: list[float]) -> str:
    return number(median(figures)) if figures else ""


def median_and_range(figures: list[float]) -> str:
    if not figures:
        return ""
    text = median_of(figures)
    return text if len(figures) == 1 else f"{text} ({number(min(figures))} to {number(max(figures))})"


def verdict(row: Row) -> str:
    reached = row.is_reached()
    return "" if reached is None else "reached" if reached else "**missed**"


def table(header: list[str], cells: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *cells])


def peer_cell(row: Row) -> str:
    """The peer's figure; where it is not PocketBase, with its name."""
    peer = row.at_least[1] if row.at_least else "PocketBase"
    figure = spread(row, peer)
    return figure if peer == "PocketBase" or not figure else f"{peer}: {figure}"


def rows_table(rows: list[Row]) -> str:
    cells = []
    for row in rows:
        ratio = row.ratio()
        told = f"{ratio:.2f}" if ratio is not None else ""
        cells.append([row.name, row.unit, spread(row, "Gatehouse"), peer_cell(row), told, row.mark, verdict(row)])
    return table(["work", "unit", "Gatehouse", "PocketBase", "ratio", "mark", ""], cells)


def inside_tables(inside: dict[str, dict]) -> str:
    parts = []
    for name, figures in inside.items():
        cells = [[f"`{key}`", number(value) if isinstance(value, (int, float)) else str(value)] for key, value in figures.items()]
        parts.append(f"`{name}`:\n\n{table(['figure', ''], cells)}")
    return "\n\n".join(parts)


def peers_table(rows: list[PeersRow], peers: tuple[str, ...] = ("nginx", "Caddy")) -> str:
    cells = []
    for row in rows:
        ratios = [f"{ratio:.2f}" if (ratio := row.ratio_to(peer)) else "" for peer in peers]
        cells.append([row.name, row.unit, *(spread(row, name) for name in ("Gatehouse", *peers)), *ratios, row.mark, verdict(row)])
    return table(["work", "unit", "Gatehouse", *peers, *(f"to {peer}" for peer in peers), "mark", ""], cells)


def costs_table(rows: list[PeersRow], peers: tuple[str, ...] = ("nginx", "Caddy")) -> str:
    columns = ("Gatehouse", *peers, "load")
    cells = [[row.name, *(median_of(row.costs.get(column, [])) for column in columns)] for row in rows if row.costs]
    return "Processor time for each request, µs, of all processes of each; the load's is beside it on the same cores:\n\n" + table(["work", *columns], cells)


def taken(versions: dict[str, str], how: str) -> str:
    return (
        f"Taken {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC at {revision()} on {machine()}; "
        f"load average {os.getloadavg()[0]:.1f} at the end; " + ", ".join(f"{name} {version}" for name, version in versions.items()) + f". {how}")


def judged(rows: list[Row]) -> list[str]:
    """The marks that were missed, and what failed in a run."""
    missed = [row for row in rows if row.is_reached() is False]
    notes = [f"{row.name}: {row.note.strip()}" for row in rows if row.note]
    return [
        "Missed: " + "; ".join(row.name for row in missed) + "." if missed else "Every mark above is reached.",
        *(["What failed in a run: " + " ".join(notes)] if notes else [])]


# What writes a section between its marks, unless told.
BENCH = "make bench"


def _parts(path: pathlib.Path, name: str, writer: str) -> tuple[str, str, str]:
    """What stands before, between and behind the marks of a section."""
    before, rest = path.read_text().split(f"<!-- {name}: written by {writer} -->")
    between, after = rest.split(f"<!-- end of {name} -->")
    return before, between, after


def section(path: pathlib.Path, name: str) -> str:
    return _parts(path, name, BENCH)[1]


def replace(path: pathlib.Path, name: str, *parts: str, writer: str = BENCH) -> str:
    text = "\n\n".join(part for part in parts if part)
    before, _, after = _parts(path, name, writer)
    path.write_text(f"{before}<!-- {name}: written by {writer} -->\n\n{text}\n\n<!-- end of {name} -->{after}")
    return text


def figures(rows: list[Row], inside: dict[str, dict], versions: dict[str, str], how: str) -> list[str]:
    return [
        taken(versions, how),
        rows_table(rows),
        *judged(rows),
        *(["### Inside the process\n\n" + inside_tables(inside)] if inside else []),
    ]
