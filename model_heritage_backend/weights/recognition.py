"""Names for what a file is when it is no checkpoint that can be read."""

from __future__ import annotations

from model_heritage_backend.errors import UnsupportedFormat

READABLE = (
    "Readable are .safetensors, .gguf and .npz files, and .pt, .pth, .ckpt and .bin files written "
    "by torch.save()."
)

# (bytes, where they stand, what they mean); the first match counts.
SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"lmgg", 0, "a GGML file (llama.cpp)"),
    (b"tjgg", 0, "a GGML file (llama.cpp)"),
    (b"\x93NUMPY", 0, "a lone NumPy array (.npy)"),
    (b"\x89HDF\r\n\x1a\n", 0, "an HDF5 file (Keras)"),
    (b"TFL3", 4, "a TensorFlow Lite model"),
    (b"\x80\x02", 0, "a Python pickle"),
    (b"\x80\x03", 0, "a Python pickle"),
    (b"\x80\x04", 0, "a Python pickle"),
    (b"\x80\x05", 0, "a Python pickle"),
    *(
        (first + b"\0", 0, "a PyTorch file of the tar format before 0.1.10")
        for first in (b"sys_info", b"pickle", b"tensors", b"storages")
    ),
    (b"ustar", 257, "a tar archive"),
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"BZh", 0, "a bzip2 archive"),
    (b"\xfd7zXZ", 0, "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", 0, "a Zstandard archive"),
    (b"Rar!", 0, "a RAR archive"),
    (b"%PDF", 0, "a PDF document"),
    (b"\x89PNG", 0, "a PNG image"),
    (b"\xff\xd8\xff", 0, "a JPEG image"),
    (b"GIF8", 0, "a GIF image"),
    (b"RIFF", 0, "a media file"),
    (b"ftyp", 4, "a video"),
    (b"\x7fELF", 0, "a program"),
    (b"MZ", 0, "a Windows program"),
    (b"SQLite format 3", 0, "an SQLite database"),
    (b"PAR1", 0, "a Parquet table"),
    (b"ARROW1", 0, "an Arrow table"),
)
PROTOBUF_FIRST_FIELD = b"\x08"
ONNX_PRODUCERS = (b"pytorch", b"onnx", b"tf2onnx", b"keras2onnx", b"skl2onnx", b"paddle")


def explain_unsupported(head: bytes) -> UnsupportedFormat:
    """The refusal for a file that begins with ``head`` (at least 300 bytes where it has them)."""
    if not head:
        return UnsupportedFormat("The file is empty.")
    for magic, place, what in SIGNATURES:
        if head.startswith(magic, place):
            return _refusal(what)
    if head.startswith(PROTOBUF_FIRST_FIELD) and any(p in head[:64] for p in ONNX_PRODUCERS):
        return _refusal("an ONNX model")
    text = _as_text(head)
    if text is None:
        return _refusal("a binary file of an unknown kind")
    return _explain_text(text.lstrip("\ufeff \t\r\n"))


def _explain_text(text: str) -> UnsupportedFormat:
    lowered = text[:200].lower()
    if text.startswith("version https://git-lfs"):
        return UnsupportedFormat(
            "This is a Git LFS pointer, not the file that it stands for. Run 'git lfs pull' first."
        )
    if text.startswith("{") and '"weight_map"' in text:
        return UnsupportedFormat(
            "This is the index of a checkpoint in several parts; the parts hold the weights."
        )
    if text.startswith("{"):
        return _refusal("a JSON text")
    if lowered.startswith(("<!doctype html", "<html")):
        return _refusal("a web page (HTML)")
    if text.startswith("<"):
        return _refusal("an XML text")
    return _refusal("a text")


def _as_text(head: bytes) -> str | None:
    # The piece may end within a character.
    text = head.decode(errors="ignore")
    damaged = len(head) - len(text.encode()) > 3
    odd = any(ord(c) < 32 and c not in "\t\r\n\f" for c in text)
    return None if damaged or odd else text


def _refusal(what: str) -> UnsupportedFormat:
    return UnsupportedFormat(f"This is {what}, which cannot be read. {READABLE}")
