from __future__ import annotations

import numpy as np

from model_heritage_backend.clustering.routes import (
    Layout,
    calculate_scores,
    encode_route,
    list_matrices,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays


def describe(print_: Fingerprint) -> Layout:
    return Layout.build(print_.structural_hash, list_matrices(print_))


def score(first: Fingerprint, second: Fingerprint) -> float:
    scores = calculate_scores(
        encode_route(first),
        describe(first),
        [describe(second)],
        encode_route(second)[None],
        np.zeros(1, np.int64),
    )
    return float(scores[0])


def test_layout_says_where_the_values_of_each_matrix_are() -> None:
    print_ = fingerprint_arrays(make_arrays(1))
    layout = describe(print_)
    assert layout.count == len(print_.routing)
    starts = [place.start for place in layout.places]
    assert starts == sorted(starts)
    assert [(p.name, p.shape) for p in layout.places] == list_matrices(print_)


def test_relatives_agree_and_strangers_do_not() -> None:
    base = make_arrays(1)
    own = fingerprint_arrays(base)
    assert score(own, fingerprint_arrays(add_noise(base, share=0.1, seed=2))) > 20
    others = [score(own, fingerprint_arrays(make_arrays(seed))) for seed in range(2, 12)]
    assert np.abs(others).max() < 4


def test_models_with_another_head_agree_in_what_they_share() -> None:
    base = make_arrays(1)
    head = sorted(name for name, values in base.items() if values.ndim > 1)[-1]
    other = base | {head: np.concatenate([base[head], base[head][:3]])}
    first, second = fingerprint_arrays(base), fingerprint_arrays(other)
    assert first.structural_hash != second.structural_hash
    assert score(first, second) > 20
    assert score(first, second) == score(second, first)


def test_nothing_in_common_is_no_agreement() -> None:
    first, second = (fingerprint_arrays(make_arrays(1, width=width)) for width in (24, 20))
    assert score(first, second) == 0


def test_models_that_are_not_looked_at_score_nothing() -> None:
    print_ = fingerprint_arrays(make_arrays(1))
    routes = np.stack([encode_route(print_)] * 2)
    structures = np.array([0, -1])
    found = calculate_scores(routes[0], describe(print_), [describe(print_)], routes, structures)
    assert found[0] > 20
    assert found[1] == 0
