"""Names from files: kept as they are when they are harmless, shortened when shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import SHOWN, check_name, quote


@given(st.text())
def test_a_quoted_name_is_one_short_printable_line(name: str) -> None:
    quoted = quote(name)
    assert quoted.isprintable()
    assert len(quoted) <= SHOWN + 2


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=50))
def test_ordinary_names_pass(name: str) -> None:
    assert check_name(name, Limits()) is name


@pytest.mark.parametrize("name", ["a\0", "a\nb", "\x7f", "\ud800", "x" * 1025])
def test_names_that_fit_nowhere_are_refused(name: str) -> None:
    with pytest.raises(InvalidWeights) as caught:
        check_name(name, Limits())
    caught.value.detail.encode()
