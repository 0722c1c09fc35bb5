"""What a server answers, typed. Members that this version does not know are in ``document``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RemoteModel:
    """A model of the server.

    Attributes
    ----------
    status : "processing", "ok" or "error"; then ``error`` is a sentence
    parent_id, relation, confidence : of the edge to its main parent; None for a root
    document : the whole answer, as docs/api.md describes it
    """

    id: str
    name: str
    status: str
    checksum: str
    total_parameters: int
    family_id: str | None
    parent_id: str | None
    relation: str | None
    confidence: float | None
    error: str | None = None
    document: Document = field(repr=False, compare=False)

    @classmethod
    def of(cls, answer: Document) -> RemoteModel:
        return cls(
            id=answer["id"],
            name=answer["name"],
            status=answer["status"],
            checksum=answer["checksum"],
            total_parameters=answer["total_parameters"],
            family_id=answer["family_id"],
            parent_id=answer["parent_id"],
            relation=answer["relation"],
            confidence=answer["confidence_score"],
            error=answer["error"],
            document=answer,
        )


@dataclass(frozen=True, kw_only=True)
class RemoteRelative:
    """A model seen from another, along an edge: its relation, confidence in [0, 1] and reasons.

    The relation of a root, and of a candidate that is only the runner-up, is None.
    """

    id: str
    name: str
    relation: str | None
    confidence: float | None
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, answer: Document) -> RemoteRelative:
        return cls(
            id=answer["id"],
            name=answer["name"],
            relation=answer.get("relation"),
            confidence=answer.get("confidence"),
            reasons=tuple(answer.get("reasons") or ()),
        )


@dataclass(frozen=True, kw_only=True)
class RemoteFamily:
    """Models that share a root, and how sure that root is, in [0, 1]."""

    id: str
    name: str
    size: int
    root_id: str | None
    root_confidence: float | None
    document: Document = field(repr=False, compare=False)

    @classmethod
    def of(cls, answer: Document) -> RemoteFamily:
        return cls(
            id=answer["id"],
            name=answer["name"],
            size=answer["size"],
            root_id=answer["root_id"],
            root_confidence=answer["root_confidence"],
            document=answer,
        )


@dataclass(frozen=True, kw_only=True)
class RemoteJob:
    """Work that the server does in its own time.

    Attributes
    ----------
    state : "queued", "running", "done", "failed" or "cancelled"
    progress : in [0, 1]
    error : why it failed, a sentence
    """

    id: str
    kind: str
    state: str
    progress: float
    model_id: str | None
    error: str | None
    result: Document | None = field(compare=False)

    @classmethod
    def of(cls, answer: Document) -> RemoteJob:
        return cls(
            id=answer["id"],
            kind=answer["kind"],
            state=answer["state"],
            progress=answer["progress"],
            model_id=answer["model_id"],
            error=answer["error"],
            result=answer["result"],
        )

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class RemotePlace:
    """Where a file would belong; nothing of it was kept.

    Attributes
    ----------
    family_id : None for a stranger
    existing_id : of the model with the same bytes, if there is one
    candidates : possible parents, the most likely first
    children : models that would descend from it
    """

    family_id: str | None
    parent_id: str | None
    relation: str | None
    confidence: float | None
    existing_id: str | None
    candidates: tuple[RemoteRelative, ...]
    children: tuple[RemoteRelative, ...]

    @classmethod
    def of(cls, answer: Document) -> RemotePlace:
        return cls(
            family_id=answer["family_id"],
            parent_id=answer["parent_id"],
            relation=answer["relation"],
            confidence=answer["confidence"],
            existing_id=answer["existing_id"],
            candidates=tuple(map(RemoteRelative.of, answer["candidates"])),
            children=tuple(map(RemoteRelative.of, answer["children"])),
        )
