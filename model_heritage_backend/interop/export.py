"""The genealogy as a file, in every format there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.cypher import write_cypher
from model_heritage_backend.interop.graphs import (
    write_dot,
    write_gexf,
    write_graphml,
    write_node_link,
)
from model_heritage_backend.interop.heritage_document import write_document
from model_heritage_backend.interop.lineage import Lineage
from model_heritage_backend.interop.merge_recipe import find_dtype, write_merge_recipes
from model_heritage_backend.interop.ml_bom import write_ml_bom
from model_heritage_backend.interop.model_card import write_model_card
from model_heritage_backend.interop.newick import write_newick
from model_heritage_backend.interop.table import write_csv

FILE_STEM = "heritage"


@dataclass(frozen=True)
class Format:
    """How a lineage is written, under which media type, with which ending of the file's name."""

    write: Callable[[Lineage], str]
    media_type: str
    ending: str


@dataclass(frozen=True)
class ExportedFile:
    content: str
    media_type: str
    filename: str


DOCUMENT_WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "json": write_document,
    "node-link": write_node_link,
    "graphml": write_graphml,
    "gexf": write_gexf,
    "dot": write_dot,
    "newick": write_newick,
    "csv": write_csv,
    "cyclonedx": write_ml_bom,
}
"""What needs no more than the heritage document."""


def _of_document(name: str) -> Callable[[Lineage], str]:
    return lambda lineage: DOCUMENT_WRITERS[name](lineage.document)


def _write_recipes(lineage: Lineage) -> str:
    return write_merge_recipes(
        lineage.trees,
        (model["id"] for model in lineage.document["models"]),
        lineage.names,
        dtypes={model: find_dtype(sizes) for model, sizes in lineage.dtypes.items()},
    )


def _write_card(lineage: Lineage) -> str:
    if lineage.subject is None:
        raise InvalidRequest("A model card is of one model: name it with model=.")
    return write_model_card(lineage.document, lineage.subject)


FORMATS: Mapping[str, Format] = {
    "json": Format(_of_document("json"), "application/json", "json"),
    "node-link": Format(_of_document("node-link"), "application/json", "node-link.json"),
    "graphml": Format(_of_document("graphml"), "application/graphml+xml", "graphml"),
    "gexf": Format(_of_document("gexf"), "application/gexf+xml", "gexf"),
    "dot": Format(_of_document("dot"), "text/vnd.graphviz", "dot"),
    "newick": Format(_of_document("newick"), "text/x-nh", "nwk"),
    "csv": Format(_of_document("csv"), "text/csv", "csv"),
    "mergekit": Format(_write_recipes, "application/yaml", "mergekit.yaml"),
    "cypher": Format(write_cypher, "application/x-cypher-query", "cypher"),
    "cyclonedx": Format(
        lambda lineage: write_ml_bom(lineage.document, subject=lineage.subject),
        "application/vnd.cyclonedx+json",
        "cdx.json",
    ),
    "model-card": Format(_write_card, "text/markdown", "md"),
}


def write_export(lineage: Lineage, format: str) -> ExportedFile:
    """The lineage in one of ``FORMATS``.

    Raises
    ------
    InvalidRequest
        When the format is of one model and the lineage is not.
    """
    chosen = FORMATS[format]
    return ExportedFile(
        content=chosen.write(lineage),
        media_type=chosen.media_type,
        filename=f"{FILE_STEM}.{chosen.ending}",
    )
