"""Request bodies: an uploaded file is written once, straight to where it is staged."""

from __future__ import annotations

from collections.abc import Collection
from typing import IO, Any, cast

from flask import Flask, Request, request

from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.staged_files import StagedFile

FORM_BYTES = 1 << 20
"""What a request may hold beside a file: form fields, or a JSON document."""


def accept_uploads(app: Flask, files: FileStore, *, endpoints: Collection[str]) -> None:
    """Let ``endpoints`` take bodies as large as files may be, and all others only small ones."""
    app.request_class = _build_request_class(files)

    @app.before_request
    def limit_body() -> None:
        if request.endpoint not in endpoints:
            request.max_content_length = FORM_BYTES


def _build_request_class(files: FileStore) -> type[Request]:
    class StagingRequest(Request):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._staged: list[StagedFile] = []

        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,  # noqa: ARG002 (werkzeug's signature)
            filename: str | None = None,  # noqa: ARG002 (likewise)
            content_length: int | None = None,  # noqa: ARG002 (likewise)
        ) -> IO[bytes]:
            staged = files.stage(expected_bytes=total_content_length)
            self._staged.append(staged)
            return cast("IO[bytes]", staged)

        def close(self) -> None:
            # A form that breaks off, or that is too large, never hands its files over.
            for staged in self._staged:
                staged.close()
            super().close()

    return StagingRequest
