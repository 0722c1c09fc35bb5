"""What differs between two models, tensor by tensor, and in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model_heritage_backend.clustering.alignment import limit_values, match_names
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.relatedness import (
    are_hidden_relatives,
    calculate_relatedness,
)
from model_heritage_backend.clustering.relations import NEW_HEAD_FROM
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.clustering.tensor_kinds import find_layer, name_kind
from model_heritage_backend.fingerprints import TensorFingerprint
from model_heritage_backend.weights.tensors import ROUNDOFF

FEW_VALUES = 0.9
"""Share of equal values from which only some values of a tensor have changed."""
PRECISION = {dtype.value: roundoff for dtype, roundoff in ROUNDOFF.items()}


def compare_models(
    store: HeritageStore, evidence: StoredEvidence, model_id: str, other_id: str
) -> dict[str, Any]:
    """Compare ``other`` with ``model``.

    Returns
    -------
    ``summary`` (a sentence), ``distance`` (norm of the change of the matrices that changed, over
    the mean of their norms in both models; None when no matrix is shared), ``related``,
    ``relation_evidence`` (signals, seen as model -> other) and ``tensors``: ``status`` of each is
    "equal", "changed", "reshaped", "removed" or "added", ``verdict`` says more of the changed ones
    ("rounding", "low_rank", "few_values", "trained" or "replaced"), ``layer`` and ``kind`` say
    where it belongs; ``layers`` and ``kinds`` sum the tensors up by these
    """
    first, second = store.load_fingerprint(model_id), store.load_fingerprint(other_id)
    reverse = first.checksum > second.checksum
    pair = (other_id, model_id) if reverse else (model_id, other_id)
    found = evidence(*pair)
    if found is not None and reverse:
        names = {known: name for name, known in match_names(second, first).items()}
        found = found.rename(names).reversed()
    related = bool(calculate_relatedness([first], [second]).related[0, 0]) or are_hidden_relatives(
        first, second
    )
    known = match_names(first, second)
    theirs = {known[name]: tensor for name, tensor in second.tensors.items() if name in known}
    exact = {matrix.name: matrix for matrix in found.matrices} if found else {}
    tensors = []
    for name in sorted(first.tensors.keys() | theirs.keys()):
        entry = _compare_tensor(name, first.tensors.get(name), theirs.get(name))
        if name in exact and entry["status"] in ("equal", "changed"):
            matrix = exact[name]
            entry |= {
                "relative_change": matrix.relative_change,
                "cosine": matrix.cosine,
                "equal": 1.0 - matrix.changed,
                "delta_rank": matrix.delta_rank,
            }
        entry["verdict"] = _judge(entry, first.tensors.get(name), theirs.get(name))
        tensors.append(entry)
    distance = found.relative_change if found is not None and found.matrices else None
    return {
        "model_id": model_id,
        "other_id": other_id,
        "related": related,
        "summary": _summarise(tensors, related, found),
        "distance": distance,
        "relation_evidence": None if found is None else _signals(found),
        "layers": _sum_up(tensors, "layer"),
        "kinds": _sum_up(tensors, "kind"),
        "tensors": tensors,
    }


def _signals(found: ExactEvidence) -> dict[str, float]:
    return {k: v for k, v in found.to_dict().items() if isinstance(v, float)}


def _compare_tensor(
    name: str, first: TensorFingerprint | None, second: TensorFingerprint | None
) -> dict[str, Any]:
    """From fingerprints: figures of the sample, replaced by exact ones where files were read."""
    shape = (first or second).shape  # type: ignore[union-attr]  # (one of them is there)
    entry: dict[str, Any] = {
        "name": name,
        "layer": find_layer(name),
        "kind": name_kind(name, shape),
        "shape": list(first.shape) if first else None,
        "other_shape": list(second.shape) if second else None,
        "norm": None,
        "distance": None,
        "relative_change": None,
        "cosine": None,
        "equal": None,
        "delta_rank": None,
    }
    if first is None or second is None:
        return entry | {"status": "added" if first is None else "removed"}
    if first.shape != second.shape:
        return entry | {"status": "reshaped"}
    same = first.value_digest is not None and first.value_digest == second.value_digest
    x, y = limit_values(first.sample), limit_values(second.sample)
    scale = first.size / max(x.size, 1)
    norm_x, norm_y = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    delta = float(np.linalg.norm(y - x))
    return entry | {
        "norm": norm_x * float(np.sqrt(scale)),
        "distance": delta * float(np.sqrt(scale)),
        "relative_change": delta / norm_x if norm_x > 0 else (0.0 if delta == 0 else None),
        "cosine": float((x * y).sum()) / norm_x / norm_y if norm_x > 0 and norm_y > 0 else None,
        "equal": 1.0 if same else float(np.mean(x == y)) if x.size else 1.0,
        "status": "equal" if same else "changed",
    }


def _judge(
    entry: dict[str, Any], first: TensorFingerprint | None, second: TensorFingerprint | None
) -> str:
    """What became of a tensor: its status or, where it changed, in which way."""
    if entry["status"] != "changed" or first is None or second is None:
        return str(entry["status"])
    change, equal = entry["relative_change"], entry["equal"]
    if change is None:
        return "replaced"
    rounding = max(PRECISION.get(tensor.dtype, 0.0) for tensor in (first, second))
    if first.dtype != second.dtype and change <= rounding:
        return "rounding"
    if entry["delta_rank"]:
        return "low_rank"
    if change >= NEW_HEAD_FROM:
        return "replaced"
    return "few_values" if equal is not None and equal >= FEW_VALUES else "trained"


def _sum_up(tensors: Sequence[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """The tensors of each layer or kind: how many, how many changed, and by how much in all."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for entry in tensors:
        groups.setdefault(entry[by], []).append(entry)
    return [
        {
            by: value,
            "tensors": len(groups[value]),
            "changed": sum(entry["status"] != "equal" for entry in groups[value]),
            "relative_change": _join_changes(groups[value]),
        }
        for value in sorted(groups, key=lambda value: (value is None, value or 0))
    ]


def _join_changes(tensors: Sequence[dict[str, Any]]) -> float | None:
    """Norm of the change of all comparable tensors over the norm of the first model's."""
    norm, moved = (
        float(np.linalg.norm([entry[of] for entry in tensors if entry[of] is not None]))
        for of in ("norm", "distance")
    )
    if norm > 0:
        return moved / norm
    return 0.0 if moved == 0 and any(e["distance"] is not None for e in tensors) else None


def _summarise(tensors: list[dict[str, Any]], related: bool, found: ExactEvidence | None) -> str:
    count = dict.fromkeys(("equal", "changed", "reshaped", "removed", "added"), 0)
    for entry in tensors:
        count[entry["status"]] += 1
    shared = count["equal"] + count["changed"]
    if shared == 0:
        return "The two models have no tensor in common."
    if count["equal"] == len(tensors):
        return "The two models hold exactly the same weights."
    if not related:
        return (
            f"The two models share {shared} tensors by name and shape, but their weights are "
            "unrelated."
        )
    parts = [f"{count['changed']} of {shared} shared tensors differ"]
    if found is not None and found.relative_change > 0:
        parts.append(f"the changed matrices by {100 * found.relative_change:.2g} % of their norm")
        changed = [m for m in found.matrices if m.changed > 0]
        ranks = sorted(m.delta_rank for m in changed if m.delta_rank is not None)
        if ranks and len(ranks) == len(changed):
            parts.append(f"all by matrices of low rank (median {ranks[len(ranks) // 2]})")
    for status, words in (
        ("reshaped", "changed shape"),
        ("removed", "are missing in the second"),
        ("added", "are new in the second"),
    ):
        if count[status]:
            parts.append(f"{count[status]} {words}")
    return "; ".join(parts).capitalize() + "."
