"""Hand-drawn truths and documents."""

from __future__ import annotations

from typing import Any

Link = tuple[str, str, str]


def draw_truth(
    families: dict[str, str],
    links: list[Link],
    *,
    merges: dict[str, dict[str, float]] | None = None,
) -> dict[str, Any]:
    """Families as {name: "a b c"} (root first), links as (parent, child, relation)."""
    edges: list[dict[str, Any]] = [
        {"parent": p, "child": c, "main": True, "relation": r, "coefficient": None}
        for p, c, r in links
    ]
    for child, shares in (merges or {}).items():
        edges += [
            {
                "parent": parent,
                "child": child,
                "main": share == max(shares.values()),
                "relation": "merge",
                "coefficient": share,
            }
            for parent, share in shares.items()
        ]
    members = {name: models.split() for name, models in families.items()}
    return {
        "models": [
            {"id": m, "file": f"{m}.safetensors", "family": name, "architecture": "vit"}
            for name, models in members.items()
            for m in models
        ],
        "edges": edges,
        "families": [
            {"id": name, "root": models[0], "architecture": "vit", "size": len(models)}
            for name, models in members.items()
        ],
    }


def draw_document(
    truth: dict[str, Any], links: list[Link], *, confidence: float = 1.0, **changes: Any
) -> dict[str, Any]:
    """A document with the truth's families and other edges; ids differ from the file names."""
    main = {"coefficient": None, "confidence": confidence, "main": True}
    return {
        "models": [
            {"id": f"m_{m['id']}", "path": f"deep/{m['file']}", "family": m["family"]}
            for m in truth["models"]
        ],
        "edges": [
            {**main, "parent": f"m_{p}", "child": f"m_{c}", "relation": r} for p, c, r in links
        ],
        "families": [
            {"id": f["id"], "root": f"m_{f['root']}", "size": f["size"]} for f in truth["families"]
        ],
        **changes,
    }
