"""How likely is it that an edge names the true parent?"""

from __future__ import annotations

import math
from dataclasses import dataclass

COEFFICIENTS = {
    "intercept": 0.478,
    "orientation": 0.033,
    "margin": 0.163,
    "tie": -0.795,
    "copy": -0.867,
    "direction": 0.121,
}
"""Of a logistic regression on zoos that the engine was not tuned on."""
MERGE_CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What an edge's confidence rests on.

    Attributes
    ----------
    certainty : probability that the root does not lie below the edge, in [0, 1]
    margin : gain over the best other parent, nats per value
    tie : an exact duplicate of the parent exists, or the edge joins duplicates
    copy : the child can be recomputed from the parent
    direction : absolute log-odds of this edge's own direction
    """

    certainty: float
    margin: float
    tie: bool
    copy: bool
    direction: float


def calculate_confidence(doubt: Doubt) -> float:
    """Probability that the parent is right, in [0, 1]: logistic in the features of ``Doubt``."""
    certainty = min(max(doubt.certainty, 1e-4), 1 - 1e-4)
    features = {
        "intercept": 1.0,
        "orientation": math.log(certainty / (1 - certainty)),
        "margin": math.asinh(1000 * doubt.margin),
        "tie": float(doubt.tie),
        "copy": float(doubt.copy),
        "direction": doubt.direction,
    }
    total = sum(COEFFICIENTS[name] * value for name, value in features.items())
    return 1 / (1 + math.exp(-total))
