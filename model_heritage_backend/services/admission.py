"""Which models the settings let in, beyond what can be read at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.errors import Conflict, NotFound, UnsupportedFormat
from model_heritage_backend.fingerprints import Fingerprint

SAFETENSORS = "safetensors"


class FamilyFull(Conflict):
    """The model's family has as many models as the setting ``max_family_size`` allows."""

    type = "family-full"
    title = "This family is full"


@dataclass(frozen=True, kw_only=True)
class AdmissionRules:
    """See the settings of the same names."""

    force_safetensors: bool = False
    max_family_size: int | None = None


class Admission:
    """Lets models in, or tells why not.

    Parameters
    ----------
    find_families : ids of the families that a model would join
    """

    def __init__(
        self,
        rules: AdmissionRules,
        store: HeritageStore,
        find_families: Callable[[Fingerprint], Iterable[str]],
    ) -> None:
        self._rules = rules
        self._store = store
        self._find_families = find_families
        self._lock = threading.Lock()
        self._admitted: dict[str, frozenset[str]] = {}
        self._stored: set[str] = set()

    def check_format(self, name: str) -> None:
        """Raises UnsupportedFormat when only safetensors may come in and this is another one."""
        if self._rules.force_safetensors and name != SAFETENSORS:
            raise UnsupportedFormat(
                f"This is a file of format {name}, and only safetensors are taken here: "
                "model-heritage convert makes one of it."
            )

    def check_family(self, model_id: str, fingerprint: Fingerprint) -> None:
        """Count a model in, until it has its place.

        Those that were let in before and have no place yet count for every family they may join, so
        that uploads at the same time cannot fill it twice.

        Raises
        ------
        FamilyFull
        """
        limit = self._rules.max_family_size
        if limit is None or fingerprint.is_adapter:
            return
        with self._lock:
            self._forget_placed()
            found = frozenset(self._find_families(fingerprint))
            size = sum(len(self._store.get_family(name).tree.members) for name in found)
            size += sum(bool(found & others) for others in self._admitted.values())
            if found and size >= limit:
                raise FamilyFull(
                    f"This model belongs to a family of {size}, and {limit} is the largest that "
                    "this server keeps."
                )
            self._admitted[model_id] = found

    def _forget_placed(self) -> None:
        for model_id in sorted(self._stored):
            try:
                placed = self._store.get_model(model_id).family_id is not None
            except NotFound:
                placed = True
            if placed:
                self._stored.discard(model_id)
                self._admitted.pop(model_id)

    def confirm(self, model_id: str) -> None:
        """The model is stored, and will get its place."""
        with self._lock:
            self._stored |= {model_id} & self._admitted.keys()

    def reject(self, model_id: str) -> None:
        """The model was not stored after all."""
        with self._lock:
            self._admitted.pop(model_id, None)
