"""Markdown pages as what they show: commands and programs to run, and what these print.

Blocks of ```json and ```text after one that runs are its output. JSON is compared loosely: shown
members must be there, ``…`` is anything (also within a string, and as the rest of a list); each
line of text must occur, in order.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("bash", "python")
NOT_RUN = re.compile(r"\A# not run by the tests: (.+)\n")
HERE = "localhost:5001"
PYTHON = "$PWD/.venv/bin/python"
ANY = "…"
LONGEST_SECONDS = 600.0


@dataclass
class Step:
    """A block that runs, and what the page shows of its output."""

    line: int
    kind: str
    commands: str
    shown: list[tuple[str, str]] = field(default_factory=list)


def read_steps(page: str) -> list[Step]:
    """The page's blocks that run; those that show something belong to the one before them."""
    steps: list[Step] = []
    open_for_output = False
    for block in BLOCK.finditer(page):
        kind, content = block.groups()
        if kind in RUN and not NOT_RUN.match(content):
            steps.append(Step(page.count("\n", 0, block.start()) + 1, kind, content))
            open_for_output = True
        elif kind in ("json", "text") and open_for_output:
            steps[-1].shown.append((kind, content))
        else:
            open_for_output = False
        following = page[block.end() : block.end() + 4].lstrip("\n")
        open_for_output = open_for_output and following.startswith("```")
    return steps


def place_in_test(commands: str, address: str) -> str:
    """What a reader would type, with the server and the Python of the tests."""
    port = address.rpartition(":")[2]
    commands = commands.replace(HERE, address).replace("--port 5001", f"--port {port}")
    return commands.replace(PYTHON, sys.executable)


class Shell:
    """One bash for all blocks, so that variables and the folder stay."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str] = {}) -> None:
        self._address = f"127.0.0.1:{port}"
        self._process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env={**os.environ, **environment},
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, commands: str) -> str:
        """What the commands print; the last one must succeed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        text = place_in_test(commands, self._address)
        self._process.stdin.write(f"{text}\nprintf '\\n<end %s>\\n' $?\n")
        self._process.stdin.flush()
        # A command that waits for ever must not stop the whole suite.
        watch = threading.Timer(LONGEST_SECONDS, self._kill)
        watch.start()
        try:
            return self._read()
        finally:
            watch.cancel()

    def _read(self) -> str:
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            ended = re.fullmatch(r"<end (\d+)>\n", line)
            if ended:
                output = "".join(lines)
                assert ended.group(1) == "0", output
                return output
            lines.append(line)
        raise AssertionError("the shell has ended: " + "".join(lines))

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and what it left running."""
        self._kill()
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
