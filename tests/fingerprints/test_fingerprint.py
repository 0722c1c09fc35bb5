"""Serialised fingerprints: the same bytes everywhere, and nothing lost."""

import hashlib

import numpy as np
import pytest

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from tests.fingerprints.test_extract import CHECKSUM, ArrayWeights


def small_weights() -> ArrayWeights:
    """Values that every machine makes alike: no random generator, no rounding."""
    ramp = (np.arange(20_000) * 7919 % 10_007 - 5003).astype(np.float32) / 1024
    return ArrayWeights(
        {
            "net.0.weight": ramp.reshape(200, 100),
            "net.0.bias": ramp[:200].copy(),
            "net.1.weight": ramp[::-1].copy().reshape(100, 200).astype(np.float64) / 3,
        }
    )


def test_round_trip_keeps_everything():
    before = fingerprint_weights(small_weights(), checksum=CHECKSUM)
    data = before.to_bytes()
    after = Fingerprint.from_bytes(data)
    assert after.to_bytes() == data
    assert {k: v for k, v in vars(after).items() if k not in ("tensors", "routing")} == {
        k: v for k, v in vars(before).items() if k not in ("tensors", "routing")
    }
    for name, tensor in before.tensors.items():
        for field, value in vars(tensor).items():
            np.testing.assert_array_equal(getattr(after.tensors[name], field), value)


def test_bytes_are_the_same_on_every_machine():
    """When this fails, fingerprints that users have stored may no longer compare: raise VERSION,
    unless it is by the last digits of moments."""
    data = fingerprint_weights(small_weights(), checksum=CHECKSUM).to_bytes()
    assert hashlib.sha256(data).hexdigest() == (
        "9db44e3413b1fc99694522eb9254e88d81287312345a1835380abd1137560475"
    )


@pytest.mark.parametrize("data", [b"", b"MHFP", b"PK\x03\x04" + b"0" * 50])
def test_other_data_is_refused(data):
    with pytest.raises(InvalidWeights):
        Fingerprint.from_bytes(data)


def test_other_versions_are_refused():
    data = bytearray(fingerprint_weights(small_weights(), checksum=CHECKSUM).to_bytes())
    data[4] = 99
    with pytest.raises(InvalidWeights, match="version 99"):
        Fingerprint.from_bytes(bytes(data))
