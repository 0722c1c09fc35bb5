"""The usage examples of the specification, run as they stand there on real models."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering import (
    ClusteringMethod,
    DistanceMetric,
    ModelManagementSystem,
    TreeBuildingMethod,
)


@pytest.fixture(params=["default", "custom"])
def mgmt(request: pytest.FixtureRequest) -> ModelManagementSystem:
    """Initialize the management system: default and custom configuration."""
    if request.param == "default":
        return ModelManagementSystem()
    return ModelManagementSystem(
        distance_metric=DistanceMetric.MATRIX_RANK,
        family_threshold=0.3,
        clustering_method=ClusteringMethod.DBSCAN,
        tree_method=TreeBuildingMethod.MOTHER,
        lambda_param=0.7,
    )


def test_usage(mgmt: ModelManagementSystem, zoo_family: Zoo, strangers: list[Path]) -> None:
    # Process a new model: the complete pipeline. An adapter of the base, as rank finds both ways.
    for model in (*strangers, zoo_family.path("base"), zoo_family.path("inverted-lora")):
        result = mgmt.process_new_model(model)
        assert result["status"] == "success"

    family_id = result["family_id"]
    parent_id = result["parent_id"]
    confidence = result["parent_confidence"]
    assert result["family_size"] == 2
    ends = {result["model_id"], *(record.id for record in mgmt.store.list_models())}
    assert parent_id is None or parent_id in ends - {result["model_id"]}
    assert confidence is None or 0.0 <= confidence <= 1.0

    # Rebuild a family's tree.
    result = mgmt.rebuild_family_tree(family_id)
    assert result["status"] == "success"
    updated_count = result["models_updated"]
    tree_stats = result["tree_statistics"]
    assert updated_count == 2
    assert (tree_stats["node_count"], tree_stats["edge_count"]) == (2, 1)

    # Get a family's genealogy.
    genealogy = mgmt.get_family_genealogy(family_id)
    family_info = genealogy["family"]
    models = genealogy["models"]
    tree = genealogy["tree"]
    statistics = genealogy["statistics"]
    assert family_info["id"] == family_id
    assert {model.id for model in models} == set(tree.members)
    assert statistics == tree_stats

    # Debugging tools.
    stats = mgmt.get_system_statistics()
    assert stats["total_models"] == 6
    assert stats["total_families"] == 5
    assert stats["tree_method"] == mgmt.tree_builder.method.value
    tree_builder = mgmt.tree_builder
    graph, confidences = tree_builder.build_family_tree(family_id)
    is_valid, issues = tree_builder.validate_tree(graph)
    assert is_valid, issues
    assert issues == []
    assert set(confidences) == set(graph.edges)
    assert tree_builder.get_tree_statistics(graph) == tree_stats

    # Recovery: everything from scratch gives the same.
    before = mgmt.store.get_family(family_id).tree
    assert mgmt.recluster_all_models()["families"] == 5
    assert mgmt.store.get_family(family_id).tree == before


def test_the_names_of_the_specification() -> None:
    assert [metric.name for metric in DistanceMetric] == [
        "L2_DISTANCE",
        "MATRIX_RANK",
        "COSINE_SIMILARITY",
        "AUTO",
    ]
    assert [method.name for method in ClusteringMethod] == ["DBSCAN", "KMEANS", "THRESHOLD", "AUTO"]
    names = {method.name for method in TreeBuildingMethod}
    assert names >= {"MOTHER", "DISTANCE_ONLY", "KURTOSIS_ONLY"}
