"""The commands below ``user``: their options. All else is imported when one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from model_heritage_backend.cli.options import AsJson
from model_heritage_backend.cli.server_commands import DataDir
from model_heritage_backend.cli.token_commands import TokenRole

app = typer.Typer(
    help="Users of a server, in its data folder.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="The name they sign in with.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command()
def create(
    name: Name,
    role: Annotated[TokenRole, typer.Option(help="What they may do.")] = TokenRole.VIEWER,
    password_stdin: FromInput = False,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Make a user; the password is asked for, and never an option that others could see.

    Example: model-heritage user create ada --role admin --data-dir ~/heritage
    """
    from model_heritage_backend.cli.users import run_create

    raise typer.Exit(
        run_create(name, role.value, from_input=password_stdin, data_dir=data_dir, as_json=json)
    )


@app.command("list")
def list_(data_dir: DataDir = None, json: AsJson = False) -> None:
    """List all users by name.

    Example: model-heritage user list --data-dir ~/heritage
    """
    from model_heritage_backend.cli.users import run_list

    raise typer.Exit(run_list(data_dir=data_dir, as_json=json))


@app.command()
def change(
    name: Name,
    role: Annotated[TokenRole | None, typer.Option(help="What they may do from now on.")] = None,
    closed: Annotated[
        bool | None, typer.Option("--close/--open", help="Whether they may come in at all.")
    ] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: FromInput = False,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Change a user's role or password, or close the account. The last two end all sessions.

    Example: model-heritage user change ada --password --data-dir ~/heritage
    """
    from model_heritage_backend.cli.users import run_change

    raise typer.Exit(
        run_change(
            name,
            role=None if role is None else role.value,
            closed=closed,
            password=password or password_stdin,
            from_input=password_stdin,
            data_dir=data_dir,
            as_json=json,
        )
    )


@app.command()
def remove(name: Name, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Remove a user: all sessions end, tokens are revoked, models stay.

    Example: model-heritage user remove ada --data-dir ~/heritage
    """
    from model_heritage_backend.cli.users import run_remove

    raise typer.Exit(run_remove(name, data_dir=data_dir, as_json=json))
