"""The cheap screens: what they see, and in which order they put families."""

from __future__ import annotations

import pytest

from model_heritage_backend.clustering.family_routing import Candidate, find_candidates
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays

BASE = make_arrays(1)


def test_the_own_family_comes_first(
    family_prints: dict[str, Fingerprint], stranger_prints: list[Fingerprint]
) -> None:
    prints = dict(family_prints)
    newcomer = prints.pop("noisy-int8")
    families = {f"s{place}": [stranger] for place, stranger in enumerate(stranger_prints)}
    families["own"] = list(prints.values())
    found = find_candidates(newcomer, families)
    assert found[0].family_id == "own"
    assert found[0].compatibility == 1.0
    assert found[0].centroid_distance is not None
    assert found[0].centroid_distance < 0.3
    assert not found[0].uncertain
    rest = {candidate.family_id: candidate for candidate in found[1:]}
    assert rest["s0"].compatibility == 1.0, "the stranger of the same architecture"
    assert rest["s0"].uncertain


def test_families_without_a_matrix_in_common_are_left_out() -> None:
    other = fingerprint_arrays(make_arrays(2, width=30))
    assert find_candidates(fingerprint_arrays(BASE), {"other": [other], "empty": []}) == []


def test_compatibility_is_the_share_of_the_newcomers_matrices() -> None:
    deeper = fingerprint_arrays(make_arrays(3, depth=4))
    base = fingerprint_arrays(BASE)
    assert find_candidates(deeper, {"f": [base]})[0].compatibility == pytest.approx(0.5)
    (found,) = find_candidates(base, {"f": [deeper]})
    assert found.compatibility == 1.0
    assert found.centroid_distance is None, "other structures have no common sample positions"
    assert found.uncertain


def test_diameter_is_that_of_the_members() -> None:
    base = fingerprint_arrays(BASE)
    alone = find_candidates(base, {"f": [base]})[0]
    assert alone.diameter == pytest.approx(0.0, abs=1e-12)
    wide = [fingerprint_arrays(add_noise(BASE, share=0.5, seed=seed)) for seed in (1, 2)]
    spread = find_candidates(base, {"f": wide})[0]
    assert spread.diameter is not None
    assert spread.diameter > 0.05


@pytest.mark.parametrize(
    ("compatibility", "distance", "diameter", "uncertain"),
    [
        (0.79, 0.0, 1.0, True),
        (0.80, 0.30, 0.0, False),
        (0.80, 0.31, 0.25, True),
        (0.80, 0.31, 0.26, False),
        (1.00, None, None, True),
    ],
)
def test_the_steps_of_the_specification(
    compatibility: float, distance: float | None, diameter: float | None, *, uncertain: bool
) -> None:
    candidate = Candidate(
        family_id="f",
        compatibility=compatibility,
        centroid_distance=distance,
        diameter=diameter,
    )
    assert candidate.uncertain is uncertain


def test_order_does_not_depend_on_the_order_of_families() -> None:
    base = fingerprint_arrays(BASE)
    families = {
        "far": [fingerprint_arrays(make_arrays(5))],
        "near": [fingerprint_arrays(add_noise(BASE, share=0.1, seed=1))],
        "deep": [fingerprint_arrays(make_arrays(6, depth=3))],
    }
    expected = find_candidates(base, families)
    assert expected[0].family_id == "near"
    assert find_candidates(base, dict(reversed(families.items()))) == expected


def test_of_families_without_a_centroid_the_most_alike_comes_first() -> None:
    deep = fingerprint_arrays(make_arrays(7, depth=4))
    families = {
        "half": [fingerprint_arrays(make_arrays(8))],
        "most": [fingerprint_arrays(make_arrays(9, depth=3))],
    }
    assert [c.family_id for c in find_candidates(deep, families)] == ["most", "half"]
