"""docs/api.md, run as a reader would run it: every ```bash block, in order, against a real server.

Blocks of ```json and ```text after it are what the commands print. JSON is compared loosely: shown
members must be there, ``…`` is anything (also within a string, and as the rest of a list); each
line of text must occur, in order.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.config import PROJECT
from tests.processes import RealServer

PAGE = PROJECT / "docs" / "api.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE = "localhost:5001"
PYTHON = "$PWD/.venv/bin/python"
ANY = "…"


@dataclass
class Step:
    """A block of commands, and what the page shows of its output."""

    line: int
    commands: str
    shown: list[tuple[str, str]] = field(default_factory=list)


def read_steps(page: str) -> list[Step]:
    """The page's blocks; those that show something belong to the commands before them."""
    steps: list[Step] = []
    open_for_output = False
    for block in BLOCK.finditer(page):
        kind, content = block.groups()
        if kind == "bash":
            steps.append(Step(page.count("\n", 0, block.start()) + 1, content))
            open_for_output = True
        elif kind in ("json", "text") and open_for_output:
            steps[-1].shown.append((kind, content))
        else:
            open_for_output = False
        following = page[block.end() : block.end() + 4].lstrip("\n")
        open_for_output = open_for_output and following.startswith("```")
    return steps


def test_blocks_are_found() -> None:
    blocks = ("sh\nno\n", "bash\na\n", "json\n1\n", "text\nx\n")
    page = "".join(f"```{block}```\n" for block in blocks) + "words\n```json\n2\n```\n"
    assert read_steps(page) == [Step(4, "a\n", [("json", "1\n"), ("text", "x\n")])]


class Shell:
    """One bash for all blocks, so that variables and the folder stay."""

    def __init__(self, folder: Path, port: int) -> None:
        self._address = f"127.0.0.1:{port}"
        self._process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, commands: str) -> str:
        """What the commands print; the last one must succeed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        text = commands.replace(HERE, self._address).replace(PYTHON, sys.executable)
        self._process.stdin.write(f"{text}\nprintf '\\n<end %s>\\n' $?\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            ended = re.fullmatch(r"<end (\d+)>\n", line)
            if ended:
                output = "".join(lines)
                assert ended.group(1) == "0", output
                return output
            lines.append(line)
        raise AssertionError("the shell has ended: " + "".join(lines))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def take_shown(kind: str, shown: str, output: str) -> str:
    """Check that ``output`` goes on as shown; gives what is left of it."""
    if kind == "text":
        for line in filter(None, (line.strip() for line in shown.splitlines())):
            matched = re.search(".*?".join(re.escape(p) for p in line.split(ANY)), output, re.I)
            assert matched, f"{line!r} is not in {output!r}"
            output = output[matched.end() :]
        return output
    start = min((output.find(c) for c in "{[" if c in output), default=-1)
    assert start >= 0, f"no JSON in {output!r}"
    found, end = json.JSONDecoder().raw_decode(output[start:])
    mistakes = list_differences(json.loads(shown), found, "")
    assert mistakes == [], json.dumps(found)[:2000]
    return output[start + end :]


def list_differences(shown: Any, found: Any, place: str) -> list[str]:
    """Where ``found`` is not what is shown."""
    if shown == ANY:
        return []
    if isinstance(shown, dict) and isinstance(found, dict):
        missing = [f"{place}.{key} is missing" for key in shown if key not in found]
        return missing + [
            difference
            for key in shown
            if key in found
            for difference in list_differences(shown[key], found[key], f"{place}.{key}")
        ]
    if isinstance(shown, list) and isinstance(found, list):
        more = shown[-1:] == [ANY]
        items = shown[:-1] if more else shown
        if len(found) < len(items) or (len(found) > len(items) and not more):
            return [f"{place} has {len(found)} items"]
        return [
            difference
            for number, (one, other) in enumerate(zip(items, found, strict=False))
            for difference in list_differences(one, other, f"{place}[{number}]")
        ]
    if isinstance(shown, str) and isinstance(found, str) and ANY in shown:
        pattern = ".*".join(re.escape(part) for part in shown.split(ANY))
        return [] if re.fullmatch(pattern, found, re.DOTALL) else [f"{place} is {found!r}"]
    return [] if shown == found else [f"{place} is {found!r}, not {shown!r}"]


@pytest.mark.parametrize(
    ("shown", "found", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": "m_…"}, {"a": "m_1"}, True),
        ({"a": "m_…"}, {"a": "f_1"}, False),
        ([1, "…"], [1, 2, 3], True),
        ([1], [1, 2], False),
        ({"a": {"b": None}}, {"a": {}}, False),
        ({"a": "…"}, {"a": None}, True),
    ],
)
def test_loose_comparison(shown: Any, found: Any, same: bool) -> None:
    assert (list_differences(shown, found, "") == []) == same


def test_the_tour(tmp_path: Path) -> None:
    steps = read_steps(PAGE.read_text())
    assert len(steps) > 15
    with RealServer(tmp_path / "uploads") as server:
        shell = Shell(tmp_path, server.port)
        try:
            for step in steps:
                try:
                    output = shell.run(step.commands)
                    for kind, shown in step.shown:
                        output = take_shown(kind, shown, output)
                except AssertionError as error:
                    raise AssertionError(f"{PAGE}:{step.line}: {error}") from error
        finally:
            shell.close()
