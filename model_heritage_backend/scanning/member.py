"""One model of a genealogy that was read without a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, kw_only=True)
class HeritageModel:
    """One checkpoint of a genealogy.

    Attributes
    ----------
    id : derived from the checksum
    path : relative to the folder that was scanned
    family : "F1", the largest, "F2", ...
    parent : id of the main parent; None for a root and for a model without relatives
    relation, confidence : of the edge to that parent; confidence in [0, 1]

    Examples
    --------
    >>> from model_heritage_backend import scan
    >>> heritage = scan(models)
    >>> heritage["half"].relation, heritage["base"].parent
    ('cast', None)
    """

    id: str
    path: str
    checksum: str
    family: str | None
    total_parameters: int
    quality: tuple[str, ...]
    parent: str | None
    relation: str | None
    confidence: float | None

    @property
    def name(self) -> str:
        """The file's name without its ending.

        Examples
        --------
        >>> heritage["half"].name
        'half'
        """
        return PurePosixPath(self.path).stem
