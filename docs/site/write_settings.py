"""Writes the tables of settings into their pages: ``make settings``, when one has changed."""

from __future__ import annotations

import re
from pathlib import Path

from model_heritage_backend.config_sections import format_sections_table
from model_heritage_backend.config_table import MAIN, format_settings_table
from model_heritage_backend.places import PROJECT

PAGE = PROJECT / "docs" / "settings.md"
TABLE = re.compile(r"(?:\|.*\n)*")


def put(page: Path, mark: str, table: str) -> None:
    """In the place of the table after the comment that is ``mark``."""
    text = page.read_text(encoding="utf-8")
    comment = f"<!-- {mark} -->\n"
    place = text.index(comment) + len(comment)
    old = TABLE.match(text, place)
    rest = text[old.end() if old else place :]
    page.write_text(f"{text[:place]}{table}\n{rest}", encoding="utf-8")


if __name__ == "__main__":
    put(PAGE, "settings", format_settings_table())
    put(PAGE, "sections", format_sections_table())
    put(PROJECT / "README.md", "settings", format_settings_table(MAIN))
