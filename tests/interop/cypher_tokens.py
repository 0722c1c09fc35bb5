"""A strict reader of Cypher: enough to see that nothing leaves its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKENS = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*\n)
    | (?P<string>'(?:[^'\\\n]|\\['"\\nrtbf])*')
    | (?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign>->|<-|[-(){}\[\]:,.;=|+<>])
    """,
    re.VERBOSE | re.ASCII,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
UNICODE = re.compile(r"\\u([0-9A-Fa-f]{4})")


def read_tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) of all but spaces and comments; strings are decoded, sums of strings joined.

    Raises
    ------
    ValueError
        Where the text is not made of tokens.
    """
    tokens = list(_split(text))
    joined: list[tuple[str, str]] = []
    for token in tokens:
        if token[0] == "string" and joined[-1:] == [("sign", "+")]:
            joined.pop()
            joined[-1] = ("string", joined[-1][1] + token[1])
        else:
            joined.append(token)
    return joined


def read_statements(text: str) -> list[list[tuple[str, str]]]:
    """The tokens of each statement; all of them must end with a semicolon."""
    statements: list[list[tuple[str, str]]] = [[]]
    for token in read_tokens(text):
        if token == ("sign", ";"):
            statements.append([])
        else:
            statements[-1].append(token)
    assert statements.pop() == []
    return statements


def replace_unicode(text: str) -> str:
    """What Neo4j made of a query before 5, ahead of all else."""
    return UNICODE.sub(lambda found: chr(int(found[1], 16)), text)


def _split(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        found = TOKENS.match(text, place)
        if found is None:
            raise ValueError(f"no token at {text[place : place + 40]!r}")
        place = found.end()
        kind = str(found.lastgroup)
        if kind == "string":
            inner = found[0][1:-1]
            yield kind, re.sub(r"\\(.)", lambda e: ESCAPES.get(e[1], e[1]), inner)
        elif kind != "space":
            yield kind, found[0]
