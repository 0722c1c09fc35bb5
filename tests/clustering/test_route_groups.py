from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from model_heritage_backend.clustering import route_groups
from model_heritage_backend.clustering.relatedness import find_components, relate_all
from model_heritage_backend.clustering.route_groups import (
    Groups,
    find_leaders,
    find_route_groups,
)
from model_heritage_backend.clustering.routes import (
    Layout,
    RouteBlock,
    encode_route,
    list_matrices,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.synthetic import draw_structures, grow_families


def make_blocks(prints: dict[str, Fingerprint]) -> list[RouteBlock]:
    structures: dict[str, list[str]] = defaultdict(list)
    for model, print_ in prints.items():
        structures[print_.structural_hash].append(model)
    blocks = []
    for structure, ids in structures.items():
        routes = np.stack([encode_route(prints[model]) for model in ids])
        layout = Layout.build(structure, list_matrices(prints[ids[0]]))
        blocks.append(RouteBlock(layout, ids, routes, np.arange(len(ids))))
    return blocks


@pytest.fixture(scope="module")
def prints() -> dict[str, Fingerprint]:
    """Nine families of two structures, some of their members with other heads."""
    grown = grow_families(9, 15, draw_structures(2))
    return {model: print_ for model, (_, print_) in grown.items()}


def test_groups_are_those_of_the_exact_test(prints: dict[str, Fingerprint]) -> None:
    asked = []

    def are_related(first: str, second: str) -> bool:
        asked.append((first, second))
        return bool(relate_all([prints[first], prints[second]])[0, 1])

    blocks = make_blocks(prints)
    assert len(blocks) > 2
    groups = find_route_groups(blocks, are_related)
    assert groups == find_components(prints)
    assert len(asked) < 20
    assert find_route_groups(blocks[::-1], are_related) == groups


def test_small_pieces_change_nothing(
    prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = make_blocks(prints)
    whole = find_route_groups(blocks, lambda *_: False)
    monkeypatch.setattr(route_groups, "PIECE", 4)
    assert find_route_groups(blocks, lambda *_: False) == whole


def test_former_relatives_are_asked_about_where_routes_say_nothing(
    prints: dict[str, Fingerprint],
) -> None:
    blocks = make_blocks(prints)
    first, second = (group[0] for group in find_components(prints)[:2])
    joined = find_route_groups(blocks, lambda *_: True, before=[(first, second)])
    assert any({first, second} <= set(group) for group in joined)
    apart = find_route_groups(blocks, lambda *_: False, before=[(first, second)])
    assert not any({first, second} <= set(group) for group in apart)


def test_a_family_has_few_leaders(prints: dict[str, Fingerprint]) -> None:
    block = max(make_blocks(prints), key=lambda block: len(block.ids))
    led = find_leaders(block)
    families = {model: n for n, group in enumerate(find_components(prints)) for model in group}
    assert len(led.leaders) == len({families[model] for model in block.ids})


def test_sets_are_named_alike_whatever_the_order() -> None:
    pairs = [("b", "c"), ("a", "c"), ("d", "e")]
    for order in (pairs, pairs[::-1]):
        sets = Groups("fedcba")
        for pair in order:
            sets.join(*pair)
        assert sets.list_sets() == [["a", "b", "c"], ["d", "e"], ["f"]]
        assert sets.are_joined("a", "b")
        assert not sets.are_joined("a", "d")
