"""How likely is it that an edge names the true parent?"""

from __future__ import annotations

import math
from dataclasses import dataclass

COEFFICIENTS = {
    "intercept": -1.16,
    "orientation": 0.32,
    "margin": 0.22,
    "copy": 0.11,
    "direction": 0.17,
}
"""Of a logistic regression over 924 edges of 20 zoos. With each zoo left out in turn, 69 % of the
edges of wild zoos came out at 0.9 or more, and 97 % of those were right; Brier score 0.080 against
0.096 for the constant, expected calibration error 0.04 over all, but 0.14 on small steps."""
CERTAINTY_WITHIN = 1e-3
DIRECTION_UP_TO = 5.0
MERGE_CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What an edge's confidence rests on.

    Attributes
    ----------
    certainty : probability that the root does not lie below the edge, in [0, 1]
    margin : gain over the best other parent, nats per value
    copy : the child can be recomputed from the parent
    direction : absolute log-odds of this edge's own direction
    """

    certainty: float
    margin: float
    copy: bool
    direction: float


def calculate_confidence(doubt: Doubt) -> float:
    """Probability that the parent is right, in [0, 1]: logistic in the features of ``Doubt``."""
    certainty = min(max(doubt.certainty, CERTAINTY_WITHIN), 1 - CERTAINTY_WITHIN)
    features = {
        "intercept": 1.0,
        "orientation": math.log(certainty / (1 - certainty)),
        "margin": math.asinh(1000 * doubt.margin),
        "copy": float(doubt.copy),
        "direction": min(doubt.direction, DIRECTION_UP_TO),
    }
    total = sum(COEFFICIENTS[name] * value for name, value in features.items())
    return 1 / (1 + math.exp(-total))
