"""Any checkpoint that can be read, written as a safetensors file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from model_heritage_backend.errors import Conflict, InvalidRequest
from model_heritage_backend.weights.tensors import Weights

PIECE = 1 << 20
"""Values that are in memory at once."""
ALIGNED = 8


def write_safetensors(weights: Weights, target: Path, *, replace: bool = False) -> int:
    """Write all tensors, as they are stored: quantised blocks as the float32 values they stand for,
    complex ones as pairs of numbers in a last dimension of two.

    Parameters
    ----------
    target : is there whole or not at all: the file gets its name once it is complete
    replace : whether a file of this name may go

    Returns
    -------
    Bytes written.

    Raises
    ------
    Conflict
        When there is such a file and it may not be replaced.
    InvalidRequest
        When the file cannot be written.
    InvalidWeights
        When values cannot be read.
    """
    if target.exists() and not replace:
        raise Conflict(f"{target} is there already.")
    # Names of tied tensors are noted as ``safetensors.torch.save_model`` does.
    notes = {"format": "pt", **weights.tied, **weights.metadata}
    header: dict[str, object] = {"__metadata__": notes}
    place = 0
    for name, tensor in weights.items():
        span = [place, place + tensor.nbytes]
        header[name] = {"dtype": tensor.dtype.value, "shape": tensor.shape, "data_offsets": span}
        place += tensor.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("xb") as file:
            file.write(len(text).to_bytes(8, "little"))
            file.write(text)
            for tensor in weights.values():
                for _, values in tensor.iterate_raw(PIECE):
                    file.write(values.astype(tensor.dtype.storage, copy=False).tobytes())
            size = file.tell()
        unfinished.replace(target)
    except OSError as error:
        raise InvalidRequest(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return size
