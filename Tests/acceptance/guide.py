"""DEPLOYMENT.md as the tests read it: its blocks, and the commands in its text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection

from gate import ROOT

# What a command in the text begins with.
PROGRAMS = {
    "apt", "apt-get", "brotli", "chmod", "chown", "curl", "df", "gatehouse", "gzip", "install", "journalctl", "ls", "make", "openssl", "ss", "sudo", "systemctl",
    "systemd-analyze", "timedatectl", "touch", "ufw",
}


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its language, and the words behind that, by which tests know it."""

    language: str
    tags: tuple[str, ...]
    heading: str
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """Of a block of shell commands: each without its remark."""
        lines = (re.sub(r"\s+#.*", "", line).strip() for line in self.text.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def text() -> str:
    return (ROOT / "DEPLOYMENT.md").read_text()


def blocks(*languages: str) -> list[Block]:
    """In the document's order; of every language where none is named. What is indented, as in a list, is as if it were not."""
    found, heading, opened = [], "", None
    for number, line in enumerate(text().splitlines(), 1):
        fence = re.match(r"( *)```(.*)", line)
        if opened is None and line.startswith("#"):
            heading = line.lstrip("# ")
        if fence and opened is None:
            language, *tags = fence[2].split() or [""]
            opened = (language, tuple(tags), heading, len(fence[1]), number, [])
        elif fence:
            language, tags, under, _, begun, lines = opened
            found.append(Block(language, tags, under, "".join(each + "\n" for each in lines), begun))
            opened = None
        elif opened:
            opened[5].append(line[opened[3]:])
    assert opened is None, f"the block of line {opened[4]} has no end"
    return [block for block in found if not languages or block.language in languages]


def _spans(without: Collection[str] = ()) -> list[str]:
    """What stands in the text as code."""
    outside, inside, heading = [], False, ""
    for line in text().splitlines():
        if re.match(r" *```", line):
            inside = not inside
        elif not inside:
            heading = line.lstrip("# ") if line.startswith("#") else heading
            if heading not in without:
                outside.append(line)
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", "\n".join(outside))
    return sorted({re.sub(r"\s+", " ", span) for span in spans})


def inline_commands(without: Collection[str] = ()) -> list[str]:
    """The commands that stand in the text: what begins with a program and goes on. `without`: sections that are left out."""
    return [span for span in _spans(without) if " " in span and span.split()[0] in PROGRAMS]


def inline_settings() -> list[str]:
    """The settings that stand in the text with a value."""
    return [span for span in _spans() if re.match(r"[a-z_]+(\.[a-z_]+)+ = \S", span)]
