"""The commands below ``config``: their options. All else is imported when one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from model_heritage_backend.cli.options import AsJson

app = typer.Typer(
    help="The server's settings: what they are, and whether they are valid.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Changed = Annotated[bool, typer.Option("--changed", help="Only those that are not the default.")]


@app.command()
def show(changed: Changed = False, json: AsJson = False) -> None:
    """Show every setting, and where it comes from; passwords are masked.

    Example: model-heritage config show --changed
    """
    from model_heritage_backend.cli.configuration import run_show

    raise typer.Exit(run_show(changed=changed, as_json=json))


@app.command()
def check(json: AsJson = False) -> None:
    """Tell whether a server could start with the settings as they are.

    Example: model-heritage config check

    Exit code: 0 all is well, 1 there are problems, 2 usage.
    """
    from model_heritage_backend.cli.configuration import run_check

    raise typer.Exit(run_check(as_json=json))
