"""How much may be kept: by everyone together, and by each owner."""

from __future__ import annotations

from dataclasses import dataclass

from model_heritage_backend.errors import QuotaExceeded
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.owners import Owners, Usage
from model_heritage_backend.models.staged_files import format_bytes


@dataclass(frozen=True, kw_only=True)
class Quota:
    """None for any number."""

    models: int | None = None
    bytes: int | None = None

    def check(self, usage: Usage, size: int, whose: str) -> None:
        """Whether one more file of ``size`` bytes fits.

        Raises
        ------
        QuotaExceeded
        """
        if self.models is not None and usage.models >= self.models:
            raise QuotaExceeded(
                f"{whose} {usage.models} of {self.models} models. Delete some first."
            )
        if self.bytes is not None and usage.bytes + size > self.bytes:
            raise QuotaExceeded(
                f"{whose} {format_bytes(usage.bytes)} of {format_bytes(self.bytes)}; this file "
                f"has {format_bytes(size)}. Delete some models first."
            )


NO_QUOTA = Quota()


class Quotas:
    """The quotas of one server; ``total`` of all models, ``each`` of every owner's."""

    def __init__(self, database: Database, *, total: Quota, each: Quota) -> None:
        self.owners = Owners(database)
        self.total = total
        self.each = each

    def check(self, owner_id: str | None, size: int) -> None:
        """Whether somebody may add a file of ``size`` bytes.

        Raises
        ------
        QuotaExceeded
        """
        if self.total != NO_QUOTA:
            self.total.check(self.owners.measure(), size, "This server keeps")
        if owner_id is not None and self.each != NO_QUOTA:
            self.each.check(self.owners.measure_owner(owner_id), size, "You keep")
