"""Wrappers leave names, and different names stay different."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.fingerprints.names import canonicalise_names

PLAIN = ["encoder.0.weight", "encoder.0.bias", "head.weight"]


def canonical(*names: str) -> list[str]:
    return list(canonicalise_names(names).values())


def test_wrappers_are_taken_off() -> None:
    assert canonical(*PLAIN) == PLAIN
    for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model."):
        assert canonical(*(prefix + name for name in PLAIN)) == PLAIN
    assert (
        canonical(
            "model._fsdp_wrapped_module.encoder.0._checkpoint_wrapped_module.weight",
            "model.encoder.0._orig_mod.bias",
            "model.head.weight",
        )
        == PLAIN
    )


def test_a_counter_beside_the_wrapped_model_does_not_matter() -> None:
    assert canonical(*("module." + name for name in PLAIN), "n_averaged") == [*PLAIN, "n_averaged"]


def test_names_that_would_meet_keep_their_wrappers() -> None:
    assert canonical("a.w", "module.a.w", "b.w") == ["a.w", "module.a.w", "b.w"]


@given(
    st.lists(
        st.lists(st.sampled_from(["module", "_orig_mod", "model", "a", "0", "w"]), min_size=1).map(
            ".".join
        ),
        unique=True,
    )
)
def test_different_names_stay_different(names: list[str]) -> None:
    found = canonicalise_names(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
