"""Several uploaded files of one model as one stored file."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import PurePath

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.files import PIECE, FileStore, StagedFile

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
        with zipfile.ZipFile(bundled, "w", zipfile.ZIP_STORED) as archive:
            for name, part in sorted(by_name.items()):
                part.finish()
                entry = zipfile.ZipInfo(name, date_time=WRITTEN_AT)
                with (
                    part.path.open("rb") as source,
                    archive.open(entry, "w", force_zip64=True) as target,
                ):
                    shutil.copyfileobj(source, target, PIECE)
                part.close()
        bundled.finish()
    except BaseException:
        bundled.close()
        raise
    return bundled
