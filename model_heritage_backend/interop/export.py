"""The genealogy of a store as a file, in every format there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from model_heritage_backend.clustering import HeritageStore
from model_heritage_backend.interop.graphs import write_dot, write_graphml
from model_heritage_backend.interop.heritage_document import (
    DocumentModel,
    build_heritage_document,
    write_document,
)

FORMATS: Mapping[str, tuple[Callable[[Mapping[str, Any]], str], str]] = {
    "json": (write_document, "application/json"),
    "graphml": (write_graphml, "application/graphml+xml"),
    "dot": (write_dot, "text/vnd.graphviz"),
}


def export_lineage(
    store: HeritageStore, *, format: str, family_id: str | None = None
) -> tuple[str, str]:
    """The families of a store, or one of them: (content, media type).

    Raises
    ------
    NotFound
        When there is no such family.
    """
    families = store.list_families() if family_id is None else [store.get_family(family_id)]
    models = []
    for family in families:
        for member in family.tree.members:
            record = store.get_model(member)
            fingerprint = store.load_fingerprint(member)
            models.append(
                DocumentModel(
                    id=member,
                    path=record.name,
                    checksum=record.checksum,
                    total_parameters=fingerprint.total_parameters,
                    quality=fingerprint.quality,
                )
            )
    document = build_heritage_document(models, [family.tree for family in families], [])
    write, media_type = FORMATS[format]
    return write(document), media_type
