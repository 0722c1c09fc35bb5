"""Whether confidences keep their word: measured on zoos that no constant was fitted to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CalibrationBin:
    """Parents that were told with a confidence of this tenth: how many, and how many were right.

    ``mean_confidence`` in [0, 1] is None for a bin without edges.
    """

    edges: int
    right: int
    mean_confidence: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


HELD_OUT = (
    CalibrationBin(0, 0, None),
    CalibrationBin(4, 2, 0.1483),
    CalibrationBin(4, 0, 0.2417),
    CalibrationBin(3, 1, 0.3558),
    CalibrationBin(12, 6, 0.4508),
    CalibrationBin(25, 13, 0.5252),
    CalibrationBin(11, 9, 0.6482),
    CalibrationBin(28, 23, 0.7574),
    CalibrationBin(52, 48, 0.8593),
    CalibrationBin(347, 337, 0.968),
)
"""Ten bins of equal width over [0, 1], from ``benchmarks/results/heldout-calibration.json``."""
