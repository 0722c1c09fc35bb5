"""Names as exports may hold them: they come from files and people that nobody vouches for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

GHOST_NAME = "missing ancestor"


def clean_text(text: str) -> str:
    """The text with everything replaced that XML 1.0 cannot hold (section 2.2, Char), and with it
    every control character but tabs and line breaks, and lone surrogates, which are no UTF-8.
    """
    return "".join(c if _is_xml_character(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_xml_character(character: str) -> bool:
    code = ord(character)
    if code < 32:
        return character in "\t\n\r"
    return not (0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF))


def list_labels(document: Mapping[str, Any], clean: Callable[[str], str]) -> dict[str, str]:
    """Model and ghost ids -> labels that differ from each other, whatever their case.

    A name that several have is followed by the id; the id stands where nothing is left of a name.

    Parameters
    ----------
    clean : what the format makes of a text
    """
    labels = {m["id"]: clean(m["path"]) or clean(m["id"]) for m in document["models"]}
    labels |= {ghost["id"]: f"{GHOST_NAME} {ghost['id']}" for ghost in document["ghosts"]}
    while True:
        shared = Counter(label.casefold() for label in labels.values())
        if len(shared) == len(labels):
            return labels
        # An id may itself make a label that another has: hence the loop.
        labels = {
            key: f"{label} ({clean(key)})" if shared[label.casefold()] > 1 else label
            for key, label in labels.items()
        }


def get_family_ids(document: Mapping[str, Any]) -> dict[str | None, str | None]:
    """Names of families within the document -> their ids at the server, where they have any."""
    ids: dict[str | None, str | None] = {None: None}
    return ids | {f["id"]: f.get("stored_id", f["id"]) for f in document["families"]}
