"""Corrections: people state what they know, and see the family solved around it at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.clustering.corrections import Correction
from model_heritage_backend.clustering.statements import Kind, Statement
from model_heritage_backend.clustering.store import Cause, Change
from model_heritage_backend.errors import Conflict, InvalidRequest, NotFound
from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.models.database import now
from model_heritage_backend.models.families import Families
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.services.texts import check_text

AUTHOR_LENGTH = 200
REASON_LENGTH = 2000
NAME_LENGTH = 200


class CorrectionService:
    """Statements of people, each with author, reason and time.

    While a change is made no job runs: it is solved in the request, from what the engine remembers
    of the family's pairs, and stored with all its trees in one transaction or not at all.
    """

    def __init__(
        self,
        store: SqlStore,
        families: Families,
        management: ModelManagementSystem,
        executor: Executor,
    ) -> None:
        self._store = store
        self._families = families
        self._corrections = management.corrections
        self._executor = executor

    # Asking --------------------------------------------------------------------------------------

    def get(self, statement_id: str) -> Statement:
        """Raises NotFound."""
        for statement in self._store.list_statements():
            if statement.id == statement_id:
                return statement
        raise NotFound(f"There is no constraint {statement_id!r}.")

    def list_of_model(self, model_id: str) -> Sequence[Statement]:
        self._store.get_model(model_id)
        return self._store.list_statements([model_id])

    def list_of_family(self, family_id: str) -> Sequence[Statement]:
        return self._store.list_statements(self._store.get_family(family_id).tree.members)

    # Changing ------------------------------------------------------------------------------------

    def state(
        self, model_id: str, *, kind: str, parent: str | None, author: str, reason: str
    ) -> Correction:
        """Confirm or forbid a parent, or pin a root.

        Raises
        ------
        InvalidRequest
            When the kind needs a parent or has none, or when the parent is no possible one.
        Conflict
            When other statements contradict this one.
        """
        if (parent is None) != (kind == Kind.ROOT):
            needs = "takes no parent" if kind == Kind.ROOT else "needs the parent's id"
            raise InvalidRequest(f"The kind {kind!r} {needs}.")
        if parent == model_id:
            raise InvalidRequest("A model is not its own parent.")
        return self._add(
            lambda: Statement(
                id=_make_id(),
                kind=Kind(kind),
                model=model_id,
                parent=parent,
                author=_check_author(author),
                reason=_check_reason(reason),
                created_at=now(),
            )
        )

    def split(
        self, family_id: str, models: Sequence[str], *, author: str, reason: str
    ) -> Correction:
        """State that some members of a family are not related to the others."""

        def build() -> Statement:
            members = frozenset(self._store.get_family(family_id).tree.members)
            inside = frozenset(models)
            strangers = sorted(inside - members)
            if strangers:
                raise InvalidRequest(f"{strangers[0]!r} is not a member of this family.")
            if inside == members:
                raise InvalidRequest("At least one member must be left in the family.")
            return Statement(
                id=_make_id(),
                kind=Kind.SPLIT,
                models=inside,
                others=members - inside,
                author=_check_author(author),
                reason=_check_reason(reason),
                created_at=now(),
            )

        return self._add(build)

    def _add(self, build: Callable[[], Statement]) -> Correction:
        with self._executor.paused():
            return self._corrections.add(build())

    def retract(self, statement_id: str, *, author: str | None = None) -> Correction:
        """Take a statement back; without it the former tree comes back."""
        author = _check_author(author) if author is not None else None
        with self._executor.paused():
            return self._corrections.remove(self.get(statement_id), author=author)

    def find(self, model_id: str, *, kind: str, parent: str | None) -> Statement:
        """The one statement of a kind about a model.

        Raises
        ------
        NotFound
        Conflict
            When there are several, and ``parent`` does not say which.
        """
        found = [
            statement
            for statement in self.list_of_model(model_id)
            if statement.kind == kind
            and statement.model == model_id
            and parent in (None, statement.parent)
        ]
        if not found:
            raise NotFound(f"There is no such constraint on the model {model_id!r}.")
        if len(found) > 1:
            raise Conflict("There are several such constraints; name the parent of one.")
        return found[0]

    def name_family(
        self, family_id: str, name: str | None, *, author: str | None, reason: str
    ) -> None:
        """Give a family a name of its own; None: call it after its root again."""
        if name is not None:
            name = check_text("name", name, NAME_LENGTH)
            if not name:
                raise InvalidRequest("The family needs a name.")
        author = _check_author(author) if author is not None else None
        change = Change(cause=Cause.NAMING, author=author, reason=_check_reason(reason))
        with self._executor.paused():
            self._families.rename(family_id, name, change)


def _make_id() -> str:
    return f"c_{uuid.uuid4().hex[:16]}"


def _check_author(author: str) -> str:
    author = check_text("author", author, AUTHOR_LENGTH)
    if not author:
        raise InvalidRequest("Say who states this.")
    return author


def _check_reason(reason: str) -> str:
    return check_text("reason", reason, REASON_LENGTH, lines=True)
