"""The log: one line for one thing, for people or as JSON. Nothing that users write ends a line.

What forms the lines is loaded with the first of them: the process that watches over the server has
nothing to say as a rule, and is not there to the world before it has loaded everything.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

OUTSIDE = "-"
TEXT_LENGTH = 10_000
"""Characters of one text in a line."""
_FIRST = ("timestamp", "level", "request_id", "logger", "event")
_RENDERED = ("message", "asctime")
"""What other handlers' formatters leave in a record."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN = re.compile(r"[\w.:/<>@+-]+")
Line = MutableMapping[str, Any]


def start_logging(
    level: str,
    *,
    format_: str = "console",
    file: Path | None = None,
    file_bytes: int = 0,
    files_kept: int = 0,
) -> None:
    """Log to standard error, and to a file that is followed by new ones as it grows.

    A second call replaces what the first one set up.
    """
    formatter = _Lines(write_json if format_ == "json" else write_for_people)
    handlers: list[logging.Handler] = [_StandardError()]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_File(file, maxBytes=file_bytes, backupCount=files_kept, encoding="utf-8"))
    stop_logging()
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def count_lines(count: Callable[[str], None]) -> None:
    """Tell of every warning or worse by its level, until the log is stopped."""
    logging.getLogger().addHandler(_Counter(count))


def stop_logging() -> None:
    """Close what ``start_logging`` has opened."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _StandardError | _File | _Counter):
            root.removeHandler(handler)
            handler.close()


class _Lines(logging.Formatter):
    def __init__(self, write: Callable[[object, str, Line], str]) -> None:
        super().__init__()
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        return self._structlog.format(record)

    @functools.cached_property
    def _structlog(self) -> logging.Formatter:
        import structlog

        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                _add_request_id,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                self._write,
            ],
        )


class _StandardError(logging.StreamHandler[TextIO]):
    """Whatever is standard error at that moment."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """The base class sets it once."""


class _File(RotatingFileHandler):
    """Told apart from other programs' handlers by its class."""


class _Counter(logging.Handler):
    def __init__(self, count: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        self._count(record.levelname)


def _add_request_id(_logger: object, _method: str, line: Line) -> Line:
    from flask import has_request_context

    from model_heritage_backend.routes.request_ids import get_request_id

    if "request_id" not in line:
        line["request_id"] = get_request_id() if has_request_context() else OUTSIDE
    return line


def write_json(_logger: object, _method: str, line: Line) -> str:
    """One JSON object in ASCII."""
    return json.dumps({name: _shorten(value) for name, value in _order(line)}, default=str)


def write_for_people(_logger: object, _method: str, line: Line) -> str:
    """Time, level, request id and message, what belongs to it as name=value; a traceback below,
    every line of it indented."""
    names = dict(_order(line))
    trace = str(names.pop("exception", ""))
    time, level, request_id, logger, event = (names.pop(name, OUTSIDE) for name in _FIRST)
    del logger
    text = f"{time} {str(level).upper()} [{request_id}] {_escape(str(_shorten(event)))}"
    text += "".join(f" {name}={_quote(value)}" for name, value in names.items())
    return text + "".join(f"\n    {_escape(part)}" for part in trace.splitlines())


def _order(line: Mapping[str, Any]) -> list[tuple[str, Any]]:
    rest = [name for name in line if name not in (*_FIRST, *_RENDERED)]
    return [(name, line[name]) for name in (*_FIRST, *rest) if name in line]


def _shorten(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_LENGTH:
        return value[: TEXT_LENGTH - 1] + "…"
    return value


def _quote(value: Any) -> str:
    if not isinstance(value, str):
        return _escape(str(value))
    return value if _PLAIN.fullmatch(value) else _escape(json.dumps(value, ensure_ascii=False))


def _escape(text: str) -> str:
    """No character that ends a line, moves the cursor or turns the direction of writing."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
