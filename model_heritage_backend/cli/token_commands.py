"""The commands below ``token``: their options. All else is imported when one runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from model_heritage_backend.cli.options import AsJson
from model_heritage_backend.cli.server_commands import DataDir

DAYS = 90
app = typer.Typer(
    help="Tokens of a server, made and revoked in its data folder.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class TokenRole(StrEnum):
    """Those of services.access; a test holds the two together."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, such as whose laptop.")],
    role: Annotated[TokenRole, typer.Option(help="What it may do.")] = TokenRole.VIEWER,
    days: Annotated[
        int, typer.Option(min=0, max=3650, help="How long it is valid; 0 for ever.")
    ] = DAYS,
    user: Annotated[
        str | None, typer.Option(help="Whose it is: it never may more than they may.")
    ] = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Make a token, and print it: it cannot be shown again.

    Viewers read. Editors also upload, edit and correct. Admins also delete models, solve everything
    again, import, clean up, and make tokens.

    Example: model-heritage token create "Ada's laptop" --role admin --data-dir ~/heritage
    """
    from model_heritage_backend.cli.tokens import run_create

    raise typer.Exit(
        run_create(name, role.value, days=days, user=user, data_dir=data_dir, as_json=json)
    )


@app.command("list")
def list_(data_dir: DataDir = None, json: AsJson = False) -> None:
    """List all tokens without their texts, the newest first.

    Example: model-heritage token list --data-dir ~/heritage
    """
    from model_heritage_backend.cli.tokens import run_list

    raise typer.Exit(run_list(data_dir=data_dir, as_json=json))


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As token list shows it.")],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Revoke a token for good; what was signed in with it is signed out.

    Example: model-heritage token revoke t_5f0c2b7d9a3e --data-dir ~/heritage
    """
    from model_heritage_backend.cli.tokens import run_revoke

    raise typer.Exit(run_revoke(token_id, data_dir=data_dir, as_json=json))
