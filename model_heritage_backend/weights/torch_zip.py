"""Files that torch.save writes since PyTorch 1.6: a ZIP file with a description and raw values."""

from __future__ import annotations

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.file_tensors import FileWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.recognition import READABLE
from model_heritage_backend.weights.state_dict import find_state_dict
from model_heritage_backend.weights.torch_tensors import StoredBytes, bind_tensors
from model_heritage_backend.weights.unpickler import read_pickle
from model_heritage_backend.weights.zip_directory import locate_records, read_directory

DESCRIPTION = "data.pkl"


def open_torch_zip(file: OpenFile, limits: Limits) -> FileWeights:
    """Describe the tensors of the file's state dict; nothing in the file runs, no values are read.

    Raises
    ------
    UnsupportedFormat
        When the ZIP file is not one that torch.save wrote, or is big-endian.
    InvalidWeights
        When it is damaged, contradicts itself, exceeds a limit or holds more than weights.
    """
    entries = read_directory(file, limits)
    root = _find_root(list(entries))
    records = locate_records(file, entries, limits)
    order = records.get(root + "byteorder")
    if order is not None and file.read_bytes(order.offset, min(order.size, 8)) != b"little":
        raise UnsupportedFormat("This PyTorch file was written on a big-endian machine.")
    description = records[root + DESCRIPTION]
    if description.size > limits.pickle_bytes:
        raise InvalidWeights(
            f"The description of the weights in this file has {description.size:,} bytes; "
            f"{limits.pickle_bytes:,} are allowed."
        )
    content = read_pickle(file.read_bytes(description.offset, description.size), limits)
    folder = root + "data/"
    stored = {
        name.removeprefix(folder): StoredBytes(offset=record.offset, size=record.size)
        for name, record in records.items()
        if name.startswith(folder)
    }
    return bind_tensors(file, find_state_dict(content, limits), stored, limits, format="torch-zip")


def _find_root(names: list[str]) -> str:
    """The folder (with its slash) that holds the description."""
    roots = [name.removesuffix(DESCRIPTION) for name in names if name.endswith("/" + DESCRIPTION)]
    if len(roots) == 1:
        root = roots[0]
        if root + "constants.pkl" in names or any(n.startswith(root + "code/") for n in names):
            raise UnsupportedFormat(
                "This is a TorchScript program, which cannot be read. Save the model's "
                "state_dict() instead."
            )
        return root
    raise UnsupportedFormat(f"This is {_name_zip(names)}, which cannot be read. {READABLE}")


def _name_zip(names: list[str]) -> str:
    if "model.weights.h5" in names:
        return "a Keras model"
    if "[Content_Types].xml" in names:
        return "an Office document"
    if "META-INF/MANIFEST.MF" in names:
        return "a Java archive"
    return "a ZIP archive that PyTorch did not write"
