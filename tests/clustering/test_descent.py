from __future__ import annotations

from itertools import product

import pytest

from model_heritage_backend.clustering.descent import (
    Link,
    Reach,
    trace_descendants,
    trace_effects,
    trace_sources,
)


def build(text: str) -> list[Link]:
    """ "a-b:0.9 a=c:0.5": parent, child, confidence; "=" joins duplicates."""
    links = []
    for word in text.split():
        ends, confidence = word.split(":")
        relation = "duplicate" if "=" in ends else "finetune"
        parent, child = ends.replace("=", "-").split("-")
        links.append(Link(parent, child, relation, float(confidence)))
    return links


def tell(found: list[Reach]) -> dict[str, float]:
    return {reach.model_id: pytest.approx(reach.probability) for reach in found}


def enumerate_worlds(links: list[Link], start: str) -> dict[str, float]:
    """Every combination of true and false edges: exact, and slow."""
    chances = dict.fromkeys({link.child for link in links}, 0.0)
    for world in product((True, False), repeat=len(links)):
        weight, reached = 1.0, {start}
        for true, link in zip(world, links, strict=True):
            weight *= link.confidence if true else 1 - link.confidence
        for _ in links:
            reached |= {
                k.child for t, k in zip(world, links, strict=True) if t and k.parent in reached
            }
        for child in reached - {start}:
            chances[child] += weight
    return {child: chance for child, chance in chances.items() if chance > 0}


def test_a_line_multiplies() -> None:
    links = build("a-b:0.9 b-c:0.8 a-d:0.95 x-a:0.5")
    found = trace_descendants(links, "a")
    assert [reach.model_id for reach in found] == ["d", "b", "c"]
    assert tell(found) == {"d": 0.95, "b": 0.9, "c": 0.72}
    assert [(link.parent, link.child) for link in found[2].path] == [("a", "b"), ("b", "c")]
    assert trace_descendants(links, "c") == []


@pytest.mark.parametrize(
    "text",
    [
        "a-b:0.9 a-c:0.6 b-m:0.8 c-m:0.7",
        # What both ways share counts once.
        "a-x:0.5 x-b:1.0 x-c:1.0 b-m:1.0 c-m:1.0 m-n:0.9",
        "a-x:0.5 x-b:0.9 x-c:0.3 b-m:0.8 c-m:0.7 a-y:0.4 y-n:0.9 m-n:0.6",
        "a-m:0.4 a-b:0.5 b-m:0.6",
        "a-b:0.0 b-c:0.5 b-d:0.5 c-m:0.5 d-m:0.5",
    ],
)
def test_merges_are_exact_where_ways_do_not_cross(text: str) -> None:
    links = build(text)
    exact = enumerate_worlds(links, "a")
    assert {k: v for k, v in tell(trace_descendants(links, "a")).items() if k in exact} == exact


def test_crossing_ways_are_bounded_from_above() -> None:
    links = build("a-b:0.5 a-c:0.5 b-m:0.5 c-m:0.5 b-n:0.5 c-n:0.5 m-z:0.9 n-z:0.9")
    found = {r.model_id: r.probability for r in trace_descendants(links, "a")}
    exact = enumerate_worlds(links, "a")
    assert exact["z"] < found["z"] < 1.2 * exact["z"]


def test_the_likeliest_way_is_told() -> None:
    found = {
        r.model_id: r for r in trace_descendants(build("a-b:0.9 a-c:0.6 b-m:0.5 c-m:0.9"), "a")
    }
    assert [link.child for link in found["m"].path] == ["c", "m"]


def test_equal_models_are_reached_together() -> None:
    """a = b (a came first, by chance), and c came from a: what is wrong with b is wrong with c."""
    links = build("r-a:0.9 a=b:0.5 a-c:0.8 b-d:0.7")
    found = trace_effects(links, "b")
    assert tell(found) == {"a": 1.0, "c": 0.8, "d": 0.7}
    assert [(k.parent, k.child, k.relation, k.confidence) for k in found[1].path] == [
        ("b", "a", "duplicate", 1.0),
        ("a", "c", "finetune", 0.8),
    ]
    assert tell(trace_effects(links, "r")) == {"a": 0.9, "b": 0.9, "c": 0.72, "d": 0.63}
    assert tell(trace_descendants(links, "b")) == {"d": 0.7}


def test_sources() -> None:
    links = build("r-a:0.9 a=b:0.5 a-c:0.8 b-d:0.7 s-d:0.4")
    found = trace_sources(links, "d")
    assert tell(found) == {"b": 0.7, "a": 0.7, "r": 0.63, "s": 0.4}
    assert [link.child for link in found[2].path] == ["a", "b", "d"]
    assert trace_sources(links, "r") == []


def test_long_lines_need_no_recursion() -> None:
    links = [Link(str(n), str(n + 1), "finetune", 1.0) for n in range(2000)]
    assert len(trace_descendants(links, "0")) == 2000
