"""Families, trees, relations and doubt, from fingerprints and the weights of a tree's edges.

Pure numerics: what is needed from storage is stated in store.py, as one Protocol.
"""

from model_heritage_backend.clustering.distance_calculator import (
    DistanceMetric,
    ModelDistanceCalculator,
)
from model_heritage_backend.clustering.family_clustering import (
    ClusteringMethod,
    FamilyClusteringSystem,
)
from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    GhostLimit,
    Relation,
)
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.store import FamilyRecord, HeritageStore, ModelRecord
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder, TreeBuildingMethod

__all__ = [
    "ClusteringMethod",
    "DistanceMetric",
    "Edge",
    "Evidence",
    "FamilyClusteringSystem",
    "FamilyRecord",
    "FamilyTree",
    "Ghost",
    "GhostLimit",
    "HeritageStore",
    "InMemoryStore",
    "MoTHerTreeBuilder",
    "ModelDistanceCalculator",
    "ModelManagementSystem",
    "ModelRecord",
    "Relation",
    "TreeBuildingMethod",
]
