from __future__ import annotations

import logging
import re

from apiflask import APIFlask
from flask.testing import FlaskClient

from model_heritage_backend.routes.request_ids import FORMAT
from tests.served import MakeApp, check_problem


def test_every_answer_has_its_own_id(client: FlaskClient) -> None:
    answers = [client.get("/api/health"), client.get("/api/nothing"), client.get("/")]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    # Without this, the page's file would stay open.
    answers[-1].close()
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)


def test_it_is_in_every_line_of_the_log(make_app: MakeApp) -> None:
    """Also in lines of libraries, whatever their logger is called."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter(FORMAT).format(record))

    kept = Kept()
    logging.getLogger().addHandler(kept)
    try:
        app: APIFlask = make_app()

        @app.get("/api/broken")
        def fail() -> str:
            logging.getLogger("library.part").warning("it creaks")
            raise RuntimeError("broken")

        problem = check_problem(app.test_client().get("/api/broken"), 500, "internal-error")
        logging.getLogger("library").warning("between requests")
    finally:
        logging.getLogger().removeHandler(kept)
    mine = [line for line in lines if f"[{problem['request_id']}]" in line]
    assert len(mine) == 2
    assert "it creaks" in mine[0]
    assert "RuntimeError: broken" in mine[1]
    assert "[-] between requests" in lines[-1]
