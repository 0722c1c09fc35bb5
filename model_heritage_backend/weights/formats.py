"""Which format a file has: its content decides, never its name.

One row per readable format, the narrower before the wider.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from model_heritage_backend.errors import HeritageError, NotFound
from model_heritage_backend.weights.gguf_file import open_gguf
from model_heritage_backend.weights.gguf_header import MAGIC as GGUF_MAGIC
from model_heritage_backend.weights.joined import open_archive, open_folder
from model_heritage_backend.weights.limits import Limits, get_limits
from model_heritage_backend.weights.npz_file import is_npz, open_npz
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.parts import is_archive
from model_heritage_backend.weights.quantised_layouts import unpack_quantised
from model_heritage_backend.weights.recognition import explain_unsupported
from model_heritage_backend.weights.rehearsal import Identity, Rehearsal
from model_heritage_backend.weights.safetensors_file import open_safetensors
from model_heritage_backend.weights.tensors import Weights
from model_heritage_backend.weights.torch_legacy import is_torch_legacy, open_torch_legacy
from model_heritage_backend.weights.torch_zip import open_torch_zip

HEAD_BYTES = 4096
TORCH = frozenset({"torch-zip", "torch-legacy"})
ENDINGS = {
    ".safetensors": frozenset({"safetensors"}),
    ".gguf": frozenset({"gguf"}),
    ".npz": frozenset({"npz"}),
    **dict.fromkeys((".pt", ".pth", ".ckpt"), TORCH),
    ".bin": TORCH | {"safetensors"},
}
"""What endings of names promise; others promise nothing."""
REHEARSAL = Rehearsal()
atexit.register(REHEARSAL.close)
BLANKS = b" \t\r\n"
PRINTABLE = frozenset(range(32, 127)) | frozenset(BLANKS)


@dataclass(frozen=True, kw_only=True)
class Format:
    """A readable format: ``sniff`` sees the file's first bytes, ``open`` checks the whole."""

    name: str
    sniff: Callable[[bytes], bool]
    open: Callable[[OpenFile, Limits], Weights]


def open_weights(path: Path, *, limits: Limits | None = None) -> Weights:
    """Open a checkpoint: its tensors are described at once and read piece by piece.

    Parameters
    ----------
    path : a regular file, or a folder that holds one model in parts
    limits : how much the file may ask of the reader; those of ``choose_limits`` unless given

    Returns
    -------
    Weights
        Close it, or use it as a context manager. Not for several threads at once.

    Raises
    ------
    UnsupportedFormat
        When the content is no format that can be read; the detail names what it is.
    InvalidWeights
        When the file breaks its format's rules, exceeds a limit, or holds no weights.
    NotFound, InvalidRequest
        When there is no such file, or it may not be read.
    """
    limits = limits or get_limits()
    # Elsewhere a process cannot be limited in the same ways: the reader's own bounds must do.
    if sys.platform == "linux" and not _is_plain(path):
        REHEARSAL.hold(path, identify(path), limits)
    return parse_weights(path, limits=limits)


def parse_weights(path: Path, *, limits: Limits) -> Weights:
    """As ``open_weights``, in this very process."""
    if path.is_dir():
        return unpack_quantised(open_folder(path, limits, _open_file))
    file = OpenFile(path)
    try:
        if is_archive(file, limits):
            return unpack_quantised(open_archive(file, limits, _open_file))
        return unpack_quantised(_open_file(file, limits))
    except HeritageError:
        file.close()
        raise


def is_misnamed(path: Path, name: str) -> bool:
    """Whether a file's content is of another format than its name, perhaps another one, says."""
    expected = ENDINGS.get(PurePosixPath(name).suffix.lower())
    if expected is None or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = next((row.name for row in FORMATS if row.sniff(head)), None)
    return found is not None and found not in expected


def identify(path: Path) -> Identity:
    """What stays the same while nobody writes to a file, or to those in a folder."""
    paths = sorted(path.iterdir()) if path.is_dir() else [path]
    try:
        found = [one.stat() for one in paths]
    except FileNotFoundError:
        raise NotFound("The file does not exist.") from None
    return tuple(n for s in found for n in (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns))


def _is_plain(path: Path) -> bool:
    """Whether a file is of a format so simple that it is parsed without rehearsal."""
    if path.is_dir():
        return False
    file = OpenFile(path)
    try:
        return is_safetensors(file.read_bytes(0, min(file.size, HEAD_BYTES)))
    finally:
        file.close()


def _open_file(file: OpenFile, limits: Limits) -> Weights:
    """One file with weights."""
    head = file.read_bytes(0, min(file.size, HEAD_BYTES))
    for row in FORMATS:
        if row.sniff(head):
            return row.open(file, limits)
    raise explain_unsupported(head)


def is_safetensors(head: bytes) -> bool:
    """An 8-byte length that is no text, then JSON (blanks before it are refused later)."""
    length, header = head[:8], head[8:].lstrip(BLANKS)
    return header.startswith(b"{") and not PRINTABLE.issuperset(length)


def _is_gguf(head: bytes) -> bool:
    return head.startswith(GGUF_MAGIC)


def _is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\3\4", b"PK\5\6"))


FORMATS: tuple[Format, ...] = (
    Format(name="safetensors", sniff=is_safetensors, open=open_safetensors),
    Format(name="gguf", sniff=_is_gguf, open=open_gguf),
    Format(name="npz", sniff=is_npz, open=open_npz),
    Format(name="torch-zip", sniff=_is_zip, open=open_torch_zip),
    Format(name="torch-legacy", sniff=is_torch_legacy, open=open_torch_legacy),
)
