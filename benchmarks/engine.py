"""Our engine on a folder of checkpoints, through its public Python interface."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_heritage_backend.clustering import ModelManagementSystem, TreeBuildingMethod
from model_heritage_backend.clustering.memory_store import InMemoryStore, hash_file
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights import open_weights


def read_fingerprints(folder: Path) -> dict[Path, Fingerprint]:
    """Fingerprint of every ``.safetensors`` file in a folder."""
    prints = {}
    for path in sorted(folder.glob("*.safetensors")):
        with open_weights(path) as weights:
            prints[path] = fingerprint_weights(weights, checksum=hash_file(path))
    return prints


def solve(
    prints: Mapping[Path, Fingerprint], method: TreeBuildingMethod
) -> tuple[dict[str, Any], float]:
    """Heritage document of the fingerprinted files by one method, and the seconds it took.

    Families are found by the engine, whatever the method: nothing of the truth is given.
    """
    store = InMemoryStore()
    for path, fingerprint in prints.items():
        store.add_fingerprint(fingerprint, id=path.stem, name=path.stem, path=path)
    system = ModelManagementSystem(store, tree_method=method)
    begun = time.perf_counter()
    system.recluster_all_models()
    seconds = time.perf_counter() - begun
    return make_document(store, {path.stem: path.name for path in prints}), seconds


def make_document(store: HeritageStore, files: Mapping[str, str]) -> dict[str, Any]:
    """What a store knows, in the shape of the ``model-heritage/1`` document.

    ``files`` gives the path of every model's file, relative to the folder.
    """
    families = store.list_families()
    return {
        "schema": "model-heritage/1",
        "models": [
            {
                "id": record.id,
                "path": files[record.id],
                "checksum": record.checksum,
                "family": record.family_id,
                "total_parameters": store.load_fingerprint(record.id).total_parameters,
            }
            for record in store.list_models()
        ],
        "edges": [
            {
                "parent": edge.parent,
                "child": edge.child,
                "main": edge.main,
                "relation": edge.relation.value,
                "coefficient": edge.coefficient,
                "confidence": edge.confidence,
                "distance": edge.distance,
                "evidence": edge.evidence.to_dict(),
            }
            for family in families
            for edge in family.tree.edges
        ],
        "families": [
            {"id": family.id, "root": family.tree.root, "size": len(family.tree.members)}
            for family in families
        ],
        "ghosts": [
            {"id": ghost.id, "family": family.id, "children": list(ghost.children)}
            for family in families
            for ghost in family.tree.ghosts
        ],
        "errors": [],
    }
