"""How much a checkpoint may ask of its reader before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields

from model_heritage_backend.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what a file may make the reader keep or do; generous for every honest checkpoint.

    Attributes
    ----------
    header_bytes : length of a safetensors header (the format's own limit), or of a GGUF file's
    metadata : entries of what a safetensors or GGUF file says about itself
    listed_strings : strings in the lists of a GGUF file's header (vocabularies), all together
    tensors : tensors of one checkpoint
    name_length : characters of a tensor's name, and bytes of a record's name
    dimensions : dimensions of one tensor
    pickle_bytes : length of the description inside a PyTorch file
    pickle_opcodes : steps of that description; one step makes at most one small object
    pickle_names : references of that description to Python objects
    pickle_marks : nesting of that description's open marks
    nesting : mappings within mappings around a tensor
    zip_entries, zip_directory_bytes : size of a ZIP file's directory
    parts : files of one checkpoint
    index_bytes : length of a checkpoint's index, and of other texts beside its weights
    unpacked : bytes of an archive's packed records together, as a multiple of the file's length
        (small files may always have 16 MB)
    expansion : bytes of all tensors together, as a multiple of the file's length (tensors may share
        values, and strides of zero repeat them)
    reach : bytes from the first to the last value of every strided tensor, all together, as a
        multiple of the file's length
    """

    header_bytes: int = 100_000_000
    metadata: int = 10_000
    listed_strings: int = 3_000_000
    tensors: int = 100_000
    name_length: int = 1024
    dimensions: int = 32
    pickle_bytes: int = 1 << 26
    pickle_opcodes: int = 3_000_000
    pickle_names: int = 100_000
    pickle_marks: int = 1000
    nesting: int = 32
    zip_entries: int = 200_000
    zip_directory_bytes: int = 1 << 26
    parts: int = 2000
    index_bytes: int = 1 << 24
    unpacked: int = 100
    expansion: int = 8
    reach: int = 64


_CHOSEN = [Limits()]


def choose_limits(**changes: int) -> None:
    """Bounds for whatever this process reads from now on, where others are not given; what is not
    named has its default.

    Raises
    ------
    InvalidRequest
        For names that are no limit's, and for numbers below 1.
    """
    unknown = sorted(changes.keys() - {field.name for field in fields(Limits)})
    if unknown or any(value < 1 for value in changes.values()):
        wrong = unknown[0] if unknown else min(changes, key=lambda name: changes[name])
        raise InvalidRequest(f"reader_limits: {wrong!r} is no limit, or its number is below 1.")
    _CHOSEN[0] = Limits(**changes)


def get_limits() -> Limits:
    return _CHOSEN[0]
