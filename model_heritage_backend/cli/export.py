"""The command ``export``: a genealogy in another format."""

from __future__ import annotations

from pathlib import Path

from model_heritage_backend.cli.console import (
    check_writable,
    make_console,
    write_out,
    write_text,
)
from model_heritage_backend.cli.page import write_page
from model_heritage_backend.cli.source import find_model, is_address, load_document, name_source
from model_heritage_backend.errors import InvalidRequest

PAGE, CARD = "html", "model-card"
OF_A_SERVER = ("mergekit", "cypher")
"""Formats that need more than the heritage document has."""


def run_export(
    where: str, format: str, *, model: str | None, output: Path | None, token: str | None = None
) -> int:
    """Write the genealogy to a file, or to standard output.

    Parameters
    ----------
    format : one of ``interop.export.FORMATS``, or "html"
    model : whose line it is of, on a server; whose card it is

    Raises
    ------
    HeritageError
    """
    if output is not None:
        check_writable(output)
    text = _export(where, format, model, token)
    if output is None:
        write_out(text)
    else:
        write_text(output, text)
    return 0


def _export(where: str, format: str, model: str | None, token: str | None) -> str:
    notes = make_console(stderr=True)
    if is_address(where) and format != PAGE:
        from model_heritage_backend.client import Client

        with Client(where, token) as client:
            # Names are looked up there; an id is one itself.
            found = None if model is None else client.find_model(model)
            return client.export(format, model=found.id if found else model)
    if format in OF_A_SERVER:
        raise InvalidRequest(f"{format} is written of a server's models only.")
    document = load_document(where, notes, token=token)
    if format == PAGE:
        return write_page(document, title=name_source(where), sizes={})
    from model_heritage_backend.interop.export import DOCUMENT_WRITERS
    from model_heritage_backend.interop.model_card import write_model_card

    if format == CARD:
        if model is None:
            raise InvalidRequest("A model card is of one model: name it with --model.")
        return write_model_card(document, find_model(document, model)["id"])
    if model is not None:
        raise InvalidRequest("--model is for model cards, and for exports of a server.")
    return DOCUMENT_WRITERS[format](document)
