"""Bodies of requests, read from files piece by piece: requests' own forms hold them in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

PIECE = 1 << 20
Progress = Callable[[int, int], None]
"""Called with the bytes that were sent, and how many there are in all."""


@dataclass(frozen=True)
class FileRange:
    """The bytes ``start`` to ``stop`` of a file, as the body of a request."""

    path: Path
    start: int
    stop: int
    on_bytes: Callable[[int], None]

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = len(self)
            while left > 0 and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece
                self.on_bytes(len(piece))


class Form:
    """Files, and text fields before them, as ``multipart/form-data``."""

    def __init__(
        self,
        files: Sequence[Path],
        fields: Sequence[tuple[str, str]] = (),
        *,
        progress: Progress | None = None,
    ) -> None:
        boundary = f"heritage-{secrets.token_hex(16)}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._progress = progress
        self._sent = 0
        self._parts: list[bytes | FileRange] = []
        for name, value in fields:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            self._parts.append(f"{head}{value}\r\n".encode())
        for path in files:
            # Only the letters that need no quoting: names are anybody's text.
            name = quote(path.name, safe=" ()[]+,;=@!#$&~")
            head = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
                "\r\nContent-Type: application/octet-stream\r\n\r\n"
            )
            body = FileRange(path, 0, path.stat().st_size, self._advance)
            self._parts += [head.encode(), body, b"\r\n"]
        self._parts.append(f"--{boundary}--\r\n".encode())
        self._total = sum(len(part) for part in self._parts if isinstance(part, FileRange))

    def _advance(self, count: int) -> None:
        self._sent += count
        if self._progress is not None:
            self._progress(self._sent, self._total)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, FileRange):
                yield from part
            else:
                yield part
