"""The command ``delete``: tells what follows, asks, and deletes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from model_heritage_backend.cli.console import make_console, print_json
from model_heritage_backend.cli.drawing import count, printable
from model_heritage_backend.client import Client
from model_heritage_backend.errors import InvalidRequest

DONE, NOTHING_DELETED = 0, 1
NAMED = 5


def run_delete(
    targets: Sequence[tuple[str, str]],
    server: str,
    *,
    yes: bool,
    as_json: bool,
    token: str | None = None,
) -> int:
    """Delete; gives the exit code.

    Parameters
    ----------
    targets : (kind, id), the kind "model", "family" or "owner"
    yes : without asking
    """
    notes = make_console(stderr=True)
    with Client(server, token) as client:
        told = [client.weigh_deletion(**{kind: id_}) for kind, id_ in targets]
        for (_, id_), deletion in zip(targets, told, strict=True):
            notes.print(printable(f"{id_}: {describe(deletion)}"), soft_wrap=True)
        if not yes and not _ask():
            notes.print("Nothing is deleted.")
            return NOTHING_DELETED
        for kind, id_ in targets:
            _delete(client, kind, id_)
    if as_json:
        print_json([{"id": id_} | one for (_, id_), one in zip(targets, told, strict=True)])
    else:
        models = sum(deletion["models"] for deletion in told)
        make_console(stderr=False).print(f"{count(models, 'model')} deleted.")
    return DONE


def describe(deletion: dict[str, Any]) -> str:
    """What a deletion would do, in one line."""
    said = f"{count(deletion['models'], 'model')} of {deletion['bytes']:,} bytes"
    if deletion["families_ended"]:
        number = deletion["families_ended"]
        said += f", the whole of {count(number, 'family', 'families')}"
    if deletion["statements"]:
        said += f", and {count(deletion['statements'], 'correction')} by people"
    children = deletion["children"]
    if children:
        names = ", ".join(child["name"] for child in children[:NAMED])
        rest = deletion["children_total"] - NAMED
        names += f" and {rest} more" if rest > 0 else ""
        said += f"; the parents of {names} are sought again"
    return f"{said}."


def _ask() -> bool:
    if not sys.stdin.isatty():
        raise InvalidRequest("Nobody is there to agree: say --yes.")
    return typer.confirm("Delete?", err=True)


def _delete(client: Client, kind: str, id_: str) -> None:
    if kind == "model":
        client.delete_model(id_)
        return
    job = client.delete_family(id_) if kind == "family" else client.delete_models_of(id_)
    client.wait_for_job(job.id)
