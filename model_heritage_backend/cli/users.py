"""The commands ``user create``, ``list``, ``change`` and ``remove``: on a server's data folder."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from model_heritage_backend.cli.console import make_console, print_json
from model_heritage_backend.cli.serve import require_server
from model_heritage_backend.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from model_heritage_backend.models.account_tables import User
    from model_heritage_backend.services.accounts import AccountService

DONE = 0


def run_create(
    name: str, role: str, *, from_input: bool, data_dir: Path | None, as_json: bool
) -> int:
    with _open(data_dir) as accounts:
        from model_heritage_backend.services.access import Role

        row = accounts.create(name, Role(role), _ask(from_input=from_input))
    return _tell(row, f"{row.name} is a user of role {row.role}.", as_json=as_json)


def run_list(*, data_dir: Path | None, as_json: bool) -> int:
    with _open(data_dir) as accounts:
        users = [_describe(row) for row in accounts.users.list_all()]
    if as_json:
        print_json(users)
        return DONE
    table = Table("name", "role", "state", "signs in by", "last seen", box=None, pad_edge=False)
    for user in users:
        table.add_row(
            user["name"],
            user["role"],
            "closed" if user["disabled"] else "open",
            "password" if user["has_password"] else "proxy",
            user["last_seen_at"] or "never",
        )
    make_console(stderr=False).print(table if users else "No users.")
    return DONE


def run_change(
    name: str,
    *,
    role: str | None,
    closed: bool | None,
    password: bool,
    from_input: bool,
    data_dir: Path | None,
    as_json: bool,
) -> int:
    with _open(data_dir) as accounts:
        from model_heritage_backend.services.access import Role

        row = accounts.change(
            _find(accounts, name).id,
            role=None if role is None else Role(role),
            disabled=closed,
            password=_ask(from_input=from_input) if password else None,
        )
    return _tell(row, f"{row.name} is changed.", as_json=as_json)


def run_remove(name: str, *, data_dir: Path | None, as_json: bool) -> int:
    with _open(data_dir) as accounts:
        row = _find(accounts, name)
        accounts.users.remove(row.id)
    return _tell(row, f"{row.name} is removed.", as_json=as_json)


def _find(accounts: AccountService, name: str) -> User:
    row = accounts.users.find_by_name(name.casefold())
    if row is None:
        raise NotFound(f"There is no user {name!r}.")
    return row


def _ask(*, from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise InvalidRequest("The two passwords differ.")
    return password


@contextmanager
def _open(data_dir: Path | None) -> Iterator[AccountService]:
    require_server()
    from model_heritage_backend.config import load_settings
    from model_heritage_backend.services.access import open_database
    from model_heritage_backend.services.accounts import AccountService

    settings = load_settings(**({} if data_dir is None else {"data_dir": data_dir}))
    with open_database(settings) as database:
        yield AccountService(database)


def _tell(row: User, sentence: str, *, as_json: bool) -> int:
    if as_json:
        print_json(_describe(row))
    else:
        make_console(stderr=False).print(sentence)
    return DONE


def _describe(row: User) -> dict[str, Any]:
    seen = row.last_seen_at
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "disabled": row.disabled_at is not None,
        "has_password": row.password_hash is not None,
        "last_seen_at": seen.isoformat(timespec="seconds").replace("+00:00", "Z") if seen else None,
    }
