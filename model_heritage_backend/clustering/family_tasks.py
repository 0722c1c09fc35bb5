"""Families to be solved one by one, each by itself: what a task is, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from model_heritage_backend.clustering.exact_source import EvidenceStore, StoredEvidence
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.statements import Knowledge, Statement
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder


@dataclass(frozen=True)
class FamilyTask:
    """Models that are one family.

    Attributes
    ----------
    members : ids
    said : what people state of any of them
    solved_from : what the tree shall say that it was solved from
    """

    members: tuple[str, ...]
    said: tuple[Statement, ...]
    solved_from: str


class Solvers(Protocol):
    """Whoever solves families, one or several at a time."""

    def solve(
        self, tasks: Iterable[FamilyTask], *, beat: Callable[[], None]
    ) -> Generator[FamilyTree, None, None]:
        """Trees in the order of the tasks, of which few are taken ahead.

        ``beat`` : called now and then while the next tree takes long; may raise to end it all
        """


class OneByOne:
    """The calling thread solves them all.

    Parameters
    ----------
    builder : whose method and options are used
    """

    def __init__(self, store: EvidenceStore, builder: MoTHerTreeBuilder) -> None:
        self._store = store
        self._builder = builder

    def solve(
        self,
        tasks: Iterable[FamilyTask],
        *,
        beat: Callable[[], None],  # noqa: ARG002 (nobody else could call it)
    ) -> Generator[FamilyTree, None, None]:
        for task in tasks:
            yield solve_task(task, self._store, self._builder)


def solve_task(task: FamilyTask, store: EvidenceStore, builder: MoTHerTreeBuilder) -> FamilyTree:
    """The tree of one family, by the builder's method."""
    prints = {model: store.load_fingerprint(model) for model in task.members}
    alone = MoTHerTreeBuilder(
        method=builder.method,
        lambda_param=builder.lambda_param,
        distance_calculator=builder.distance_calculator,
        kurtosis_grows=builder.kurtosis_grows,
        exact=None if builder.exact is None else StoredEvidence(store),
        # What is learnt of one family is of no use to the next, and all of it would not fit.
        pairs=PairCache(),
        watch=builder.watch,
    )
    tree = alone.solve(prints, known=Knowledge.gather(task.said))
    return replace(tree, solved_from=task.solved_from)
