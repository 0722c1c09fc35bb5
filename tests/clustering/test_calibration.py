from __future__ import annotations

import json
from pathlib import Path

from benchmarks import calibration
from model_heritage_backend.clustering.calibration import HELD_OUT


def test_the_figures_are_those_of_the_benchmark() -> None:
    measured = json.loads(Path(calibration.RESULT).read_text())
    assert [place.to_dict() for place in HELD_OUT] == measured["bins"]
    assert sum(place.edges for place in HELD_OUT) > 400


def test_edges_fall_into_bins_of_equal_width() -> None:
    bins = calibration.bin_edges([(0.0, False), (0.95, True), (1.0, False)])
    assert len(bins) == len(HELD_OUT)
    assert bins[0] == {"edges": 1, "right": 0, "mean_confidence": 0.0}
    assert bins[-1] == {"edges": 2, "right": 1, "mean_confidence": 0.975}
