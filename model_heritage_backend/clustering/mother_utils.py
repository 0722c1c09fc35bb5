"""The formulas of the MoTHer paper, and nothing else.

Written from Horwitz, Shul and Hoshen, "Unsupervised Model Tree Heritage Recovery"
(arXiv 2405.18432): section 4 for the distance between models, the direction of an edge and the
minimum directed spanning tree that joins the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.arborescence import find_minimum_arborescence
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.fingerprints.names import canonicalise_names
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.weights import open_weights

LAMBDA = 0.3
"""Weight of the direction against the distance."""

Array = NDArray[np.floating]


def load_model_weights(path: str | Path) -> dict[str, Array]:
    """The weight matrices of a checkpoint (attention, dense, linear, convolution, embedding).

    Whole matrices are held in memory: for looking at single models. Families are compared by
    fingerprints, which are not.

    Returns
    -------
    Canonical tensor name -> array in the tensor's shape, float32 (float64 where the file needs it)

    Raises
    ------
    HeritageError
        When the file is missing or is not a valid checkpoint.

    Examples
    --------
    >>> base, tuned = (load_model_weights(models / f"{n}.safetensors") for n in ("base", "tuned"))
    >>> len(base), {matrix.shape for matrix in base.values()}
    (6, {(96, 96)})
    """
    with open_weights(Path(path)) as weights:
        names = canonicalise_names(weights)
        return {
            names[name]: tensor.read_rows(0, tensor.row_count).reshape(tensor.shape)
            for name, tensor in weights.items()
            if is_matrix(tensor.shape)
        }


def is_square(shape: tuple[int, ...]) -> bool:
    """Whether a tensor of this shape counts for ``calc_ku``.

    Examples
    --------
    >>> is_square((96, 96)), is_square((96, 32)), is_square((96,))
    (True, False, False)
    """
    return len(shape) == 2 and shape[0] == shape[1]


def calc_ku(weights: Mapping[str, Array]) -> float:
    """Sum of the excess kurtosis (normal = 0) of all square matrices.

    Section 4.2: the statistic that orders parents and children. A model that has no square matrix
    is measured by all its matrices.

    Examples
    --------
    >>> calc_ku({"outliers": np.diag([1.0, 1.0])}), calc_ku({"flat": np.eye(2) - 0.5})
    (-2.0, -2.0)
    """
    square = [array for array in weights.values() if is_square(array.shape)]
    return float(sum(_kurtosis(array) for array in square or weights.values()))


def _kurtosis(array: Array) -> float:
    """Excess kurtosis of the finite values; 0 for a constant array."""
    values = array[np.isfinite(array)].astype(np.float64)
    squares = (values - values.mean()) ** 2 if values.size else np.zeros(1)
    variance = squares.mean()
    return float((squares**2).mean() / variance**2 - 3.0) if variance > 0 else 0.0


def calculate_l2_distance(first: Mapping[str, Array], second: Mapping[str, Array]) -> float:
    """Mean over layers of the L2 norm of the difference, >= 0 (section 4.1, full fine-tuning).

    Layers that only one model has, or that differ in shape, do not take part.

    Raises
    ------
    InvalidRequest
        When the models have no layer in common.

    Examples
    --------
    >>> calculate_l2_distance({"a": np.zeros((2, 2))}, {"a": np.ones((2, 2)), "b": np.ones(1)})
    2.0
    """
    shared = [name for name in first if name in second and first[name].shape == second[name].shape]
    if not shared:
        raise InvalidRequest("The models have no layer in common.")
    deltas = [first[name].astype(np.float64) - second[name] for name in shared]
    return float(np.mean([np.linalg.norm(delta) for delta in deltas]))


def weigh_direction(
    distances: NDArray[np.float64], kurtoses: NDArray[np.float64], *, lambda_param: float = LAMBDA
) -> NDArray[np.float64]:
    """Costs of all edges: distance + lambda x mean distance x [kurtosis order violated].

    Section 4.3. Fine-tuning takes away outliers, so an edge to a child of *larger* kurtosis
    violates the order (section 4.2, specialisation stage).

    Parameters
    ----------
    distances : (n, n), symmetric; infinity where two models cannot be compared
    kurtoses : (n,)

    Returns
    -------
    (n, n) costs of parent (row) -> child (column)

    Examples
    --------
    >>> distances = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> weigh_direction(distances, np.array([5.0, 2.0]))  # from the first to the second is free
    array([[0. , 1. ],
           [1.3, 0. ]])
    """
    others = np.isfinite(distances) & ~np.eye(len(distances), dtype=bool)
    mean = float(distances[others].mean()) if others.any() else 0.0
    violated = kurtoses[:, None] < kurtoses[None, :]
    return distances + lambda_param * mean * violated


def build_tree(
    distances: NDArray[np.float64], kurtoses: NDArray[np.float64], lambda_param: float = LAMBDA
) -> nx.DiGraph[int]:
    """The model tree: minimum arborescence of the weighted distances (section 4.3).

    Returns
    -------
    Graph on 0..n-1, edges from parent to child with their ``distance``

    Raises
    ------
    InvalidRequest
        When infinite distances leave no tree that reaches every model.

    Examples
    --------
    >>> distances = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 1.0], [5.0, 1.0, 0.0]])
    >>> list(build_tree(distances, np.array([9.0, 5.0, 2.0])).edges)
    [(0, 1), (1, 2)]
    """
    distances = np.asarray(distances, np.float64)
    kurtoses = np.asarray(kurtoses, np.float64)
    parents = find_minimum_arborescence(
        weigh_direction(distances, kurtoses, lambda_param=lambda_param)
    )
    tree: nx.DiGraph[int] = nx.DiGraph()
    tree.add_nodes_from(range(len(parents)))
    for child, parent in enumerate(parents.tolist()):
        if parent >= 0:
            tree.add_edge(parent, child, distance=float(distances[parent, child]))
    return tree
