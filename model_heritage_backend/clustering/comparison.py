"""What differs between two models, tensor by tensor, and in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np

from model_heritage_backend.clustering.alignment import limit_values, match_names
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.relatedness import (
    are_hidden_relatives,
    calculate_relatedness,
)
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.fingerprints import TensorFingerprint


def compare_models(
    store: HeritageStore, evidence: StoredEvidence, model_id: str, other_id: str
) -> dict[str, Any]:
    """Compare ``other`` with ``model``.

    Returns
    -------
    ``summary`` (a sentence), ``distance`` (norm of the change of the matrices that changed, over
    the mean of their norms in both models; None when no matrix is shared), ``related``,
    ``relation_evidence`` (signals, seen as model -> other) and ``tensors``: ``status`` of each is
    "equal", "changed", "reshaped", "removed" or "added"
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
        tensors.append(entry)
    distance = found.relative_change if found is not None and found.matrices else None
    return {
        "model_id": model_id,
        "other_id": other_id,
        "related": related,
        "summary": _summarise(tensors, related, found),
        "distance": distance,
        "relation_evidence": None if found is None else _signals(found),
        "tensors": tensors,
    }


def _signals(found: ExactEvidence) -> dict[str, float]:
    return {k: v for k, v in found.to_dict().items() if isinstance(v, float)}


def _compare_tensor(
    name: str, first: TensorFingerprint | None, second: TensorFingerprint | None
) -> dict[str, Any]:
    """From fingerprints: figures of the sample, replaced by exact ones where files were read."""
    entry: dict[str, Any] = {
        "name": name,
        "shape": list(first.shape) if first else None,
        "other_shape": list(second.shape) if second else None,
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
        "distance": delta * float(np.sqrt(scale)),
        "relative_change": delta / norm_x if norm_x > 0 else (0.0 if delta == 0 else None),
        "cosine": float((x * y).sum()) / norm_x / norm_y if norm_x > 0 and norm_y > 0 else None,
        "equal": 1.0 if same else float(np.mean(x == y)) if x.size else 1.0,
        "status": "equal" if same else "changed",
    }


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
