"""docs/api.md, run as a reader would run it: every command, in order, against a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.config import PROJECT
from tests.documents import Shell, Step, list_differences, read_steps, take_shown
from tests.processes import RealServer

PAGE = PROJECT / "docs" / "api.md"


def test_blocks_are_found() -> None:
    skipped = "bash\n# not run by the tests: a reason\nno\n"
    blocks = (skipped, "bash\na\n", "json\n1\n", "text\nx\n")
    page = "".join(f"```{block}```\n" for block in blocks) + "words\n```json\n2\n```\n"
    assert read_steps(page) == [Step(5, "bash", "a\n", [("json", "1\n"), ("text", "x\n")])]


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
