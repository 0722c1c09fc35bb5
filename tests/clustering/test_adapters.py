"""Unmerged adapters find their base: proven by a merged child, else by drift or shapes alone.

The models are drawn in adapted.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model_heritage_backend.clustering.adapters import (
    Basis,
    NameIndex,
    judge_adapter,
    place_adapter,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.adapted import ADAPTER_SCALE
from tests.clustering.models import Array, fingerprint_arrays, make_arrays


def choose(prints: dict[str, Fingerprint], names: str) -> dict[str, Fingerprint]:
    return {name: prints[name] for name in names}


def test_a_merged_child_proves_the_base(adapted_prints: dict[str, Fingerprint]) -> None:
    found = place_adapter(
        adapted_prints["adapter"],
        {"right": choose(adapted_prints, "abcd"), "wrong": choose(adapted_prints, "st")},
    )
    assert found is not None and found[0] == "right"
    verdict = found[1]
    assert verdict.basis is Basis.PROVEN and verdict.confidence > 0.9 and verdict.rank == 4
    assert (verdict.base, verdict.merged) == ("a", ("d",))


def test_the_proof_holds_for_other_dtypes(adapted_models: dict[str, dict[str, Array]]) -> None:
    """Rounding of the merged child, and factors that were rounded after the merge."""
    adapter = {n: v.astype(np.float16) for n, v in adapted_models["adapter"].items()}
    child = {n: v.astype(np.float16) for n, v in adapted_models["d"].items()}
    members = {"a": fingerprint_arrays(adapted_models["a"]), "d": fingerprint_arrays(child)}
    verdict = judge_adapter(fingerprint_arrays(adapter), members)
    assert verdict is not None and verdict.basis is Basis.PROVEN and verdict.base == "a"


@pytest.mark.parametrize("share", [1e-3, 1e-6])
def test_what_is_only_near_proves_nothing(
    adapted_models: dict[str, dict[str, Array]], share: float
) -> None:
    """A child trained on from d: its difference from a is the adapter and something more."""
    rng = np.random.default_rng(0)
    further = {
        n: (v + share * v.std() * rng.standard_normal(v.shape)).astype(np.float32)
        for n, v in adapted_models["d"].items()
    }
    members = {"a": fingerprint_arrays(adapted_models["a"]), "e": fingerprint_arrays(further)}
    verdict = judge_adapter(fingerprint_arrays(adapted_models["adapter"]), members)
    assert verdict is not None and verdict.basis is Basis.DRIFT and verdict.confidence < 0.5


def test_the_base_is_also_like_the_child_in_what_was_not_adapted(
    adapted_models: dict[str, dict[str, Array]], adapted_prints: dict[str, Fingerprint]
) -> None:
    other = dict(adapted_models["a"])
    other["wte.weight"] = other["wte.weight"] * np.float32(1.1)
    members = choose(adapted_prints, "ad") | {"other": fingerprint_arrays(other)}
    verdict = judge_adapter(adapted_prints["adapter"], members)
    assert verdict is not None and verdict.base == "a" and verdict.confidence > 0.9


def test_equal_bases_share_the_confidence(adapted_prints: dict[str, Fingerprint]) -> None:
    twin = replace(adapted_prints["a"], checksum="0" * 64)
    verdict = judge_adapter(
        adapted_prints["adapter"], choose(adapted_prints, "ad") | {"twin": twin}
    )
    assert verdict is not None and verdict.base == "twin"
    assert verdict.confidence < 0.5


def test_a_negative_scale_is_no_merge(adapted_prints: dict[str, Fingerprint]) -> None:
    """d is a plus the adapter; a is not d plus the adapter."""
    verdict = judge_adapter(adapted_prints["adapter"], choose(adapted_prints, "ad"))
    assert verdict is not None and verdict.base == "a" and verdict.merged == ("d",)


def test_strangers_of_the_same_shapes_are_ambiguous(adapted_prints: dict[str, Fingerprint]) -> None:
    families = {"right": choose(adapted_prints, "a"), "wrong": choose(adapted_prints, "st")}
    assert place_adapter(adapted_prints["adapter"], families) is None
    alone = place_adapter(adapted_prints["adapter"], {"right": choose(adapted_prints, "a")})
    assert alone is not None and alone[1].basis is Basis.SHAPES
    assert alone[1].base is None and alone[1].confidence < 0.5
    wrong = judge_adapter(adapted_prints["adapter"], choose(adapted_prints, "st"))
    assert wrong is not None and wrong.z < 5.0


def test_an_adapter_fits_nothing_of_another_shape(adapted_prints: dict[str, Fingerprint]) -> None:
    other = {"x": fingerprint_arrays(make_arrays(1))}
    assert place_adapter(adapted_prints["adapter"], {"other": other}) is None


def test_the_order_of_families_and_members_makes_no_difference(
    adapted_prints: dict[str, Fingerprint],
) -> None:
    families = {"right": choose(adapted_prints, "abcd"), "wrong": choose(adapted_prints, "st")}
    turned = {key: dict(reversed(list(families[key].items()))) for key in reversed(families)}
    assert place_adapter(adapted_prints["adapter"], families) == place_adapter(
        adapted_prints["adapter"], turned
    )


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, 0.0, 1e38])
def test_factors_without_a_meaning_decide_nothing(
    adapted_models: dict[str, dict[str, Array]],
    adapted_prints: dict[str, Fingerprint],
    spoilt: float,
) -> None:
    factors = {n: np.full_like(v, spoilt) for n, v in adapted_models["adapter"].items()}
    verdict = judge_adapter(fingerprint_arrays(factors), choose(adapted_prints, "abcd"))
    assert verdict is not None and verdict.basis is Basis.SHAPES
    assert 0.0 <= verdict.distance < np.inf


def test_transposed_layers_and_other_separators_are_found() -> None:
    """GPT-2's Conv1D stores (in, out); square ones do not show it. kohya writes underscores."""
    rng = np.random.default_rng(3)
    base = {f"h.{i}.attn.weight": rng.standard_normal((48, 48)).astype(np.float32) for i in (0, 1)}
    factors, child = {}, dict(base)
    for i in (0, 1):
        down, up = (0.1 * rng.standard_normal(s).astype(np.float32) for s in ((2, 48), (48, 2)))
        factors[f"lora_unet_h_{i}_attn.lora_down.weight"] = down
        factors[f"lora_unet_h_{i}_attn.lora_up.weight"] = up
        child[f"h.{i}.attn.weight"] = base[f"h.{i}.attn.weight"] + (up @ down).T
    members = {"base": fingerprint_arrays(base), "child": fingerprint_arrays(child)}
    verdict = judge_adapter(fingerprint_arrays(factors), members)
    assert verdict is not None and verdict.basis is Basis.PROVEN and verdict.base == "base"


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("model.h.1.q.weight", "h.1.q.weight"),
        ("h.1.q.weight", "h.1.q.weight"),
        ("lora_unet_h_1_q.weight", "h.1.q.weight"),
        ("1.q.weight", "h.1.q.weight"),
        ("q.weight", None),
        ("h.2.q.weight", None),
    ],
)
def test_names_match_by_their_endings(target: str, name: str | None) -> None:
    matrix = np.eye(8, dtype=np.float32)
    model = fingerprint_arrays({f"h.{i}.q.weight": matrix * i for i in (1, 11)} | {"x": matrix})
    assert NameIndex(model).find(target) == name


def test_the_zoo_writes_what_training_added(adapted_models: dict[str, dict[str, Array]]) -> None:
    models = adapted_models
    factors, base, child = models["adapter"], models["a"], models["d"]
    for name in factors:
        if "lora_A" in name:
            added = ADAPTER_SCALE * factors[name.replace("lora_A", "lora_B")] @ factors[name]
            target = name.removeprefix("base_model.model.").replace("lora_A.", "")
            np.testing.assert_allclose(child[target] - base[target], added, atol=1e-6)
