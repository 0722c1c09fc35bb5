from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask
from structlog.contextvars import bound_contextvars

from model_heritage_backend.routes.log_lines import start_logging, stop_logging
from tests.served import MakeApp, check_problem

NASTY = "a\n2026 ERROR [-] forged\r\x1b[2J\u2028\u202eb\x85c"
logger = logging.getLogger("somewhere")


@pytest.fixture(autouse=True)
def stop() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    stop_logging()
    root.setLevel(level)


@pytest.mark.parametrize("format_", ["console", "json"])
def test_users_write_no_lines(format_: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    start_logging("INFO", format_=format_, file=file, file_bytes=10_000, files_kept=0)
    logger.info("the model %s", NASTY, extra={"name_of": NASTY})
    with bound_contextvars(model_id=NASTY):
        logger.info("bound")
    try:
        raise RuntimeError(NASTY)
    except RuntimeError:
        logger.exception("failed")
    text = file.read_text()
    assert not set(text) & set("\r\x1b\u2028\u202e\x85")
    beginnings = [line for line in text.split("\n") if line and not line.startswith("    ")]
    assert len(beginnings) == 3
    assert not any(line.startswith("2026 ERROR") for line in beginnings)
    if format_ == "json":
        first, bound, failed = map(json.loads, beginnings)
        assert first["event"] == f"the model {NASTY}"
        assert first["name_of"] == bound["model_id"] == NASTY
        assert (first["level"], first["logger"], first["request_id"]) == ("info", "somewhere", "-")
        assert first["timestamp"].endswith("Z")
        assert "RuntimeError" in failed["exception"]
    else:
        assert "\n    RuntimeError: a\n" in text or "\n    RuntimeError: a\\u000a" in text


def test_lines_say_what_they_belong_to(tmp_path: Path) -> None:
    file = tmp_path / "log"
    start_logging("INFO", file=file, file_bytes=10_000, files_kept=0)
    logger.info("request", extra={"status": 200, "who": "Ada's laptop", "path": "/api/x/<id>"})
    line = file.read_text()
    assert line[line.index(" INFO") :] == (
        ' INFO [-] request status=200 who="Ada\'s laptop" path=/api/x/<id>\n'
    )


def test_rotation(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "heritage.log"
    start_logging("WARNING", file=file, file_bytes=1024, files_kept=2)
    logger.info("not this")
    for number in range(100):
        logger.warning("line %d", number)
    names = sorted(path.name for path in file.parent.iterdir())
    assert names == ["heritage.log", "heritage.log.1", "heritage.log.2"]
    assert all(path.stat().st_size <= 1024 for path in file.parent.iterdir())
    assert file.read_text().endswith("line 99\n")


def test_a_second_start_takes_the_place_of_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        start_logging("INFO")
    logger.info("once")
    assert capsys.readouterr().err.count("once") == 1


def test_the_requests_id_is_in_every_line(make_app: MakeApp, tmp_path: Path) -> None:
    """Also in lines of libraries, whatever their logger is called."""
    file = tmp_path / "log"
    app: APIFlask = make_app(log_file=file, log_format="json")

    @app.get("/api/broken")
    def fail() -> str:
        logging.getLogger("library.part").warning("it creaks")
        raise RuntimeError("broken")

    problem = check_problem(app.test_client().get("/api/broken"), 500, "internal-error")
    logging.getLogger("library").warning("between requests")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    mine = [line for line in lines if line["request_id"] == problem["request_id"]]
    assert [line["event"] for line in mine] == ["it creaks", "GET '/api/broken' failed", "request"]
    assert "RuntimeError: broken" in mine[1]["exception"]
    assert mine[2]["status"] == 500
    assert lines[-1]["request_id"] == "-"
