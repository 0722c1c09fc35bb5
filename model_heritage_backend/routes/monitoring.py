"""What watches over a server asks for: is it alive, is it ready, what does it count?

Each has two addresses: below ``/api`` like everything else, and where such programs look first.
"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import Blueprint, Response

from model_heritage_backend.routes.access import open_to_all
from model_heritage_backend.routes.schemas.common import Responses, describe_text
from model_heritage_backend.routes.schemas.monitoring import Health, Ready
from model_heritage_backend.routes.views import get_service
from model_heritage_backend.services.metrics import MEDIA_TYPE
from model_heritage_backend.version import __version__

METRICS: Responses = {200: describe_text("In the text format of Prometheus", "text/plain")}


def add_monitoring(app: APIFlask, *, metrics_open: bool) -> None:
    """The routes.

    Parameters
    ----------
    metrics_open : whether nobody is asked for a token where metrics are told
    """
    described = APIBlueprint("monitoring", __name__, tag="Lake")
    short = Blueprint("probes", __name__)

    @short.get("/health")
    @described.get("/health")
    @open_to_all
    @described.output(Health)
    @described.doc(
        summary="Whether the server answers",
        description="It asks nothing else: a server that is alive but not ready must not be "
        "started again.",
    )
    def get_health() -> dict[str, Any]:
        return {"status": "ok", "version": __version__}

    @short.get("/ready")
    @described.get("/ready")
    @open_to_all
    @described.output(Ready)
    @described.doc(
        summary="Whether the server can do its work",
        description="Asks the database, writes into the data folder, looks at the disk's free "
        "space and at the queue. The problem's `checks` tell which of them fails.",
        responses=[503],
    )
    def get_readiness() -> dict[str, Any]:
        return {"status": "ready", "checks": get_service().readiness.check()}

    def get_metrics() -> Response:
        return Response(get_service().metrics.render(), content_type=MEDIA_TYPE)

    if metrics_open:
        open_to_all(get_metrics)
    get_metrics = described.doc(summary="Figures for Prometheus", responses=METRICS)(get_metrics)
    described.get("/metrics")(get_metrics)
    short.get("/metrics")(get_metrics)
    app.register_blueprint(described, url_prefix="/api")
    app.register_blueprint(short)
