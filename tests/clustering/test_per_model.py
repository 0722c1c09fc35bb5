"""What is worked out of a fingerprint: once, and no longer than the fingerprint lives."""

from __future__ import annotations

import gc

from model_heritage_backend.clustering.per_model import PerModel
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import fingerprint_arrays, make_arrays


def test_a_fingerprint_is_measured_once_while_it_lives() -> None:
    asked: list[str] = []

    def measure(fingerprint: Fingerprint) -> str:
        asked.append(fingerprint.checksum)
        return fingerprint.checksum

    known = PerModel(measure)
    prints = [fingerprint_arrays(make_arrays(seed)) for seed in (1, 2)]
    for _ in range(2):
        assert [known(one) for one in prints] == [one.checksum for one in prints]
    assert len(asked) == 2
    del prints[0]
    gc.collect()
    assert len(known) == 1
