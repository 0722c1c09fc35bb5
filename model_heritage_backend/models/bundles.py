"""Several uploaded files of one model as one stored file."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePath
from typing import BinaryIO

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.staged_files import PIECE, StagedFile

BUNDLE_NAME = "model.zip"
WRITTEN_AT = (1980, 1, 1, 0, 0, 0)
"""The same files make the same bytes, whenever they come."""


def bundle(files: FileStore, parts: Sequence[tuple[StagedFile, str]]) -> StagedFile:
    """A ZIP file of received files, in the order of their names, nothing packed; staged, finished.

    Each part is removed from staging once it is in.

    Raises
    ------
    InvalidRequest
        When two have the same name.
    FileTooLarge, InsufficientStorage
    """
    by_name = {PurePath(name.replace("\\", "/")).name: part for part, name in parts}
    if len(by_name) < len(parts):
        raise InvalidRequest("Two of the files have the same name.")
    bundled = files.stage(expected_bytes=sum(part.size for part in by_name.values()))
    try:
        write_archive(bundled, {name: _take_out(part) for name, part in by_name.items()})
        bundled.finish()
    except BaseException:
        bundled.close()
        raise
    return bundled


def write_archive(
    target: io.RawIOBase, members: Mapping[str, AbstractContextManager[BinaryIO]]
) -> None:
    """A ZIP archive of files, in the order of their names, nothing packed.

    The same files make the same bytes, wherever they are written to: ``target`` is only appended
    to. Each member is opened when its turn comes.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, member in sorted(members.items()):
            entry = zipfile.ZipInfo(name, date_time=WRITTEN_AT)
            with member as source, archive.open(entry, "w", force_zip64=True) as written:
                shutil.copyfileobj(source, written, PIECE)


@contextmanager
def _take_out(part: StagedFile) -> Iterator[BinaryIO]:
    part.finish()
    with part.path.open("rb") as source:
        yield source
    part.close()
