"""The program: its commands, its version, and what becomes of errors."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from model_heritage_backend.cli import (
    local_commands,
    server_commands,
    token_commands,
    user_commands,
)
from model_heritage_backend.errors import HeritageError
from model_heritage_backend.version import __version__

USAGE = 2

NAME = "model-heritage"

app = typer.Typer(
    name=NAME,
    help="The genealogy of neural networks, recovered from their weights.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Boxes and colours would cost more time than all the rest of --help.
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The genealogy of neural networks, recovered from their weights."""


for _command in (*local_commands.COMMANDS, *server_commands.COMMANDS):
    app.command()(_command)
app.add_typer(token_commands.app, name="token")
app.add_typer(user_commands.app, name="user")


def run() -> None:
    """Entry point: a command's own errors become one sentence and the exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal of an old encoding gets question marks, not a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        # The name of the program, however it was started: completion is for that.
        app(prog_name=NAME)
    except HeritageError as error:
        typer.echo(f"Error: {error.detail}", err=True)
        sys.exit(USAGE)
