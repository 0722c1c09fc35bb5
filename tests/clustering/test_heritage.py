"""The default method: hand-made families, and laws of all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering import heritage
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.genealogy import (
    Edge,
    FamilyTree,
    Relation,
)
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.pair_statistics import SPECTRA, Detail, measure_details
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.extract import fingerprint_sampled
from tests.clustering.families import (
    Arrays,
    Floats,
    assert_lawful,
    list_main,
    make_model,
    mix_arrays,
    prune_arrays,
    quantise_arrays,
    rename_arrays,
)
from tests.clustering.models import ArrayWeights, add_noise, fingerprint_arrays

BASE = make_model(1)


def solve(models: Mapping[str, Arrays]) -> FamilyTree:
    return solve_family({name: fingerprint_arrays(arrays) for name, arrays in models.items()})


def list_undirected(tree: FamilyTree) -> set[frozenset[str]]:
    return {frozenset(edge) for edge in list_main(tree)}


def test_a_model_alone_is_its_root() -> None:
    tree = solve({"only": BASE})
    assert (tree.root, tree.edges, tree.root_confidence) == ("only", (), 1.0)


def test_equal_models_cannot_be_told_apart() -> None:
    """Each of three may be the first; one of them stands for all."""
    tree = solve({name: rename_arrays(BASE, f"{name}.") for name in "abc"})
    assert_lawful(tree, "abc")
    assert {edge.relation for edge in tree.edges} == {Relation.DUPLICATE}
    assert {edge.parent for edge in tree.edges} == {tree.root}
    assert [edge.confidence for edge in tree.edges] == pytest.approx([1 / 3, 1 / 3])
    assert {edge.distance for edge in tree.edges} == {0.0}


def test_what_equal_models_come_from_is_no_less_sure() -> None:
    """Which of the two was made and which is its copy cannot be told; their line is the same."""
    models = {"base": BASE, "child": add_noise(BASE, share=0.1, seed=2)}
    models["other"] = add_noise(BASE, share=0.1, seed=3)
    alone = solve(models).main_edges
    tree = solve({**models, "twin": rename_arrays(models["child"], "twin.")})
    assert_lawful(tree, ["base", "child", "other", "twin"])
    first = next(e for e in tree.edges if {e.parent, e.child} & {"child", "twin"} == {e.child})
    copy = next(e for e in tree.edges if e.relation is Relation.DUPLICATE)
    assert {first.child, copy.child} == {"child", "twin"}
    assert copy.confidence == 0.5
    assert alone["child"].confidence > 0.6
    assert first.confidence == pytest.approx(alone["child"].confidence, abs=0.02)


def test_neighbours_in_a_line_are_doubted_where_their_order_cannot_be_told() -> None:
    """Of a -> b -> c the last step is tiny: c may as well be between a and b."""
    b = add_noise(BASE, share=0.1, seed=2)
    found = {}
    for share in (0.1, 0.001):
        models = {"a": BASE, "b": b, "c": add_noise(b, share=share, seed=3)}
        prints = {name: fingerprint_arrays(arrays) for name, arrays in models.items()}
        tree = solve_family(prints, constraints=Constraints(root="a"))
        found[share] = [edge.confidence for edge in tree.edges]
    assert min(found[0.1]) > 0.7 > max(found[0.001])


def test_copies_descend_from_their_source() -> None:
    """base ── child ─┬─ pruned
    └─ eight ── four
    """
    child = add_noise(BASE, share=0.2, seed=1)
    eight = quantise_arrays(child, 8)
    models = {"base": BASE, "child": child, "pruned": prune_arrays(child, 0.4), "eight": eight}
    models["four"] = quantise_arrays(eight, 4)
    edges = solve(models).main_edges
    found = {name: (edge.parent, edge.relation) for name, edge in edges.items()}
    assert found["pruned"] == ("child", Relation.PRUNED)
    assert found["eight"] == ("child", Relation.QUANTIZED)
    assert found["four"] == ("eight", Relation.QUANTIZED)
    assert [edges[name].evidence.bits for name in ("eight", "four", "pruned")] == [8, 4, None]
    assert edges["pruned"].evidence.zero_fraction == pytest.approx(0.4, abs=0.01)
    assert edges["eight"].evidence.zero_fraction is None


def test_a_model_trained_from_a_copy_hangs_from_the_copy() -> None:
    """base ── pruned ── tuned: the zeros are trained on, so that no proof is left."""
    pruned = prune_arrays(BASE, 0.5)
    tree = solve({"base": BASE, "pruned": pruned, "tuned": add_noise(pruned, share=0.02, seed=1)})
    assert list_undirected(tree) == {frozenset(("base", "pruned")), frozenset(("pruned", "tuned"))}


def test_a_quantised_model_without_a_source_is_the_child() -> None:
    """Its own source is not here: most quantised models are ends of lines."""
    grid = quantise_arrays(BASE, 4)
    tree = solve({"grid": grid, "tuned": add_noise(grid, share=0.05, seed=3)})
    assert list_main(tree) == {("tuned", "grid")}


def test_training_leaves_the_grid() -> None:
    """base -> grid -> tuned: the source of grid is known, so tuned was trained on from it."""
    grid = quantise_arrays(BASE, 4)
    tuned = add_noise(grid, share=0.05, seed=3)
    tree = solve({"base": BASE, "grid": grid, "tuned": tuned})
    assert list_main(tree) == {("base", "grid"), ("grid", "tuned")}


def test_added_rows_come_later() -> None:
    tokens = np.random.default_rng(0).standard_normal((100, 24)).astype(np.float32)
    new = np.random.default_rng(1).standard_normal((4, 24)).astype(np.float32)
    short = {**BASE, "tokens.weight": tokens}
    long = {**add_noise(BASE, share=0.1, seed=1), "tokens.weight": np.concatenate([tokens, new])}
    tree = solve({"short": short, "long": long})
    assert list_main(tree) == {("short", "long")}
    assert tree.main_edges["long"].evidence.flags == ("extended_vocabulary",)


def test_a_merge_has_two_parents() -> None:
    r"""base ─┬─ left ──┬─ merge = 0.7 left + 0.3 right
    └─ right ─┘
    """
    left, right = (add_noise(BASE, share=0.2, seed=seed) for seed in (1, 2))
    models = {"base": BASE, "left": left, "right": right, "merge": mix_arrays(left, right, 0.7)}
    tree = solve(models)
    parents = {e.parent: e for e in tree.edges if e.child == "merge"}
    assert {name: edge.main for name, edge in parents.items()} == {"left": True, "right": False}
    shares = {name: edge.coefficient for name, edge in parents.items()}
    assert shares == pytest.approx({"left": 0.7, "right": 0.3}, abs=1e-3)
    assert {edge.relation for edge in parents.values()} == {Relation.MERGE}
    assert min(edge.confidence for edge in parents.values()) >= 0.95
    assert all(edge.coefficient is None for edge in tree.edges if edge.child != "merge")


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
@pytest.mark.parametrize("coefficient", [0.5, 0.7, 0.85])
def test_a_merge_may_be_trained_on(share: float, coefficient: float) -> None:
    r"""base ─┬─ left ──┬─ merge ── tuned ── again
    └─ right ─┘
    """
    left, right = (add_noise(BASE, share=0.2, seed=seed) for seed in (1, 2))
    merge = mix_arrays(left, right, coefficient)
    tuned = add_noise(merge, share=share, seed=5)
    models = {"base": BASE, "left": left, "right": right, "merge": merge, "tuned": tuned}
    tree = solve({**models, "again": add_noise(tuned, share=share, seed=6)})
    links = list_undirected(tree) - {frozenset(("merge", name)) for name in ("left", "right")}
    line = [("base", "left"), ("base", "right"), ("merge", "tuned"), ("tuned", "again")]
    assert links == {frozenset(pair) for pair in line}
    assert {e.parent for e in tree.edges if e.child == "merge"} == {"left", "right"}


def test_siblings_that_drifted_together_are_side_by_side() -> None:
    """Five children, most of them nearer to each other than to their parent.

    Not all drift equally far: what they have in common would be an ancestor else.
    """
    models = {}
    for seed, share in enumerate((0.05, 0.1, 0.2, 0.25, 0.3), 2):
        drifted = add_noise(BASE, share=share, seed=1, rank=1)
        models[f"c{seed}"] = add_noise(drifted, share=0.05, seed=seed)
    tree = solve({"base": BASE, **models})
    assert list_undirected(tree) == {frozenset(("base", name)) for name in models}


def test_names_of_tensors_do_not_matter() -> None:
    """A member saved under another prefix, or under names of which no prefix is common to all."""
    child = add_noise(BASE, share=0.1, seed=1)
    last = add_noise(child, share=0.1, seed=2)
    plain = list_undirected(solve({"base": BASE, "child": child, "last": last}))
    wrapped = rename_arrays(child, "module.model.")
    assert list_undirected(solve({"base": BASE, "child": wrapped, "last": last})) == plain
    odd: dict[str, Floats] = {**rename_arrays(last, "wrapped."), "scale": np.ones(3, np.float32)}
    assert list_undirected(solve({"base": BASE, "child": child, "last": odd})) == plain


@pytest.mark.parametrize("scale", [1e-90, 1e200, 1e306])
def test_numbers_that_no_float32_holds_break_nothing(scale: float) -> None:
    models = {"base": BASE, "child": add_noise(BASE, share=0.1, seed=1)}
    wide = {
        name: {n: a.astype(np.float64) * scale for n, a in arrays.items()}
        for name, arrays in models.items()
    }
    assert_lawful(solve(wide), list(models))


OPERATIONS: dict[str, Callable[[Arrays, Arrays, int], Arrays]] = {
    "full": lambda source, _, seed: add_noise(source, share=0.2, seed=seed),
    "small": lambda source, _, seed: add_noise(source, share=0.002, seed=seed),
    "low": lambda source, _, seed: add_noise(source, share=0.2, seed=seed, rank=2),
    "grid": lambda source, *_: quantise_arrays(source, 8),
    "prune": lambda source, *_: prune_arrays(source, 0.3),
    "copy": lambda source, *_: source,
    "mix": lambda source, other, _: mix_arrays(source, other, 0.6),
    "bias": lambda source, *_: {**source, "norm.weight": 1.1 * source["norm.weight"]},
    "body": lambda source, *_: {n: a for n, a in source.items() if "1.dense" not in n},
}


@st.composite
def draw_family(draw: st.DrawFn) -> dict[str, Arrays]:
    """Random trees of one to six models by random operations."""
    models: dict[str, Arrays] = {"m0": make_model(draw(st.integers(0, 50)), width=16)}
    for number in range(1, draw(st.integers(2, 6))):
        source, other = (models[draw(st.sampled_from(sorted(models)))] for _ in range(2))
        kind = draw(st.sampled_from(sorted(OPERATIONS)))
        if source.keys() == other.keys() or kind != "mix":
            models[f"m{number}"] = OPERATIONS[kind](source, other, number)
    return models


@given(draw_family(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_every_family_has_a_lawful_tree_in_any_order(
    models: dict[str, Arrays], chance: random.Random
) -> None:
    """Neither the order of members nor that of their tensors matters."""
    tree = solve(models)
    assert_lawful(tree, list(models))
    names = list(models)
    chance.shuffle(names)
    prints = {name: fingerprint_arrays(models[name]) for name in names}
    turned = {}
    for name, fingerprint in prints.items():
        tensors = list(fingerprint.tensors.items())
        turned[name] = replace(fingerprint, tensors=dict(reversed(tensors)))
    assert solve_family(prints) == tree
    assert solve_family(turned) == tree


def translate(tree: FamilyTree, ids: Mapping[str, str]) -> list[Edge]:
    """A tree's edges under other ids."""
    edges = []
    for edge in tree.edges:
        second = edge.evidence.runner_up
        evidence = replace(edge.evidence, runner_up=None if second is None else ids[second])
        moved = replace(edge, parent=ids[edge.parent], child=ids[edge.child], evidence=evidence)
        edges.append(moved)
    return sorted(edges, key=lambda edge: (edge.child, edge.parent))


def test_ids_do_not_matter(family_prints: dict[str, Fingerprint]) -> None:
    """Members under random ids: the same tree, to the last digit of every confidence."""
    tree = solve_family(family_prints)
    for seed in range(3):
        names = sorted(family_prints)
        random.Random(seed).shuffle(names)
        ids = {name: f"id{number:02}" for number, name in enumerate(names)}
        other = solve_family({ids[name]: family_prints[name] for name in names})
        assert translate(tree, ids) == sorted(other.edges, key=lambda e: (e.child, e.parent))
        assert other.root == ids[str(tree.root)]
        assert other.root_confidence == tree.root_confidence


def test_what_is_known_of_pairs_is_used_again(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer costs its own pairs only, and the tree is that of a fresh start."""
    monkeypatch.setattr(heritage, "LOOKED_AT", 20)
    names = [name for name in family_prints if name != "noisy-copy"]
    pairs = PairCache()
    solve_family({name: family_prints[name] for name in names[:-1]}, pairs=pairs)
    assert len(pairs.details) == 10 * 9 / 2
    known = set(pairs.evidence)
    asked: list[tuple[int, int]] = []

    def count(
        family: AlignedFamily, wanted: Sequence[tuple[int, int]], *, spectra: int
    ) -> list[Detail]:
        asked.extend(wanted)
        return measure_details(family, wanted, spectra=spectra)

    monkeypatch.setattr(heritage, "measure_details", count)
    members = {name: family_prints[name] for name in names}
    grown = solve_family(members, pairs=pairs)
    assert len(asked) == 10
    assert 0 < len(set(pairs.evidence) - known) < 10
    assert grown == solve_family(members)


def test_a_closer_look_at_some_pairs_is_enough(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each member's nearest, or at all pairs: the same tree."""
    trees = []
    for looked_at in (3, len(family_prints)):
        monkeypatch.setattr(heritage, "LOOKED_AT", looked_at)
        pairs = PairCache()
        trees.append(solve_family(family_prints, pairs=pairs))
        everything = len(pairs.details)
    assert everything == 11 * 10 / 2
    assert list_main(trees[0]) == list_main(trees[1])
    assert trees[0].root == trees[1].root


def test_in_large_families_a_glance_comes_first(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few pairs are looked at closely then; the tree does not depend on the order of arrival."""
    whole = solve_family(family_prints)
    monkeypatch.setattr(heritage, "LARGE", 5)
    pairs = PairCache()
    large = solve_family(family_prints, pairs=pairs)
    assert list_main(large) == list_main(whole)
    spectra = Counter(spectra for _, spectra in pairs.details)
    assert spectra[SPECTRA] < 0.6 * spectra[heritage.GLANCES]
    grown = PairCache()
    for size in range(2, len(family_prints) + 1):
        latest = solve_family(dict(list(family_prints.items())[:size]), pairs=grown)
    assert latest == large


def test_pairs_are_known_under_the_names_that_they_were_compared_by() -> None:
    """x and y are matched to each other, but not once the family's names are those of the z's:
    then "q" is ambiguous. What was known before must not make another tree.
    """
    rng = np.random.default_rng(0)
    query, other = (rng.standard_normal((24, 24)) for _ in range(2))
    parts = {"q": query, "k": rng.standard_normal((48, 24))}
    models: dict[str, Arrays] = {
        name: {f"{start}.{part}.weight": parts[part] for part in parts} | {"t": np.ones(3)}
        for name, start in (("x", "a"), ("y", "b"), ("z0", "c.1"), ("z1", "c.1"), ("z2", "c.1"))
    }
    for name in ("z0", "z1", "z2"):
        models[name] = {**models[name], "c.2.q.weight": other}
    prints = {
        name: fingerprint_arrays(add_noise(arrays, share=0.1, seed=seed))
        for seed, (name, arrays) in enumerate(models.items())
    }
    pairs = PairCache()
    solve_family({name: prints[name] for name in "xy"}, pairs=pairs)
    assert solve_family(prints, pairs=pairs) == solve_family(prints)


def test_sampled_fingerprints_are_enough_for_a_tree() -> None:
    """Without digests: pruned ── base ── child ── last ── twin"""
    child = add_noise(BASE, share=0.2, seed=1)
    models = {"base": BASE, "child": child, "last": add_noise(child, share=0.1, seed=2)}
    models["pruned"] = prune_arrays(BASE, 0.4)
    models["twin"] = models["last"]
    prints = {
        name: fingerprint_sampled(ArrayWeights(arrays), checksum=name)
        for name, arrays in models.items()
    }
    tree = solve_family(prints)
    assert_lawful(tree, list(models))
    line = (("pruned", "base"), ("base", "child"), ("child", "last"), ("last", "twin"))
    assert list_undirected(tree) == {frozenset(pair) for pair in line}
    edge = tree.main_edges["twin"]
    assert (edge.relation, edge.evidence.exact) == (Relation.DUPLICATE, False)


# The real family ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_quantised_model_has_one_source(seed: int) -> None:
    """Base and near differ by far less than a step of the grid: both would be rounded to the copy.
    Without a choice it would lie between them, and which of them it came from is not known.
    """
    models = {"base": BASE, "near": add_noise(BASE, share=1e-4, seed=seed)}
    models["copy"] = quantise_arrays(models["near" if seed % 2 else "base"], 4)
    tree = solve(models)
    assert tree.main_edges["copy"].relation is Relation.QUANTIZED
    assert tree.main_edges["copy"].confidence < 0.5
    assert all(edge.parent != "copy" for edge in tree.edges)
