"""Orders of a list of models, and cursors that go on exactly where a page ended.

A cursor names the last row shown, not a number of rows to skip: what is added or removed meanwhile
neither repeats nor hides a model, and the last page costs what the first does.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, tuple_

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.tables import Model

LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Order:
    """Sorted by a column, then by id so that the order is total. Rows without a value are the
    smallest: SQLite's own order, said aloud for other databases."""

    column: Any
    kind: type[str] | type[int] | type[float] | type[datetime]
    descending: bool = False
    nullable: bool = False
    # No plain default: a column of a class is a descriptor, which dataclasses would call.
    id: Any = field(default_factory=lambda: Model.id)

    @property
    def clauses(self) -> tuple[Any, Any]:
        if self.descending:
            first = self.column.desc()
            return first.nulls_last() if self.nullable else first, self.id.desc()
        first = self.column.asc()
        return first.nulls_first() if self.nullable else first, self.id.asc()

    def follows(self, value: Any, row_id: str) -> ColumnElement[bool]:
        """The condition that a row comes after the one with this value and id."""
        place = tuple_(self.column, self.id)
        last = tuple_(literal(value, self.column.type), literal(row_id))
        if value is not None:
            after = place < last if self.descending else place > last
            return or_(after, self.column.is_(None)) if self.descending and self.nullable else after
        if self.descending:
            return and_(self.column.is_(None), self.id < row_id)
        return or_(self.column.is_not(None), self.id > row_id)


def both_ways(name: str, order: Order) -> dict[str, Order]:
    """An order by its name, and the other direction by the name after a minus."""
    return {name: order, f"-{name}": replace(order, descending=True)}


SORTS: Mapping[str, Order] = {
    **both_ways("name", Order(Model.name_folded, str)),
    **both_ways("created_at", Order(Model.created_at, datetime)),
    **both_ways("total_parameters", Order(Model.total_parameters, int)),
    **both_ways("size", Order(Model.file_size, int)),
    **both_ways("confidence", Order(Model.confidence_score, float, nullable=True)),
    **both_ways("family", Order(Model.family_id, str, nullable=True)),
}


def write_cursor(sort: str, last: Model) -> str:
    """The cursor of the page that follows one ending with ``last``."""
    return encode_cursor(sort, getattr(last, SORTS[sort].column.key), last.id)


def follows(sort: str, cursor: str) -> ColumnElement[bool]:
    """The condition that a model comes after a cursor.

    Raises
    ------
    InvalidRequest
        When the cursor was not given out by a list of this order.
    """
    order = SORTS[sort]
    value, model_id = decode_cursor(sort, cursor, order.kind, nullable=order.nullable)
    return order.follows(value, model_id)


def encode_cursor(sort: str, value: Any, row_id: str) -> str:
    """An opaque name of the last row of a page: its order, its value there, its id."""
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([sort, plain, row_id]).encode()).decode()


def decode_cursor(
    sort: str, cursor: str, kind: type[Any], *, nullable: bool = False
) -> tuple[Any, str]:
    """(value, id) of a cursor of this order.

    Raises
    ------
    InvalidRequest
        When the cursor was not given out by a list of this order.
    """
    try:
        given, value, row_id = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        if given != sort or not isinstance(row_id, str):
            raise ValueError("of another list")
        # Half a surrogate pair is valid in JSON, but cannot be sent to a database.
        row_id.encode()
        return None if nullable and value is None else _check_value(value, kind), row_id
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise InvalidRequest("The cursor is not one that this list gave out.") from error


def _check_value(value: Any, kind: type[Any]) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind is int and (type(value) is not int or not 0 <= value <= LARGEST_INTEGER):
        raise ValueError("not a number of this list")
    if kind is float:
        value = float(value) if type(value) in (int, float) else math.nan
        if not math.isfinite(value):
            raise ValueError("not a number of this list")
    if kind is str:
        if not isinstance(value, str):
            raise ValueError("not a text")
        value.encode()
    return value
