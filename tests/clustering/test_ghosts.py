"""Missing ancestors: hand-worked angles, and families with a member taken out."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import networkx as nx
import numpy as np
import pytest

from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.genealogy import Ghost, GhostLimit
from model_heritage_backend.clustering.ghosts import (
    SURE,
    Gap,
    drop_edges,
    find_gaps,
    find_limit,
    measure_corners,
    name_ghosts,
)
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.whitening import MATRICES_AT_LEAST, WhitenedSteps
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import make_edge, make_model
from tests.clustering.models import add_noise, fingerprint_arrays

Tree = Sequence[tuple[object, object, float]]


def measure_tree(links: Tree, *, matrices: int = MATRICES_AT_LEAST) -> WhitenedSteps:
    """Steps that are all independent: squared distances add up along a tree of squared steps."""
    tree: nx.Graph[object] = nx.Graph()
    tree.add_weighted_edges_from(links)
    lengths = dict(nx.all_pairs_dijkstra_path_length(tree))
    places = [node for node in tree if isinstance(node, int)]
    squares = np.zeros((len(places), len(places)))
    for a, b in itertools.product(places, places):
        squares[a, b] = lengths[a][b]
    return WhitenedSteps(np.ones(matrices), np.stack([squares] * matrices))


def find(
    parents: Mapping[int, int],
    steps: WhitenedSteps,
    *,
    fixed: Collection[tuple[int, int]] = (),
    root: int | None = None,
) -> list[Gap]:
    return find_gaps(parents, steps, measure_corners(parents, steps, fixed=fixed), root=root)


#            ┌─ 1
# 0 ── (?) ──┼─ 2      5, 6 and 7 are children of 0 that are no relatives of each other
#            ├─ 3
#            └─ 4
BELOW = [(0, "?", 0.5), *(("?", n, 1.0) for n in (1, 2, 3, 4)), *((0, n, 1.0) for n in (5, 6, 7))]
STAR = dict.fromkeys(range(1, 8), 0)


def test_a_missing_child_is_found_with_its_children_and_distances() -> None:
    [gap] = find(STAR, measure_tree(BELOW))
    assert (gap.children, gap.parent, gap.corner) == ((1, 2, 3, 4), 0, 0)
    assert gap.confidence > SURE
    assert gap.shares == {n: pytest.approx(2 / 3) for n in (1, 2, 3, 4)}
    assert gap.measure_distances(lambda _a, _b: 1.5**0.5) == pytest.approx((1.0,) * 4)


def test_what_seems_a_parent_may_be_a_sibling() -> None:
    """0 ── (?) ─┬─ 1 ..., and 1 seems to be the parent of the others: its way up is shared, too."""
    links = [(0, "?", 1.0), ("?", 1, 0.5), *(("?", n, 1.0) for n in (2, 3, 4))]
    [gap] = find({1: 0, 2: 1, 3: 1, 4: 1}, measure_tree(links))
    assert (gap.children, gap.parent, gap.corner) == ((1, 2, 3, 4), 0, 1)
    assert gap.measure_distances(lambda _a, _b: 1.5**0.5)[0] == pytest.approx(0.5**0.5)


def test_a_missing_root_leaves_no_parent() -> None:
    links = [("?", 0, 0.5), *(("?", n, 1.0) for n in (1, 2, 3, 4))]
    steps, parents = measure_tree(links), {1: 0, 2: 0, 3: 0, 4: 0}
    [gap] = find(parents, steps)
    assert (gap.children, gap.parent) == ((0, 1, 2, 3, 4), None)
    [pinned] = find(parents, steps, root=0)
    assert (pinned.children, pinned.parent) == ((1, 2, 3, 4), 0)


def test_nothing_is_missing_from_a_complete_family() -> None:
    links = [(0, 1, 1.0), (0, 2, 1.0), (1, 3, 0.3), (1, 4, 1.0), (2, 5, 2.0)]
    assert find({1: 0, 2: 0, 3: 1, 4: 1, 5: 2}, measure_tree(links)) == []


def test_too_few_matrices_and_proven_edges_say_nothing() -> None:
    assert find(STAR, measure_tree(BELOW, matrices=MATRICES_AT_LEAST - 1)) == []
    proven = {(0, n) for n in (2, 3, 4)}
    assert find(STAR, measure_tree(BELOW), fixed=proven) == []


def measure_drifted(drift: Sequence[float]) -> WhitenedSteps:
    """A parent, 0, and children that went in one direction as far as told, and on their own."""
    way = np.array([0.0, *drift])
    own = np.where(way > 0, 0.5, 0.0)
    squares = (way[:, None] - way[None]) ** 2 + own[:, None] + own[None]
    np.fill_diagonal(squares, 0.0)
    return WhitenedSteps(np.ones(MATRICES_AT_LEAST), np.stack([squares] * MATRICES_AT_LEAST))


def test_a_family_says_why_no_ancestor_could_be_missed() -> None:
    def limit(parents: Mapping[int, int], steps: WhitenedSteps) -> GhostLimit | None:
        corners = measure_corners(parents, steps)
        return find_limit(corners, find_gaps(parents, steps, corners))

    right_angles = [(0, n, 1.0) for n in range(1, 8)]
    assert limit(STAR, measure_tree(right_angles)) is None
    assert limit(STAR, measure_tree(BELOW)) is None
    few = measure_tree(right_angles, matrices=MATRICES_AT_LEAST - 1)
    assert limit(STAR, few) is GhostLimit.FEW_MATRICES
    assert limit({1: 0, 2: 0}, measure_tree(right_angles[:2])) is GhostLimit.FEW_MODELS
    parents, drifted = dict.fromkeys(range(1, 5), 0), measure_drifted([0.5, 0.9, 1.4, 3.0])
    assert limit(parents, drifted) is GhostLimit.DRIFT


def test_uneven_products_are_drift() -> None:
    """What is one way for all is the same for all; drift is stronger in some than in others."""
    parents = dict.fromkeys(range(1, 5), 0)
    [even] = find(parents, measure_drifted([1.0, 1.0, 1.0, 1.0]))
    [uneven] = find(parents, measure_drifted([0.5, 0.7, 1.0, 1.4]))
    assert even.children == uneven.children
    assert uneven.confidence < even.confidence - 0.05


def test_a_family_of_acute_angles_is_not_believed() -> None:
    """The same gap beside a second corner whose angles are as acute."""
    second = [(5, "drift", 0.5), *(("drift", n, 1.0) for n in (8, 9, 10, 11))]
    parents = {**STAR, **dict.fromkeys((8, 9, 10, 11), 5)}
    assert find(parents, measure_tree([*BELOW, *second])) == []


def make_gap(confidence: float) -> Gap:
    return Gap(children=(1, 2), parent=0, confidence=confidence, corner=0, shares={1: 0.75, 2: 0.5})


def test_sure_gaps_are_told_and_take_edges_away() -> None:
    edges = [
        make_edge("a", "b", confidence=0.8),
        make_edge("a", "c", confidence=0.8),
        make_edge("b", "d", confidence=0.8),
        make_edge("d", "c", confidence=0.8, main=False),
    ]
    sure, possible = make_gap(SURE), make_gap(SURE - 0.01)
    told = name_ghosts([sure, possible], "abcd", lambda _a, _b: 1.0)
    assert drop_edges(edges, told) == edges[2:]
    assert told == (
        Ghost(
            id="ghost-1",
            children=("b", "c"),
            confidence=SURE,
            parent="a",
            distances=(0.75**0.5, 0.5**0.5),
        ),
    )


@pytest.fixture(scope="module")
def prints() -> Mapping[str, Fingerprint]:
    """base ─┬─ missing ── c0 ... c4, and base ── o0 ... o2: every step is independent."""
    base = make_model(1)
    missing = add_noise(base, share=0.1, seed=2)
    models = {"base": base, "missing": missing}
    models |= {f"c{n}": add_noise(missing, share=0.12, seed=10 + n) for n in range(5)}
    models |= {f"o{n}": add_noise(base, share=0.12, seed=20 + n) for n in range(3)}
    return {name: fingerprint_arrays(arrays) for name, arrays in models.items()}


def test_a_ghost_is_filled_when_its_model_arrives(prints: Mapping[str, Fingerprint]) -> None:
    children = tuple(f"c{n}" for n in range(5))
    known = Constraints(root="base")
    present = {name: p for name, p in prints.items() if name != "missing"}
    without = solve_family(present, constraints=known)
    [ghost] = without.ghosts
    assert set(ghost.children) == set(children)
    assert not {*children} & without.main_edges.keys()
    assert ghost.distances == pytest.approx((0.12,) * 5, rel=0.2)
    whole = solve_family(prints, constraints=known)
    assert whole.ghosts == ()
    assert {whole.main_edges[child].parent for child in children} == {"missing"}


def test_a_real_family_that_is_complete_has_no_ghost(
    family_prints: dict[str, Fingerprint],
) -> None:
    assert solve_family(family_prints).ghosts == ()
