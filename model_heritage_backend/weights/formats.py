"""Which format a file has: its content decides, never its name. One row per readable format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.quantised_layouts import unpack_quantised
from model_heritage_backend.weights.recognition import explain_unsupported
from model_heritage_backend.weights.safetensors_file import open_safetensors
from model_heritage_backend.weights.tensors import Weights
from model_heritage_backend.weights.torch_legacy import is_torch_legacy, open_torch_legacy
from model_heritage_backend.weights.torch_zip import open_torch_zip

HEAD_BYTES = 4096
BLANKS = b" \t\r\n"
PRINTABLE = frozenset(range(32, 127)) | frozenset(BLANKS)


@dataclass(frozen=True, kw_only=True)
class Format:
    """A readable format: ``sniff`` sees the file's first bytes, ``open`` checks the whole."""

    name: str
    sniff: Callable[[bytes], bool]
    open: Callable[[OpenFile, Limits], Weights]


def open_weights(path: Path, *, limits: Limits = Limits()) -> Weights:  # noqa: B008 - frozen
    """Open a checkpoint: its tensors are described at once and read piece by piece.

    Parameters
    ----------
    path : a regular file
    limits : how much the file may ask of the reader

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
    file = OpenFile(path)
    try:
        head = file.read_bytes(0, min(file.size, HEAD_BYTES))
        for row in FORMATS:
            if row.sniff(head):
                return unpack_quantised(row.open(file, limits))
        raise explain_unsupported(head)
    except HeritageError:
        file.close()
        raise


def _is_safetensors(head: bytes) -> bool:
    """An 8-byte length that is no text, then JSON (blanks before it are refused later)."""
    length, header = head[:8], head[8:].lstrip(BLANKS)
    return header.startswith(b"{") and not PRINTABLE.issuperset(length)


def _is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\3\4", b"PK\5\6"))


FORMATS: tuple[Format, ...] = (
    Format(name="safetensors", sniff=_is_safetensors, open=open_safetensors),
    Format(name="torch-zip", sniff=_is_zip, open=open_torch_zip),
    Format(name="torch-legacy", sniff=is_torch_legacy, open=open_torch_legacy),
)
