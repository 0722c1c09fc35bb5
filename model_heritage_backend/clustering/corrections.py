"""People's statements come in and go; the families concerned are solved around them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from model_heritage_backend.clustering.cuts import join_nearest
from model_heritage_backend.clustering.regrouping import Affected, Regrouping, Replaced
from model_heritage_backend.clustering.statements import Kind, Knowledge, Statement
from model_heritage_backend.clustering.store import Cause, Change, HeritageStore
from model_heritage_backend.errors import Conflict, InvalidRequest

SPLIT_INSTEAD = "If it belongs to another family, split it off."


@dataclass(frozen=True)
class Correction:
    """What became of a statement. ``new`` is False where the same had been stated before."""

    statement: Statement
    new: bool
    replaced: Replaced


class Corrections:
    """Adds and removes statements: both happen wholly, with all trees solved, or not at all."""

    def __init__(self, store: HeritageStore, regrouping: Regrouping) -> None:
        self._store = store
        self._regrouping = regrouping

    def add(self, statement: Statement) -> Correction:
        """Store a statement and solve the families concerned.

        Who states again what is stated already takes its place, with a new reason and time.

        Raises
        ------
        NotFound
            When a model that it mentions is not there.
        InvalidRequest
            When no statement can say this.
        Conflict
            When others contradict it; ``constraint_ids`` names them. Nothing has changed then.
        """
        self._check_ends(statement)
        stored = self._store.list_statements()
        same = next((s for s in stored if s.meaning == statement.meaning), None)
        if same is not None:
            statement = replace(statement, id=same.id)
        else:
            self._refuse_contradiction(statement, stored)
        families = {self._get_family(model) for model in statement.mentioned}
        affected = self._regrouping.find_affected(families, added=statement)
        try:
            solution = self._regrouping.solve(affected)
        except Conflict as error:
            raise Conflict(self._name_all(error.detail, affected.members)) from error
        if statement.kind is not Kind.SPLIT:
            after = self._regrouping.count_trees(affected, [t.members for t in solution.trees])
            before = self._regrouping.count_trees(
                Affected(affected.families, affected.members),
                [self._store.get_family(f).tree.members for f in sorted(solution.replaced)],
            )
            if after > before:
                self._refuse_tree(statement, stored, affected)
        change = Change(
            cause=Cause.CORRECTION,
            statement=statement,
            author=statement.author,
            reason=statement.reason,
        )
        return Correction(statement, same is None, self._regrouping.keep(solution, change))

    def remove(self, statement: Statement, *, author: str | None = None) -> Correction:
        """Forget a stored statement and solve the families concerned.

        Raises
        ------
        Conflict
            When what is left contradicts itself. Nothing has changed then.
        """
        families = {self._get_family(model) for model in statement.mentioned}
        affected = self._regrouping.find_affected(families, removed=statement)
        try:
            solution = self._regrouping.solve(affected)
        except Conflict as error:
            raise Conflict(self._name_all(error.detail, affected.members)) from error
        change = Change(cause=Cause.RETRACTION, statement=statement, author=author)
        return Correction(statement, False, self._regrouping.keep(solution, change))

    # Refusals ------------------------------------------------------------------------------------

    def _check_ends(self, statement: Statement) -> None:
        for model in sorted(statement.mentioned):
            if self._store.get_model(model).family_id is None:
                raise Conflict(f"{self._name(model)} has not found its place yet.")
        parent = statement.parent
        if statement.kind is Kind.CONFIRM and parent and self._is_adapter(parent):
            raise InvalidRequest(
                f"{self._name(parent)} is an adapter: it holds none of the weights that a model "
                "could descend from."
            )
        if statement.kind is Kind.ROOT and self._is_adapter(str(statement.model)):
            raise InvalidRequest(
                f"{self._name(str(statement.model))} is an adapter: it descends from a model, even "
                "if that is not here."
            )

    def _refuse_contradiction(self, statement: Statement, stored: Iterable[Statement]) -> None:
        """What can be told without solving anything."""
        for other in sorted(stored, key=lambda s: s.id):
            if self._contradict(statement, other):
                raise Conflict(
                    f"{self.tell(other)}. That contradicts this; remove it first.",
                    constraint_ids=[other.id],
                )
        known = Knowledge.gather([*stored, statement])
        self._refuse_circle(statement, known)
        self._refuse_bridge(statement, known)

    def _contradict(self, first: Statement, second: Statement) -> bool:
        kinds = {first.kind, second.kind}
        if first.kind is second.kind is Kind.ROOT:
            family = self._store.get_model(str(first.model)).family_id
            return self._store.get_model(str(second.model)).family_id == family
        if first.model is None or first.model != second.model:
            return False
        if kinds == {Kind.CONFIRM}:
            return first.parent != second.parent
        if kinds == {Kind.CONFIRM, Kind.FORBID}:
            return first.parent == second.parent
        return kinds == {Kind.CONFIRM, Kind.ROOT}

    def _refuse_circle(self, statement: Statement, known: Knowledge) -> None:
        if statement.kind is not Kind.CONFIRM:
            return
        line = [str(statement.parent)]
        while line[-1] in known.confirmed and line[-1] != statement.model:
            line.append(known.confirmed[line[-1]])
        if line[-1] != statement.model:
            return
        children = set(line[:-1])
        stated = [s for s in known.of_kind(Kind.CONFIRM) if s.model in children]
        raise Conflict(
            f"{self._name(line[0])} descends from {self._name(line[-1])}, by what is confirmed: "
            f"{self._tell_all(stated)}.",
            constraint_ids=[s.id for s in stated],
        )

    def _refuse_bridge(self, statement: Statement, known: Knowledge) -> None:
        """Whatever confirmed parents tie together cannot be split."""
        if not statement.joins_or_splits:
            return
        mentioned = {name for s in known.statements for name in s.mentioned}
        for tied in join_nearest(mentioned, known.confirmed.items()):
            for split in known.of_kind(Kind.SPLIT):
                if split.models.isdisjoint(tied) or split.others.isdisjoint(tied):
                    continue
                stated = [s for s in known.of_kind(Kind.CONFIRM) if s.model in tied]
                against = [s for s in [*stated, split] if s.id != statement.id]
                raise Conflict(
                    f"That would be one family and two: {self._tell_all(against)}.",
                    constraint_ids=[s.id for s in against],
                )

    def _refuse_tree(
        self, statement: Statement, stored: Iterable[Statement], affected: Affected
    ) -> None:
        against = [
            s
            for s in stored
            if s.kind is not Kind.SPLIT and affected.members.issuperset(s.mentioned)
        ]
        told = f" Others state: {self._tell_all(against)}." if against else ""
        subject = self._name(str(statement.model))
        raise Conflict(
            f"No tree of this family meets that and all other statements about it: {subject} "
            f"would be left without a possible place.{told} {SPLIT_INSTEAD}",
            constraint_ids=[s.id for s in against],
        )

    # Words ---------------------------------------------------------------------------------------

    def tell(self, statement: Statement) -> str:
        """A statement as a clause, with its author."""
        model, parent = (
            self._name(name) if name else "" for name in (statement.model, statement.parent)
        )
        match statement.kind:
            case Kind.CONFIRM:
                what = f"{parent} is confirmed as the parent of {model}"
            case Kind.FORBID:
                what = f"{parent} is ruled out as the parent of {model}"
            case Kind.ROOT:
                what = f"{model} is pinned as a root"
            case Kind.SPLIT:
                sides = self._list(statement.models), self._list(statement.others)
                what = "{} is split off from {}".format(*sides)
        return f"{what} (by {statement.author}, {statement.id})"

    def _tell_all(self, statements: Iterable[Statement]) -> str:
        return "; ".join(self.tell(statement) for statement in statements)

    def _list(self, models: Iterable[str]) -> str:
        first, *more = sorted(models)
        return f"{self._name(first)} and {len(more)} more" if more else self._name(first)

    def _name(self, model_id: str) -> str:
        return repr(self._store.get_model(model_id).name)

    def _name_all(self, detail: str, members: Iterable[str]) -> str:
        for member in members:
            detail = detail.replace(member, self._name(member))
        return detail

    def _is_adapter(self, model_id: str) -> bool:
        return self._store.load_fingerprint(model_id).is_adapter

    def _get_family(self, model_id: str) -> str:
        return str(self._store.get_model(model_id).family_id)
