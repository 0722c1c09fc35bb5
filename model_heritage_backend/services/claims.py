"""What people say of models: checked, stored, and taken in from tables of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model_heritage_backend.errors import HeritageError, InvalidRequest
from model_heritage_backend.models.claims import FIELDS, Claims
from model_heritage_backend.models.database import Database
from model_heritage_backend.services.texts import check_text
from model_heritage_backend.weights.claims import (
    BASE_LENGTH,
    LICENCE_LENGTH,
    TAG_LENGTH,
    TAGS,
    TASK_LENGTH,
    choose_tags,
)

WORDS = {
    "licence": ("licence", LICENCE_LENGTH),
    "task": ("task", TASK_LENGTH),
    "base_model": ("base model", BASE_LENGTH),
}
MODEL_LENGTH = 200
ROWS = 10_000


@dataclass(frozen=True)
class Refusal:
    """A row of a table that was not applied; ``row`` counts from 1."""

    row: int
    model: str
    reason: str


@dataclass(frozen=True)
class Imported:
    applied: int
    refused: tuple[Refusal, ...]


class ClaimService:
    """Claims, as people make them."""

    def __init__(self, database: Database) -> None:
        self._claims = Claims(database)

    def read_files(self) -> int:
        """Take in what files of stored models say that was never read."""
        return self._claims.read_files()

    def change(self, model_id: str, said: Mapping[str, Any]) -> None:
        """Store checked claims (``check_claims``) of one model."""
        self._claims.change({model_id: said})

    def list_tags(self, *, search: str, limit: int) -> list[tuple[str, int]]:
        return self._claims.list_tags(search=search, limit=limit)

    def take_in(self, rows: Sequence[Mapping[str, Any]]) -> Imported:
        """Apply a table of claims: each row names a model and says something of it.

        Parameters
        ----------
        rows : ``model`` (id, checksum or exact name) and any of the fields of a claim

        Raises
        ------
        InvalidRequest
            When there are too many rows. What is wrong with one row refuses that row alone.
        """
        if len(rows) > ROWS:
            raise InvalidRequest(f"There are more than {ROWS:,} rows.")
        checked: list[tuple[int, str, dict[str, Any]]] = []
        refused: list[Refusal] = []
        for number, row in enumerate(rows, 1):
            try:
                checked.append((number, *_check_row(row)))
            except HeritageError as error:
                # Halves of surrogate pairs came as JSON escapes, and cannot be answered as UTF-8.
                shown = str(row.get("model") or "")[:MODEL_LENGTH].encode(errors="replace").decode()
                refused.append(Refusal(number, shown, error.detail))
        found = self._claims.find_models({model for _, model, _ in checked})
        said: dict[str, dict[str, Any]] = {}
        for number, model, values in checked:
            if len(found[model]) == 1:
                said.setdefault(found[model][0], {}).update(values)
            elif found[model]:
                many = f"{len(found[model])} models are called that: give the id."
                refused.append(Refusal(number, model, many))
            else:
                none = "There is no model of this id, checksum or name."
                refused.append(Refusal(number, model, none))
        self._claims.change(said)
        refused.sort(key=lambda refusal: refusal.row)
        return Imported(len(rows) - len(refused), tuple(refused))


def _check_row(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    model = row.get("model")
    if not isinstance(model, str):
        raise InvalidRequest("The row names no model.")
    model = check_text("model", model, MODEL_LENGTH)
    if not model:
        raise InvalidRequest("The row names no model.")
    unknown = sorted(str(key) for key in row.keys() - {"model", *FIELDS})
    if unknown:
        raise InvalidRequest(f"The field {unknown[0][:50]!a} is not known.")
    values = check_claims({key: value for key, value in row.items() if key != "model"})
    if not values:
        raise InvalidRequest("The row says nothing of the model.")
    return model, values


def check_claims(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a person says of a model, trimmed; None or nothing takes back what was said.

    Parameters
    ----------
    said : of ``licence``, ``task``, ``base_model`` (texts) and ``tags`` (a list of texts, or one
        with commas between them) those that are spoken of

    Raises
    ------
    InvalidRequest
        When one is too long, not a text or holds control characters.
    """
    checked: dict[str, Any] = {}
    for field, value in said.items():
        if field == "tags":
            checked[field] = _check_tags(value)
        elif value is None:
            checked[field] = None
        else:
            word, limit = WORDS[field]
            if not isinstance(value, str):
                raise InvalidRequest(f"The {word} is not a text.")
            checked[field] = check_text(word, value, limit)
    return checked


def _check_tags(value: Any) -> tuple[str, ...]:
    given: Iterable[Any] = [value] if isinstance(value, str) else value or ()
    if not isinstance(given, list | tuple) or not all(isinstance(tag, str) for tag in given):
        raise InvalidRequest("The tags are not a list of texts.")
    tags = [check_text("tag", tag, TAG_LENGTH) for text in given for tag in text.split(",")]
    chosen = {tag.casefold(): tag for tag in reversed(tags) if tag}
    if len(chosen) > TAGS:
        raise InvalidRequest(f"There are more than {TAGS} tags.")
    return choose_tags(tags)
