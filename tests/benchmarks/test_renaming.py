"""Other names for the same tensors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.architectures import USUAL, Architecture, Kind
from benchmarks.renaming import CONVENTIONS, flatten, translate

SHAPE = Architecture(kind=Kind.VIT, width=16, depth=2, hidden=16, outputs=10)


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_all_names_change_and_stay_different(kind: Kind, convention: str) -> None:
    names = list(replace(SHAPE, kind=kind).build(0).state_dict())
    found = CONVENTIONS[convention](names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert not set(found.values()) & set(names)


def test_words_and_numbers_are_translated() -> None:
    name = "blocks.3.attention.query.weight"
    assert translate([name])[name] == "encoder.layer.3.self_attn.q_proj.weight"
    assert translate(["layers.2.bias"])["layers.2.bias"] == "net.4.bias"
    assert flatten([name])[name] == "params/encoder/layer_3/self_attn/q_proj/kernel"
    assert flatten(["norms.1.weight"])["norms.1.weight"] == "params/features/bn_1/scale"
