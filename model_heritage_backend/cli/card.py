"""The command ``card``: a model's parents as the head of its Hugging Face model card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from model_heritage_backend.cli.console import make_console, print_json, write_out, write_text
from model_heritage_backend.cli.source import find_model, load_document
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.model_card import write_model_card

BEGIN, END = "# Model Heritage: from here", "# Model Heritage: to here"
CLAIMS = ("base_model", "base_model_relation")
HEAD = re.compile(r"\A---[ \t]*\n(.*?)(?:^---[ \t]*$\n?)", re.DOTALL | re.MULTILINE)
DONE, NOTHING_CLAIMED = 0, 3


def run_card(
    name: str, where: str, *, write: Path | None, as_json: bool, token: str | None = None
) -> int:
    """Print the head, or put it into a file; gives the exit code.

    Raises
    ------
    HeritageError
        When there is no such model, or the file's own head is no YAML.
    """
    notes = make_console(stderr=True)
    document = load_document(where, notes, token=token)
    card = write_model_card(document, find_model(document, name)["id"])
    claims = _parse(_take_head(card))
    if as_json:
        print_json({key: claims[key] for key in CLAIMS if key in claims})
    elif write is None:
        write_out(card)
    if write is not None:
        old = _read(write) if write.exists() else ""
        write_text(write, merge_card(old, card))
        before = _parse(_take_head(old)).get("base_model")
        if claims and before is not None and before != claims["base_model"]:
            notes.print(f"base_model was {before!r} before.")
        notes.print(
            f"{write}: written."
            if claims
            else f"{write}: no parent is sure enough to be claimed; what it claimed stays."
        )
    return DONE if claims else NOTHING_CLAIMED


def merge_card(text: str, card: str) -> str:
    """A model card with the head's claims of another; everything else stays as it is.

    Parameters
    ----------
    text : a README, with or without a head; may be empty
    card : a head alone, as ``write_model_card`` gives it

    Raises
    ------
    InvalidRequest
        When the README's head is no YAML mapping.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    head, new = _take_head(plain), _take_head(card)
    body = plain[match.end() :] if (match := HEAD.match(plain)) else plain
    before, claims = _parse(head), _parse(new)
    kept = _remove_block(head.splitlines())
    if claims:
        kept = _remove_keys(kept)
    lines = ["---", *kept, BEGIN, *new.splitlines(), END, "---"]
    merged = "\n".join(lines) + "\n" + body
    after = _parse(_take_head(merged))
    wanted = {key: value for key, value in before.items() if not (claims and key in CLAIMS)}
    if after != {**wanted, **claims}:
        raise InvalidRequest("The head of this file is written in a way that cannot be kept.")
    return merged.replace("\n", ending)


def _take_head(text: str) -> str:
    match = HEAD.match(text.replace("\r\n", "\n"))
    return match[1] if match else ""


def _parse(head: str) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidRequest("The head of this file is not valid YAML.") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidRequest("The head of this file is no list of names and values.")
    return content


def _remove_block(lines: list[str]) -> list[str]:
    """Without what was written here before."""
    if BEGIN not in lines or END not in lines:
        return lines
    return lines[: lines.index(BEGIN)] + lines[lines.index(END) + 1 :]


def _remove_keys(lines: list[str]) -> list[str]:
    """Without the claims that are replaced: a key, and the lines that go on with its value."""
    kept, inside = [], False
    for line in lines:
        if re.match(r"[^\s#-]", line):
            inside = line.partition(":")[0].strip("\"' ") in CLAIMS
        elif line.startswith("#"):
            inside = False
        if not inside:
            kept.append(line)
    return kept


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is no UTF-8 text.") from None
