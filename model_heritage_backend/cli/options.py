"""Options that several commands share, so that they are named and explained alike.

Imports nothing but typer, as every ``--help`` waits for it.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Method(StrEnum):
    """The values of TreeBuildingMethod, which is not imported for its names alone."""

    HERITAGE = "heritage"
    MOTHER = "mother"
    DISTANCE_ONLY = "distance_only"
    KURTOSIS_ONLY = "kurtosis_only"


Folder = Annotated[
    Path,
    typer.Argument(exists=True, file_okay=False, readable=True, help="Folder with checkpoints."),
]


class Format(StrEnum):
    """Those of interop.export, and the page; a test holds the two together."""

    HTML = "html"
    JSON = "json"
    NODE_LINK = "node-link"
    GRAPHML = "graphml"
    GEXF = "gexf"
    DOT = "dot"
    NEWICK = "newick"
    CSV = "csv"
    MERGEKIT = "mergekit"
    CYPHER = "cypher"
    CYCLONEDX = "cyclonedx"
    MODEL_CARD = "model-card"


MODEL_HELP = "A model there: path, file name, id, or the beginning of its checksum."
Named = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)]
Within = Annotated[
    str,
    typer.Option(
        "--in",
        metavar="WHERE",
        help="A folder, a document of scan --json, or a server's address.",
    ),
]
Checkpoint = Annotated[Path, typer.Argument(help="A checkpoint, or the folder of its parts.")]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        envvar="MODEL_HERITAGE_TOKEN",
        help="For a server that asks for one; better in the environment than in a command.",
    ),
]
JsonFile = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON; - for standard output."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
UseCache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Remember what was read between runs.")
]
Exact = Annotated[
    bool,
    typer.Option("--exact/--no-exact", help="Read the files again to refine the tree's edges."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, max=256, help="Files read at the same time [default: one per processor]."),
]
Sampled = Annotated[
    bool,
    typer.Option("--sampled", help="Read samples only: for terabytes. Less sure, no exact edges."),
]


def export_file(what: str) -> typer.models.OptionInfo:
    """An option for a file that the result is written to as well."""
    option: typer.models.OptionInfo = typer.Option(metavar="FILE", help=f"Write {what}.")
    return option
