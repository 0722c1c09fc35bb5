"""The truth about a zoo: models, edges, families, and what was withheld; JSON-ready, by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.family import Family, Member


def describe(families: Sequence[Family], ids: Mapping[Member, str]) -> dict[str, Any]:
    """Content of ``truth.json`` without its generator. Edges point from parent to child.

    Only what is published counts: a withheld model is in ``ghosts`` and ends no edge. ``root`` is
    None where the published members of a family have no single common ancestor among them.
    """
    models, edges, ghosts = [], [], []
    for family in families:
        models += [
            _describe_model(family, member, ids)
            for member in family.members
            if _is_here(family, member)
        ]
        edges += [
            edge
            for member in family.members
            if _is_here(family, member)
            for edge in _describe_bonds(family, member, ids)
        ]
        ghosts += [_describe_ghost(family, member, ids) for member in family.withheld]
    told = {
        "models": sorted(models, key=lambda model: str(model["id"])),
        "edges": edges,
        "families": [_describe_family(family, ids) for family in families],
    }
    return {**told, "ghosts": ghosts} if ghosts else told


def _is_here(family: Family, member: Member) -> bool:
    return member not in family.withheld


def _describe_model(family: Family, member: Member, ids: Mapping[Member, str]) -> dict[str, Any]:
    told = {
        "id": ids[member],
        "file": f"{ids[member]}.safetensors",
        "name": member.name,
        "family": family.name,
        "architecture": member.architecture.kind.value,
        "shape": member.architecture.to_dict(),
    }
    altered = family.altered.get(member)
    return {**told, "alterations": list(altered.alterations)} if altered else told


def _describe_bonds(
    family: Family, member: Member, ids: Mapping[Member, str]
) -> list[dict[str, Any]]:
    told = []
    for place, (parent, coefficient) in enumerate(member.parents):
        if not _is_here(family, parent):
            continue
        edge = {
            "parent": ids[parent],
            "child": ids[member],
            "main": place == 0,
            "relation": member.relation,
            "coefficient": coefficient,
            "operation": member.operation,
            "params": member.params,
        }
        told.append({**edge, "base": True} if parent is member.base else edge)
    return told


def _describe_family(family: Family, ids: Mapping[Member, str]) -> dict[str, Any]:
    here = [member for member in family.members if _is_here(family, member)]
    tops = [member for member in here if _find_ancestor(family, member) is None]
    told = {
        "id": family.name,
        "root": ids[tops[0]] if len(tops) == 1 else None,
        "architecture": family.root.architecture.kind.value,
        "size": len(here),
    }
    return {**told, "teacher": ids[family.teacher]} if family.teacher else told


def _describe_ghost(family: Family, member: Member, ids: Mapping[Member, str]) -> dict[str, Any]:
    """``children`` are published; ``descendants`` are the nearest that are, on every line below;
    ``ancestor`` is the nearest above.
    """
    ancestor = _find_ancestor(family, member)
    return {
        "id": ids[member],
        "name": member.name,
        "family": family.name,
        "architecture": member.architecture.kind.value,
        "root": member is family.root,
        "ancestor": ids[ancestor] if ancestor else None,
        "children": [ids[c] for c in _list_children(family, member) if _is_here(family, c)],
        "descendants": [ids[d] for d in _list_descendants(family, member)],
    }


def _list_children(family: Family, parent: Member) -> list[Member]:
    return [m for m in family.members if m.parents and m.parents[0][0] is parent]


def _list_descendants(family: Family, member: Member) -> list[Member]:
    found = []
    for child in _list_children(family, member):
        found += [child] if _is_here(family, child) else _list_descendants(family, child)
    return found


def _find_ancestor(family: Family, member: Member) -> Member | None:
    if not member.parents:
        return None
    parent = member.parents[0][0]
    return parent if _is_here(family, parent) else _find_ancestor(family, parent)
