"""The whole pipeline over a store: a model goes in, its place in the family tree comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from model_heritage_backend.clustering.corrections import Corrections
from model_heritage_backend.clustering.distance_calculator import (
    DistanceMetric,
    ModelDistanceCalculator,
)
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.family_clustering import (
    Assignment,
    ClusteringMethod,
    FamilyClusteringSystem,
)
from model_heritage_backend.clustering.family_routing import USUAL, Screens
from model_heritage_backend.clustering.family_tasks import Solvers
from model_heritage_backend.clustering.identification import place_visitor
from model_heritage_backend.clustering.lineage_answers import (
    compare_members,
    describe_counts,
    describe_lineage,
    describe_place,
    list_screened,
)
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.reclustering import Reclustering
from model_heritage_backend.clustering.regrouping import Regrouping, Replaced
from model_heritage_backend.clustering.store import Cause, Change, HeritageStore
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder, TreeBuildingMethod
from model_heritage_backend.clustering.visitor import VISITOR, VisitedStore
from model_heritage_backend.clustering.watching import Watch, watch_nobody
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.weights.tensors import Weights

Progress = Callable[[float, str], None]
"""Called with the share done, in [0, 1], and a word on the present stage."""


class ModelManagementSystem:
    """Families and trees over a store, always as if all models had been there from the start.

    Parameters
    ----------
    store : where models are; in memory when none is given
    distance_metric : for the specification's clustering and tree methods
    family_threshold : distance below which those methods see one family, >= 0
    clustering_method : AUTO is the relatedness test, which needs no threshold
    tree_method : HERITAGE by default
    lambda_param : weight of the kurtosis order in MOTHER, >= 0
    exact : refine the edges of trees from the files, where they are at hand
    screens : which families an upload's answer calls uncertain
    remember : whether what is measured of pairs of models is kept for the next family
    watch : told how long it takes to find families and to solve them
    stamp : of the program, where a store outlives it: trees of another one are solved again

    Attributes
    ----------
    corrections : what people state, and the families that change with it

    Examples
    --------
    >>> system = ModelManagementSystem()
    >>> base = system.process_new_model(models / "base.safetensors")["model_id"]
    >>> placed = system.process_new_model(models / "tuned.safetensors")
    >>> placed["relation"], placed["parent_id"] == base
    ('adapter', True)
    """

    def __init__(
        self,
        store: HeritageStore | None = None,
        *,
        distance_metric: DistanceMetric = DistanceMetric.AUTO,
        family_threshold: float = 0.3,
        clustering_method: ClusteringMethod = ClusteringMethod.AUTO,
        tree_method: TreeBuildingMethod = TreeBuildingMethod.HERITAGE,
        lambda_param: float = 0.3,
        exact: bool = True,
        screens: Screens = USUAL,
        remember: bool = True,
        watch: Watch = watch_nobody,
        stamp: str = "",
    ) -> None:
        self.store: HeritageStore = InMemoryStore() if store is None else store
        self.distance_calculator = ModelDistanceCalculator(distance_metric)
        self.family_clustering = FamilyClusteringSystem(
            self.distance_calculator,
            family_threshold=family_threshold,
            method=clustering_method,
            screens=screens,
            watch=watch,
        )
        self.tree_builder = MoTHerTreeBuilder(
            self.store,
            method=tree_method,
            lambda_param=lambda_param,
            distance_calculator=self.distance_calculator,
            exact=StoredEvidence(self.store) if exact else None,
            remember=remember,
            watch=watch,
        )
        self._regrouping = Regrouping(
            self.store, self.family_clustering, self.tree_builder, stamp=stamp
        )
        self._reclustering = Reclustering(
            self.store, self.family_clustering, self.tree_builder, stamp=stamp
        )
        self.corrections = Corrections(self.store, self._regrouping)

    # Changing the genealogy ---------------------------------------------------------------

    def process_new_model(self, model: object) -> dict[str, Any]:
        """Store a model, find its family (or join several) and solve that family again.

        Processing a model a second time gives the same answer as the first.

        Returns
        -------
        ``status`` "success", ``model_id``, ``family_id``, ``family_size``, ``merged_families`` (ids
        that went up in this one), ``parent_id``, ``parent_confidence``, ``relation`` and ``edge``
        (None for a root), ``models_updated``, ``assignment_confidence`` (that it belongs to the
        family that was there, or to none; None for an adapter), ``candidates`` (families that the
        screens looked at, the most promising first, and whether they were uncertain)

        Examples
        --------
        >>> half = system.process_new_model(models / "half.safetensors")
        >>> half["relation"], half["family_size"]
        ('cast', 3)
        """
        model_id = self.store.add_model(model)
        record = self.store.get_model(model_id)
        cause = Cause.REPROCESS if record.family_id else Cause.UPLOAD
        joined, assignment = self._list_joined(model_id)
        replaced = self._regrouping.replace(
            self._regrouping.find_affected(joined, {model_id}),
            change=Change(cause=cause, model=record),
        )
        return self.describe_place(model_id, replaced) | {
            "assignment_confidence": assignment.confidence if assignment else None,
            "candidates": list_screened(assignment),
        }

    def process_new_models(self, models: Iterable[object]) -> None:
        """The same of several models at once: each family that they touch is solved only once.

        Examples
        --------
        >>> system.process_new_models([models / "half.safetensors", models / "base.safetensors"])
        >>> len(system.store.list_families())
        1
        """
        ids = {self.store.add_model(model) for model in models}
        joined = {family for model_id in ids for family in self._list_joined(model_id)[0]}
        affected = self._regrouping.find_affected(joined, ids)
        self._regrouping.replace(affected, change=Change(cause=Cause.UPLOAD))

    def _list_joined(self, model_id: str) -> tuple[set[str], Assignment | None]:
        """Families that a stored model is in, or belongs to, and why; None for an adapter."""
        own = self.store.get_model(model_id).family_id
        joined = {own} if own else set()
        fingerprint = self.store.load_fingerprint(model_id)
        if not fingerprint.is_adapter:
            assignment = self.find_families(fingerprint, exclude=model_id)
            return joined | set(assignment.family_ids), assignment
        return joined, None

    def describe_place(self, model_id: str, replaced: Replaced | None = None) -> dict[str, Any]:
        """What ``process_new_model`` tells of a model that has its place.

        Parameters
        ----------
        replaced : what finding it took, where that was done for this model

        Examples
        --------
        >>> system.describe_place(placed["model_id"])["parent_id"] == base
        True
        """
        return describe_place(self.store, model_id, replaced)

    def remove_model(self, model_id: str) -> dict[str, Any]:
        """Forget a model; its family is solved again without it, and may fall apart.

        Examples
        --------
        >>> system.remove_model(half["model_id"])["models_updated"]
        2
        """
        return {"model_id": model_id} | self.remove_models([model_id])

    def remove_models(
        self, model_ids: Sequence[str], *, families: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Forget models; each family is solved once without them.

        Parameters
        ----------
        families : ids of further families to solve again, of those that are there

        Returns
        -------
        ``status`` "success", ``models_updated`` (members of the families that were solved)

        Examples
        --------
        >>> system.remove_models([])["models_updated"]
        0
        """
        models = [self.store.get_model(model_id) for model_id in model_ids]
        touched = {model.family_id for model in models if model.family_id}
        touched |= {family_id for family_id in families if self._has_family(family_id)}
        affected = self._regrouping.find_affected(touched)
        adapters = self._regrouping.list_adapters(map(self.store.load_fingerprint, model_ids))
        for model_id in model_ids:
            self.store.remove_model(model_id)
        gone = frozenset(model_ids)
        replaced = self._regrouping.replace(
            replace(affected, members=affected.members - gone),
            adapters - gone,
            change=Change(cause=Cause.DELETION, model=models[0] if len(models) == 1 else None),
        )
        return {"status": "success", "models_updated": replaced.size}

    def _has_family(self, family_id: str) -> bool:
        try:
            self.store.get_family(family_id)
        except NotFound:
            return False
        return True

    def rebuild_family_tree(self, family_id: str) -> dict[str, Any]:
        """Solve one family again.

        Returns
        -------
        ``status`` "success", ``family_id``, ``models_updated`` (members) and ``tree_statistics``

        Examples
        --------
        >>> system.rebuild_family_tree(placed["family_id"])["models_updated"]
        2
        """
        replaced = self._regrouping.replace(
            self._regrouping.find_affected([family_id]), change=Change(cause=Cause.REBUILD)
        )
        tree, _ = self.tree_builder.build_family_tree(family_id)
        return {
            "status": "success",
            "family_id": family_id,
            "models_updated": replaced.size,
            "tree_statistics": self.tree_builder.get_tree_statistics(tree),
        }

    def recluster_all_models(
        self,
        progress: Progress | None = None,
        *,
        round_: str | None = None,
        helpers: Solvers | None = None,
    ) -> dict[str, Any]:
        """All families and trees from scratch: the same as they grew one by one.

        Families that were solved from just what they are made of now are left as they are.

        Parameters
        ----------
        round_ : a name, under which these are solved again as well; a second run under the same
            name goes on where the first was interrupted
        helpers : who solves the families where they are many; else this thread does

        Returns
        -------
        ``status`` "success", ``families``, ``families_solved`` and ``models_updated`` (members of
        these)

        Examples
        --------
        >>> system.recluster_all_models()["families"]
        1
        """
        outcome = self._reclustering.run(
            progress or _ignore_progress, round_=round_, helpers=helpers
        )
        return {
            "status": "success",
            "families": outcome.families,
            "families_solved": outcome.solved,
            "models_updated": outcome.models_solved,
        }

    def find_families(self, fingerprint: Fingerprint, *, exclude: str = VISITOR) -> Assignment:
        """The families that a model belongs to, in which ``exclude`` does not count.

        Examples
        --------
        >>> fingerprint = system.store.load_fingerprint(base)
        >>> system.find_families(fingerprint).family_ids == (placed["family_id"],)
        True
        """
        families = {
            family_id: [self.store.load_fingerprint(m) for m in members if m != exclude]
            for family_id, members in self.store.list_likely(fingerprint).items()
        }
        return self.family_clustering.assign(fingerprint, families)

    # Asking -------------------------------------------------------------------------------

    def identify(
        self,
        fingerprint: Fingerprint,
        open_weights: Callable[[], AbstractContextManager[Weights]] | None = None,
    ) -> dict[str, Any]:
        """Where would this model belong? Nothing is stored.

        Returns
        -------
        ``family_id`` (None for a stranger), ``family_name``, ``parent_id``, ``relation``,
        ``confidence``, ``edge``, ``candidates`` (relatives, most likely parent first) and
        ``children`` (stored models that would descend from it)

        Examples
        --------
        >>> from model_heritage_backend.fingerprints import fingerprint_weights
        >>> from model_heritage_backend.weights import open_weights
        >>> with open_weights(models / "half.safetensors") as weights:
        ...     fingerprint = fingerprint_weights(weights, checksum="of no matter here")
        >>> found = system.identify(fingerprint)
        >>> found["relation"], found["parent_id"] == placed["model_id"]
        ('cast', True)
        """
        found = self.find_families(fingerprint).family_ids
        visited = VisitedStore(self.store, fingerprint, open_weights)
        return place_visitor(visited, found, self.family_clustering, self.tree_builder)

    def compare(self, model_id: str, other_id: str) -> dict[str, Any]:
        """What differs between two models, tensor by tensor (see ``compare_models``), and
        ``kinship``: what the second is to the first by their family's tree.

        Examples
        --------
        >>> system.compare(base, placed["model_id"])["kinship"]["kind"]
        'child'
        """
        return compare_members(self.store, model_id, other_id)

    def get_family_genealogy(self, family_id: str) -> dict[str, Any]:
        """``family``, ``models``, ``tree`` and ``statistics`` of one family.

        Examples
        --------
        >>> [model.name for model in system.get_family_genealogy("f_1")["models"]]
        ['base', 'tuned']
        """
        family = self.store.get_family(family_id)
        tree, _ = self.tree_builder.build_family_tree(family_id)
        return {
            "family": {"id": family.id, "name": family.name, "size": len(family.tree.members)},
            "models": [self.store.get_model(member) for member in family.tree.members],
            "tree": family.tree,
            "statistics": self.tree_builder.get_tree_statistics(tree),
        }

    def get_model_lineage(self, model_id: str) -> dict[str, Any]:
        """Parents, children, siblings, ancestors and descendants, each with its edge's doubt.

        Examples
        --------
        >>> [child["name"] for child in system.get_model_lineage(base)["children"]]
        ['tuned']
        """
        return describe_lineage(self.store, model_id)

    def get_system_statistics(self) -> dict[str, Any]:
        """Totals of the lake: models, families, edges, relations, mean confidence.

        Examples
        --------
        >>> system.get_system_statistics()["relations"]
        {'adapter': 1}
        """
        return describe_counts(self.store.count()) | {
            "tree_method": self.tree_builder.method.value,
            "clustering_method": self.family_clustering.method.value,
            "distance_metric": self.distance_calculator.metric.value,
        }


def _ignore_progress(share: float, stage: str) -> None:
    """Nobody is watching."""
