"""The commands and their options. Everything heavy is imported when a command runs."""

from __future__ import annotations

import io
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.version import __version__

USAGE = 2

app = typer.Typer(
    name="model-heritage",
    help="The genealogy of neural networks, recovered from their weights.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Boxes and colours would cost more time than all the rest of --help.
    rich_markup_mode=None,
)


class Method(StrEnum):
    """The values of TreeBuildingMethod, which is not imported for its names alone."""

    HERITAGE = "heritage"
    MOTHER = "mother"
    DISTANCE_ONLY = "distance_only"
    KURTOSIS_ONLY = "kurtosis_only"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"model-heritage {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The genealogy of neural networks, recovered from their weights."""


@app.command()
def scan(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, readable=True, help="Folder with checkpoints."
        ),
    ],
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the heritage document; - for standard output."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a table for spreadsheets.")
    ] = None,
    dot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a graph for Graphviz.")
    ] = None,
    newick: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write trees in Newick format.")
    ] = None,
    cyclonedx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a CycloneDX 1.6 ML-BOM.")
    ] = None,
    method: Annotated[Method, typer.Option(help="How parents are decided.")] = Method.HERITAGE,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Remember what was read between scans.")
    ] = True,
    exact: Annotated[
        bool,
        typer.Option("--exact/--no-exact", help="Read the files again to refine the tree's edges."),
    ] = True,
) -> None:
    """Find the genealogy of all checkpoints below a folder.

    Reads .safetensors, .gguf and .npz files, .pt, .pth, .ckpt and .bin files of PyTorch, and
    folders of their parts, where they are.
    Exit code: 0 done, 1 some file could not be read (the rest is still reported), 2 usage.
    """
    from model_heritage_backend.cli.scan import run_scan

    wanted = {"csv": csv, "dot": dot, "newick": newick, "cyclonedx": cyclonedx}
    code = run_scan(
        folder,
        json=json,
        exports={name: path for name, path in wanted.items() if path is not None},
        method=method.value,
        use_cache=cache,
        exact=exact,
    )
    raise typer.Exit(code)


@app.command(name="identify")
def identify_file(
    file: Annotated[Path, typer.Argument(help="A checkpoint, or the folder of its parts.")],
    against: Annotated[
        Path,
        typer.Option(
            exists=True, file_okay=False, readable=True, help="Folder with known checkpoints."
        ),
    ],
    expect: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The parent it is said to have: path, name or checksum."),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the answer as JSON; - for standard output."),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Remember what was read between runs.")
    ] = True,
    exact: Annotated[
        bool, typer.Option("--exact/--no-exact", help="Read the files again to refine the edges.")
    ] = True,
) -> None:
    """Find the parent of one file among the checkpoints of a folder.

    Example: model-heritage identify new.safetensors --against ~/checkpoints --expect base

    Exit code: 0 found (or it is the root of its family there), 3 related but the evidence does not
    decide, 4 not related to anything there, 5 not the expected parent, 2 usage or unreadable.
    """
    from model_heritage_backend.cli.identify import run_identify

    code = run_identify(file, against, expect=expect, json=json, use_cache=cache, exact=exact)
    raise typer.Exit(code)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A checkpoint, or the folder of its parts.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    json: Annotated[bool, typer.Option("--json", help="The whole comparison as JSON.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every changed tensor.")] = False,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Remember what was read between runs.")
    ] = True,
) -> None:
    """Tell what changed between two checkpoints, and whether one comes from the other.

    Example: model-heritage compare base.safetensors child.safetensors
    """
    from model_heritage_backend.cli.compare import run_compare

    options = {"as_json": json, "everything": everything, "use_cache": cache}
    raise typer.Exit(run_compare(first, second, **options))


@app.command()
def convert(
    source: Annotated[
        Path, typer.Argument(exists=True, help="A checkpoint, or the folder of its parts.")
    ],
    target: Annotated[Path, typer.Argument(help="The safetensors file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write any readable checkpoint as a safetensors file, running nothing that is in it."""
    from model_heritage_backend.weights import open_weights
    from model_heritage_backend.weights.writing import write_safetensors

    with open_weights(source) as weights:
        size = write_safetensors(weights, target, replace=force)
        typer.echo(f"{target}: {len(weights)} tensors, {size:,} bytes")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of everything the server keeps.")
    ] = None,
) -> None:
    """Serve the catalogue and the API; what is not given comes from the settings."""
    from model_heritage_backend.cli.serve import run_server

    raise typer.Exit(run_server(host=host, port=port, data_dir=data_dir))


def run() -> None:
    """Entry point: a command's own errors become one sentence and the exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal of an old encoding gets question marks, not a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except HeritageError as error:
        typer.echo(f"Error: {error.detail}", err=True)
        sys.exit(USAGE)
