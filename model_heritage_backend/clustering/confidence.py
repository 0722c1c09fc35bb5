"""How likely is it that an edge names the true parent?

Three things can be wrong with it, and each has a probability of its own: the two models may not be
next to each other at all, the edge may point the wrong way, or one of the two has changed places
with its neighbour in a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ADJACENT = {
    "intercept": 1.9,
    "margin": 0.30,
    "step": 0.21,
    "twin": 0.29,
    "overlap": -11.9,
    "excess": -2.4,
    "top": 1.45,
    "acute": -2.7,
}
DIRECTED = {"intercept": 0.4, "orientation": 0.75}
"""Of a product of two logistic functions, fitted to the edges of 28 zoos; the direction's to those
of eight more as well, and to the edges into true roots, which are all wrong. On the latter eight,
73 % of the edges of wild zoos came out at 0.9 or more and 97 % of those were right, 53 % and 94 %
of those of small steps; expected calibration error 0.02 and 0.05."""
ORDERED = {"gap": 200.0, "odds": 0.45}
"""Log-odds that a, b, c stand in this order rather than a, c, b, per nat that a gains more from b
than from c, and per nat of the direction of b and c. Where both say nothing, either is as likely,
so there is no intercept. If steps are at right angles but for a drift whose cosine has the standard
deviation d, the first is 1 / d^2: here d is 0.07. The second is that of orientation.py. Of 258
lines of 14 wild zoos 3 stood in the other order, all with a gap below 0.003, as 5 others had
(benchmarks/fit_confidence.py)."""
CERTAINTY_WITHIN = 1e-3
MERGE_CONFIDENCE = 0.95
TOTAL_WITHIN = 20.0
TYPICAL_STEP = 0.02
STEP_WITHIN, TWIN_WITHIN = (1e-3, 0.3), (0.02, 2.0)
OVERLAP_WITHIN, EXCESS_WITHIN = 0.25, 1.0
EXCESS_FROM = 1.1
ACUTE_WITHIN = 0.3


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What an edge's confidence rests on.

    Attributes
    ----------
    certainty : probability that the root does not lie below the edge, in [0, 1]
    margin : gain over the best other parent, nats per value
    copy : the child can be recomputed from the parent
    step : relative change from parent to child; smaller ones leave less to tell by
    twin : distance from the parent to the nearest other candidate, in units of the step: one that
        is much nearer than the child can hardly be told from the parent
    tau : of the parent's parent, the parent and the child (``WhitenedSteps``): 1 where the child
        comes after the parent, further from 1 the more its step has in common with the parent's;
        None where the parent is the root, or nothing was measured
    acute : median, over the pairs of the parent's neighbours, of what their steps from it share,
        in units of the shorter step's square: 0 where the steps are independent, more where they
        drift together, or where all begin with the way to a model that is not here
    swaps : gap (nats per value) and log-odds, as for ``ORDERED``, of each three models in a line of
        which the edge joins two, and whose order nothing proves
    """

    certainty: float
    margin: float
    copy: bool
    step: float
    twin: float
    tau: float | None
    acute: float
    swaps: tuple[tuple[float, float], ...] = ()


def calculate_confidence(doubt: Doubt) -> float:
    """Probability that the parent is right, in [0, 1]: adjacent, in this direction and order."""
    certainty = _limit(doubt.certainty, (CERTAINTY_WITHIN, 1 - CERTAINTY_WITHIN))
    adjacent = {"intercept": 1.0, "margin": math.asinh(1000 * doubt.margin)}
    if not doubt.copy:
        adjacent["step"] = math.log(_limit(doubt.step, STEP_WITHIN) / TYPICAL_STEP)
        adjacent["twin"] = math.log(_limit(doubt.twin, TWIN_WITHIN))
        if doubt.tau is None:
            adjacent["top"] = 1.0
        else:
            adjacent["overlap"] = _limit(1 - doubt.tau, (0.0, OVERLAP_WITHIN))
            adjacent["excess"] = _limit(doubt.tau - EXCESS_FROM, (0.0, EXCESS_WITHIN))
        adjacent["acute"] = _limit(doubt.acute, (0.0, ACUTE_WITHIN))
    directed = {"intercept": 1.0, "orientation": math.log(certainty / (1 - certainty))}
    ordered = (_apply(ORDERED, {"gap": gap, "odds": odds}) for gap, odds in doubt.swaps)
    return _apply(ADJACENT, adjacent) * _apply(DIRECTED, directed) * math.prod(ordered)


def _apply(coefficients: dict[str, float], features: dict[str, float]) -> float:
    total = sum(coefficients[name] * value for name, value in features.items())
    return 1 / (1 + math.exp(-_limit(total, (-TOTAL_WITHIN, TOTAL_WITHIN))))


def _limit(value: float, within: tuple[float, float]) -> float:
    return min(max(value, within[0]), within[1])
