"""Our docstrings have ``name : what it is`` on one line, which numpydoc would take for a type."""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTION = re.compile(
    r"(?P<head>^(?:Parameters|Attributes)\n-+\n)(?P<body>.*?)(?=^\S[^\n]*\n-{3,}$|\Z)",
    re.MULTILINE | re.DOTALL,
)
ENTRY = re.compile(r"^(?P<names>[\w*][\w*, ]*?) : (?P<text>.+)$", re.MULTILINE)


class OneLineEntries(griffe.Extension):
    """Puts what an entry says below its name."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = SECTION.sub(_part, obj.docstring.value)


def _part(section: re.Match[str]) -> str:
    return section["head"] + ENTRY.sub(r"\g<names>\n    \g<text>", section["body"])
