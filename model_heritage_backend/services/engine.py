"""The engine as the settings want it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Self

from model_heritage_backend.clustering import (
    ClusteringMethod,
    DistanceMetric,
    HeritageStore,
    ModelManagementSystem,
    TreeBuildingMethod,
)
from model_heritage_backend.clustering.family_routing import USUAL, Screens
from model_heritage_backend.clustering.genealogy import choose_threshold
from model_heritage_backend.clustering.watching import Watch, watch_nobody
from model_heritage_backend.config import Settings
from model_heritage_backend.places import stamp_engine


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """How families and trees are found; see the settings of the same names."""

    distance_metric: DistanceMetric = DistanceMetric.AUTO
    clustering_method: ClusteringMethod = ClusteringMethod.AUTO
    family_threshold: float = 0.3
    tree_method: TreeBuildingMethod = TreeBuildingMethod.HERITAGE
    lambda_param: float = 0.3
    screens: Screens = USUAL
    cache_distances: bool = True

    @classmethod
    def choose(cls, settings: Settings) -> Self:
        """Those of the settings. The threshold of what is unresolved is chosen for all of the
        process, as edges and queries ask for it everywhere."""
        choose_threshold(settings.confidence_threshold)
        return cls(
            distance_metric=DistanceMetric(settings.distance_metric),
            clustering_method=ClusteringMethod(settings.clustering_method),
            family_threshold=settings.family_threshold,
            tree_method=TreeBuildingMethod(settings.tree_method),
            lambda_param=settings.lambda_param,
            screens=Screens(
                structural_threshold=settings.structural_threshold,
                uncertainty_threshold=settings.uncertainty_threshold,
                validation_factor=settings.validation_factor,
            ),
            cache_distances=settings.cache_distances,
        )

    def build(self, store: HeritageStore, watch: Watch = watch_nobody) -> ModelManagementSystem:
        """``watch`` is told how long the stages take."""
        return ModelManagementSystem(
            store,
            distance_metric=self.distance_metric,
            family_threshold=self.family_threshold,
            clustering_method=self.clustering_method,
            tree_method=self.tree_method,
            lambda_param=self.lambda_param,
            screens=self.screens,
            remember=self.cache_distances,
            watch=watch,
            stamp=self._stamp(),
        )

    def _stamp(self) -> str:
        """Of the program and of the options that decide what a genealogy looks like."""
        decisive = replace(self, screens=USUAL, cache_distances=True)
        stamp = stamp_engine()
        if decisive == EngineOptions():
            return stamp
        return hashlib.sha256(f"{stamp} {decisive}".encode()).hexdigest()[: len(stamp)]
