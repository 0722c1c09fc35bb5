"""The commands ``token create``, ``list`` and ``revoke``: on a server's data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from model_heritage_backend.cli.console import make_console, print_json, write_out
from model_heritage_backend.cli.drawing import printable
from model_heritage_backend.cli.serve import require_server

if TYPE_CHECKING:
    from model_heritage_backend.models.tables import ApiToken
    from model_heritage_backend.services.access import AccessService

DONE = 0


def run_create(
    name: str, role: str, *, days: int, user: str | None, data_dir: Path | None, as_json: bool
) -> int:
    """Print a new token: alone on standard output, so that it can be put where it belongs."""
    with _open(data_dir) as access:
        from model_heritage_backend.services.access import Role

        user_id = None if user is None else access.find_user(user)
        row, text = access.create(name, Role(role), days=days or None, user_id=user_id)
        if as_json:
            print_json(_describe(row) | {"token": text})
            return DONE
        write_out(f"{text}\n")
        end = _show(row.expires_at) if row.expires_at else "its revocation"
        make_console(stderr=True).print(
            f"{row.id} is a token of role {row.role}, valid until {end}. It is not shown again."
        )
    return DONE


def run_list(*, data_dir: Path | None, as_json: bool) -> int:
    with _open(data_dir) as access:
        tokens = [_describe(row) for row in access.tokens.list_all()]
    if as_json:
        print_json(tokens)
        return DONE
    table = Table("id", "role", "state", "expires", "last used", "name", box=None, pad_edge=False)
    for token in tokens:
        table.add_row(
            *(token[of] for of in ("id", "role", "state")),
            token["expires_at"] or "never",
            token["last_used_at"] or "never",
            printable(token["name"]),
        )
    make_console(stderr=False).print(table if tokens else "No tokens.")
    return DONE


def run_revoke(token_id: str, *, data_dir: Path | None, as_json: bool) -> int:
    with _open(data_dir) as access:
        access.tokens.revoke(token_id)
        row = access.tokens.get(token_id)
    if as_json:
        print_json(_describe(row))
    else:
        make_console(stderr=False).print(f"{row.id} is revoked.")
    return DONE


@contextmanager
def _open(data_dir: Path | None) -> Iterator[AccessService]:
    require_server()
    from model_heritage_backend.config import load_settings
    from model_heritage_backend.services.access import open_access

    with open_access(
        load_settings(**({} if data_dir is None else {"data_dir": data_dir}))
    ) as access:
        yield access


def _describe(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "state": row.state,
        "created_at": _show(row.created_at),
        "expires_at": _show(row.expires_at) if row.expires_at else None,
        "last_used_at": _show(row.last_used_at) if row.last_used_at else None,
    }


def _show(time: Any) -> str:
    return str(time.isoformat(timespec="seconds").replace("+00:00", "Z"))
