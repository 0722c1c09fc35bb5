"""Commands on files and folders: their options. Everything heavy is imported when one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from model_heritage_backend.cli.options import (
    AsJson,
    Checkpoint,
    Exact,
    Folder,
    Format,
    JsonFile,
    Method,
    Named,
    Sampled,
    Token,
    UseCache,
    Within,
    Workers,
    export_file,
)


def scan(
    folder: Folder,
    json: JsonFile = None,
    html: Annotated[Path | None, export_file("a page to walk about in, for any browser")] = None,
    csv: Annotated[Path | None, export_file("a table for spreadsheets")] = None,
    dot: Annotated[Path | None, export_file("a graph for Graphviz")] = None,
    newick: Annotated[Path | None, export_file("trees in Newick format")] = None,
    cyclonedx: Annotated[Path | None, export_file("a CycloneDX 1.6 ML-BOM")] = None,
    method: Annotated[Method, typer.Option(help="How parents are decided.")] = Method.HERITAGE,
    sampled: Sampled = False,
    workers: Workers = None,
    cache: UseCache = True,
    exact: Exact = True,
) -> None:
    """Find the genealogy of all checkpoints below a folder.

    Reads .safetensors, .gguf and .npz files, .pt, .pth, .ckpt and .bin files of PyTorch, ZIP
    archives and folders of their parts, and the cache of the Hugging Face hub, where they are.

    Example: model-heritage scan ~/checkpoints --html heritage.html

    Example: model-heritage scan ~/.cache/huggingface/hub --json heritage.json

    Exit code: 0 done, 1 some file could not be read (the rest is still reported), 2 usage, 130
    stopped by Ctrl-C (what was read is remembered).
    """
    from model_heritage_backend.cli.scan import ScanOptions, run_scan

    wanted = {"html": html, "csv": csv, "dot": dot, "newick": newick, "cyclonedx": cyclonedx}
    options = ScanOptions(
        method=method.value, use_cache=cache, exact=exact, sampled=sampled, workers=workers
    )
    exports = {name: path for name, path in wanted.items() if path is not None}
    raise typer.Exit(run_scan(folder, json=json, exports=exports, options=options))


def identify(
    file: Annotated[
        str,
        typer.Argument(
            help="A checkpoint, the folder of its parts, or the address of a remote file."
        ),
    ],
    against: Annotated[
        str,
        typer.Option(
            metavar="WHERE",
            help="Folder with known checkpoints, a document of scan --json, or a server's address.",
        ),
    ],
    expect: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The parent it is said to have: path, name or checksum."),
    ] = None,
    json: JsonFile = None,
    full: Annotated[bool, typer.Option("--full", help="Read a remote file whole.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before much of a remote file is read.")
    ] = False,
    token: Token = None,
    cache: UseCache = True,
    exact: Exact = True,
) -> None:
    """Find the parent of one file among known checkpoints.

    Of a remote file (http://, https://, and s3://, gs://, hf:// with the extras) less than a
    hundredth is read, where it is a safetensors file and its server gives parts of files; the
    answer then says that it comes from a sample.

    Example: model-heritage identify new.safetensors --against ~/checkpoints --expect base

    Example: model-heritage identify https://example.org/model.safetensors --against heritage.json

    Example: model-heritage identify new.safetensors --against http://localhost:5001

    Exit code: 0 found (or it is the root of its family there), 3 related but the evidence does not
    decide, 4 not related to anything there, 5 not the expected parent, 2 usage or unreadable.
    """
    from model_heritage_backend.cli.identify import IdentifyOptions, run_identify

    options = IdentifyOptions(
        expect=expect, use_cache=cache, exact=exact, full=full, yes=yes, token=token
    )
    raise typer.Exit(run_identify(file, against, json=json, options=options))


def compare(
    first: Checkpoint,
    second: Annotated[Path, typer.Argument(help="Another one.")],
    json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="List every changed tensor.")] = False,
    cache: UseCache = True,
) -> None:
    """Tell what changed between two checkpoints, and whether one comes from the other.

    Example: model-heritage compare base.safetensors child.safetensors
    """
    from model_heritage_backend.cli.compare import run_compare

    options = {"as_json": json, "everything": everything, "use_cache": cache}
    raise typer.Exit(run_compare(first, second, **options))


def lineage(model: Named, within: Within = ".", token: Token = None, json: AsJson = False) -> None:
    """Tell the line from the root of its family down to a model, and what was made from it.

    Example: model-heritage lineage child --in ~/checkpoints

    Example: model-heritage lineage child --in http://localhost:5001 --json
    """
    from model_heritage_backend.cli.lineage import run_lineage

    raise typer.Exit(run_lineage(model, within, as_json=json, token=token))


def impact(model: Named, within: Within = ".", token: Token = None, json: AsJson = False) -> None:
    """Tell which models would share a flaw of this one, by how likely that is.

    Example: model-heritage impact base --in heritage.json
    """
    from model_heritage_backend.cli.lineage import run_impact

    raise typer.Exit(run_impact(model, within, as_json=json, token=token))


def card(
    model: Named,
    within: Within = ".",
    token: Token = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Put it into this README.md; all else in it is kept."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Write a model's parents as the head of a Hugging Face model card.

    Example: model-heritage card child --in ~/checkpoints --write child/README.md

    Exit code: 0 done, 3 no parent is sure enough to be claimed.
    """
    from model_heritage_backend.cli.card import run_card

    raise typer.Exit(run_card(model, within, write=write, as_json=json, token=token))


def export(
    where: Annotated[
        str,
        typer.Argument(help="A folder, a document of scan --json, or a server's address."),
    ],
    format: Annotated[Format, typer.Option("--format", "-f", help="What is written.")],
    model: Annotated[
        str | None, typer.Option(help="Of this model only: its line, or card.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Instead of printing it.")
    ] = None,
    token: Token = None,
) -> None:
    """Write a genealogy in another format.

    Example: model-heritage export ~/checkpoints --format graphml -o heritage.graphml
    """
    from model_heritage_backend.cli.export import run_export

    raise typer.Exit(run_export(where, format.value, model=model, output=output, token=token))


def convert(
    source: Annotated[
        Path, typer.Argument(exists=True, help="A checkpoint, or the folder of its parts.")
    ],
    target: Annotated[Path, typer.Argument(help="The safetensors file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: AsJson = False,
) -> None:
    """Write any readable checkpoint as a safetensors file, running nothing that is in it.

    Example: model-heritage convert model.pt model.safetensors
    """
    from model_heritage_backend.cli.console import print_json
    from model_heritage_backend.weights import open_weights
    from model_heritage_backend.weights.writing import write_safetensors

    with open_weights(source) as weights:
        size = write_safetensors(weights, target, replace=force)
        if json:
            print_json({"file": str(target), "tensors": len(weights), "bytes": size})
        else:
            typer.echo(f"{target}: {len(weights)} tensors, {size:,} bytes")


COMMANDS = (scan, identify, compare, lineage, impact, card, export, convert)
