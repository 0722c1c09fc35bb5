"""What a file is held against: the checkpoints of a folder, or those of a saved document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from rich.console import Console

from model_heritage_backend.cli.scan import ScanOptions, read_with_progress
from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.interop.document_text import read_document
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import Found, FoundFile, find_checkpoints
from model_heritage_backend.scanning.reading import Reading

SHORTEST_CHECKSUM = 8


@dataclass(frozen=True, kw_only=True)
class Known:
    """Known checkpoints; ``exact`` where their files can be read again."""

    reading: Reading
    exact: bool

    def find_expected(self, expect: str) -> str:
        """The checksum of the checkpoint that somebody means."""
        found = {
            fingerprint.checksum
            for file, fingerprint in self.reading.files
            if expect in (file.shown, PurePath(file.shown).name, PurePath(file.shown).stem)
            or (
                len(expect) >= SHORTEST_CHECKSUM and fingerprint.checksum.startswith(expect.lower())
            )
        }
        if len(found) != 1:
            what = "No known checkpoint" if not found else f"{len(found)} different checkpoints"
            raise InvalidRequest(f"{what} can be meant by {expect!r}.")
        return found.pop()


def read_known(against: Path, cache: ScanCache, notes: Console) -> Known:
    """The checkpoints of a folder, or of a document that ``scan --json`` wrote.

    Raises
    ------
    NotFound
        When there is no such thing, or a document's checkpoints are neither in the cache nor beside
        it.
    """
    if against.is_dir():
        found = find_checkpoints(against, follow_hub=True)
        return Known(reading=read_with_progress(found, cache, notes, ScanOptions()), exact=True)
    if not against.is_file():
        raise NotFound(f"There is no folder or document {against}.")
    return _recall(against, cache, notes)


def _recall(path: Path, cache: ScanCache, notes: Console) -> Known:
    document = read_document(path)
    if any("sampled" in model.get("quality", ()) for model in document["models"]):
        raise InvalidRequest(
            f"{path} was made from samples, which a whole file cannot be held against."
        )
    files = [
        FoundFile(path=path.parent / model["path"], shown=model["path"], size=0)
        for model in document["models"]
    ]
    checksums = [model["checksum"] for model in document["models"]]
    prints = [cache.find_fingerprint(checksum) for checksum in checksums]
    missing = [
        file for file, found in zip(files, prints, strict=True) if found is None and _is_there(file)
    ]
    read = read_with_progress(
        Found(files=tuple(missing), links_out=()), cache, notes, ScanOptions()
    )
    fresh = {fingerprint.checksum: fingerprint for _, fingerprint in read.files}
    known = [
        (file, found or fresh.get(checksum))
        for file, checksum, found in zip(files, checksums, prints, strict=True)
    ]
    there = [(file, found) for file, found in known if found is not None]
    if len(there) < len(known):
        raise NotFound(
            f"{len(known) - len(there)} of the {len(known)} checkpoints of {path} are neither in "
            "the cache of earlier scans nor beside it: scan their folder on this machine."
        )
    return Known(reading=Reading(files=there), exact=all(_is_there(file) for file in files))


def _is_there(file: FoundFile) -> bool:
    return file.path.exists()
