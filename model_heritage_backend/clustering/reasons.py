"""Why an edge is believed, as sentences: only what was measured is said."""

from __future__ import annotations

import math
from collections.abc import Mapping

from model_heritage_backend.clustering.genealogy import Edge, Evidence, Relation

MERGES: Mapping[str, str] = {
    "linear": "a weighted sum of the parents' (linear)",
    "slerp": "a turn from one parent's to the other's (SLERP)",
    "task_arithmetic": "a base's and the parents' differences from it, each with a factor "
    "(task arithmetic)",
    "ties": "a base's and the largest of the parents' differences from it (TIES)",
    "dare_linear": "a base's and a random part of the parents' differences from it (DARE)",
}
FLAGS: Mapping[str, str] = {
    "new_head": "The child has a new output head.",
    "extended_vocabulary": "The child's vocabulary is larger.",
    "reordered": "Units of one of the two stand in another order; the comparison undid that.",
    "rescaled": "Layers of one of the two were scaled against each other; the comparison undid "
    "that.",
    "confirmed": "Somebody confirmed this parent.",
    "base": "The other parents' differences from this one were merged.",
    "by_tensor": "The shares of the parents differ from tensor to tensor.",
    "unmerged": "The child is an adapter by itself: it holds only what is to be added.",
    "proven": "Another model here is exactly this base with the adapter merged in.",
    "drift": "What the adapter adds agrees with how this family's models differ.",
    "adapter_here": "The adapter that was merged in is here as a file of its own.",
}
LARGEST_ODDS = 1000.0


def list_reasons(edge: Edge) -> list[str]:
    """Sentences about one edge: what changed, how, which way round, and what was looked at."""
    evidence = edge.evidence
    reasons = [*_describe_change(evidence)]
    if evidence.merge_method is not None:
        made = MERGES.get(evidence.merge_method, "a merge of the parents'")
        reasons.append(f"The child's values are {made}.")
    if edge.coefficient is not None:
        reasons.append(f"This parent's coefficient is {edge.coefficient:.3g}.")
    reasons += [FLAGS.get(flag, f"Noted: {flag}.") for flag in evidence.flags]
    if evidence.direction:
        way = "for this parent" if evidence.direction > 0 else "for the other way round"
        reasons.append(f"Taken alone, the two speak {way}, {_odds(evidence.direction)}.")
    if edge.relation is Relation.DUPLICATE:
        reasons.append("Equal models: which of them came first cannot be told.")
    elif evidence.runner_up is None and evidence.margin is not None:
        reasons.append("No other model here could be the parent.")
    reasons.append(
        "Both files were read and compared weight by weight."
        if evidence.exact
        else "Only the two fingerprints were compared, not the files."
    )
    return reasons


def _describe_change(evidence: Evidence) -> list[str]:
    found = []
    changed, shared = evidence.changed_tensors, evidence.shared_tensors
    if changed is not None and shared is not None:
        found.append(f"{changed} of {shared} shared tensors differ.")
    if evidence.relative_change:
        found.append(f"The weights moved by {100 * evidence.relative_change:.2g} % of their norm.")
    if evidence.delta_rank is not None:
        found.append(f"The changes have a rank of {evidence.delta_rank}: the mark of an adapter.")
    if evidence.bits is not None:
        found.append(f"The child's values lie on a grid of {evidence.bits} bits.")
    if evidence.zero_fraction:
        found.append(f"{100 * evidence.zero_fraction:.0f} % of the child's weights are zero.")
    return found


def _odds(nats: float) -> str:
    ratio = math.exp(min(abs(nats), 700.0))
    return "more than 1,000 to 1" if ratio > LARGEST_ODDS else f"{ratio:.2g} to 1"
