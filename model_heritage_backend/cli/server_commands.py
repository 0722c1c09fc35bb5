"""Commands on a server and its data: their options. All else is imported when one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of everything the server keeps.")
    ] = None,
) -> None:
    """Serve the catalogue and the API; what is not given comes from the settings.

    Example: model-heritage serve --port 5001 --data-dir ~/heritage
    """
    from model_heritage_backend.cli.serve import run_server

    raise typer.Exit(run_server(host=host, port=port, data_dir=data_dir))


COMMANDS = (serve,)
