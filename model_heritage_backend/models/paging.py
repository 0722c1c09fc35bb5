"""Orders of a list of models, and cursors that go on exactly where a page ended.

A cursor names the last row shown, not a number of rows to skip: what is added or removed meanwhile
neither repeats nor hides a model, and the last page costs what the first does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.tables import Model

LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Order:
    """Sorted by a column, then by id so that the order is total."""

    column: Any
    descending: bool = False

    @property
    def clauses(self) -> tuple[Any, Any]:
        if self.descending:
            return self.column.desc(), Model.id.desc()
        return self.column.asc(), Model.id.asc()


SORTS: Mapping[str, Order] = {
    "name": Order(Model.name_folded),
    "-name": Order(Model.name_folded, descending=True),
    "created_at": Order(Model.created_at),
    "-created_at": Order(Model.created_at, descending=True),
    "total_parameters": Order(Model.total_parameters),
    "-total_parameters": Order(Model.total_parameters, descending=True),
}


def write_cursor(sort: str, last: Model) -> str:
    """The cursor of the page that follows one ending with ``last``."""
    value = getattr(last, SORTS[sort].column.key)
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([sort, plain, last.id]).encode()).decode()


def follows(sort: str, cursor: str) -> ColumnElement[bool]:
    """The condition that a model comes after a cursor.

    Raises
    ------
    InvalidRequest
        When the cursor was not given out by a list of this order.
    """
    try:
        value, model_id = _read_cursor(sort, cursor)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidRequest("The cursor is not one that this list gave out.") from error
    column = SORTS[sort].column
    if SORTS[sort].descending:
        return or_(column < value, and_(column == value, Model.id < model_id))
    return or_(column > value, and_(column == value, Model.id > model_id))


def _read_cursor(sort: str, cursor: str) -> tuple[Any, str]:
    given, value, model_id = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    if given != sort or not isinstance(model_id, str):
        raise ValueError("of another list")
    # Half a surrogate pair is valid in JSON, but cannot be sent to a database.
    model_id.encode()
    if sort.endswith("created_at"):
        return datetime.fromisoformat(value).astimezone(UTC), model_id
    if sort.endswith("total_parameters"):
        if type(value) is not int or not 0 <= value <= LARGEST_INTEGER:
            raise ValueError("not a number of parameters")
        return value, model_id
    if not isinstance(value, str):
        raise ValueError("not a name")
    value.encode()
    return value, model_id
