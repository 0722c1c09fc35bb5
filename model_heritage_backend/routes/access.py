"""Who may ask for what.

With ``access: token`` one hook stands before every route: nothing under ``/api`` is answered
without a valid token or session, but health and the way to sign in. A route says what role it needs
with ``@needs`` beside its function; one that says nothing needs the strictest that fits its method:
viewer for reading, editor for everything else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from model_heritage_backend.errors import HeritageError, NotAllowed, NotSignedIn
from model_heritage_backend.routes.protection import ANY, SAFE_METHODS, ForeignOrigin
from model_heritage_backend.routes.request_ids import get_request_id
from model_heritage_backend.routes.sessions import COOKIE, Sessions
from model_heritage_backend.routes.views import get_service
from model_heritage_backend.services.access import ANYONE, Identity, Role

GUARD = "model_heritage_guard"
CSRF_HEADER = "X-Requested-With"
CHALLENGE = 'Bearer realm="Model Heritage"'
PATH_LENGTH = 400
_ROLE = "heritage_role"
_IDENTITY = "heritage_identity"
View = TypeVar("View", bound=Callable[..., Any])
logger = logging.getLogger(__name__)


def needs(role: Role) -> Callable[[View], View]:
    """Say beside a route's function which role it needs; below the route's own decorator."""

    def mark(view: View) -> View:
        setattr(view, _ROLE, role)
        return view

    return mark


def open_to_all(view: View) -> View:
    """Say beside a route's function that nobody is asked for a token."""
    setattr(view, _ROLE, None)
    return view


def find_role(view: Callable[..., Any], method: str) -> Role | None:
    """The role that a route needs; None when it is open to all."""
    usual = Role.VIEWER if method in SAFE_METHODS else Role.EDITOR
    role: Role | None = getattr(view, _ROLE, usual)
    return role


class Guard:
    """How one server tells who calls.

    Parameters
    ----------
    sessions : those of browsers; None where access is open
    origins : other sites whose pages may call
    """

    def __init__(self, *, sessions: Sessions | None, origins: Sequence[str]) -> None:
        self.sessions = sessions
        self._origins = origins

    @property
    def is_open(self) -> bool:
        return self.sessions is None

    def check(self) -> None:
        """Let the present request pass, and remember who sent it.

        Raises
        ------
        NotSignedIn, NotAllowed, TooManyAttempts, ForeignOrigin
        """
        if self.sessions is None or request.method == "OPTIONS":
            # Browsers ask with OPTIONS what they may send, and never with a token.
            return
        if request.endpoint is None:
            # No route: then there is nothing to protect, but what there is not is told to no one.
            under_api = request.path == "/api" or request.path.startswith("/api/")
            role: Role | None = Role.VIEWER if under_api else None
        else:
            role = find_role(current_app.view_functions[request.endpoint], request.method)
        if role is None:
            return
        identity = self._identify(self.sessions)
        setattr(g, _IDENTITY, identity)
        if not identity.role.allows(role):
            raise NotAllowed(
                f"This needs the role {role}; your token has the role {identity.role}."
            )

    def _identify(self, sessions: Sessions) -> Identity:
        access = get_service().access
        # Another scheme is none of ours: a proxy may have asked for its own password.
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return access.identify(text.strip(), address=get_address())
        cookie = request.cookies.get(COOKIE)
        if cookie is None:
            raise NotSignedIn("Sign in, or send a token as Authorization: Bearer ….")
        identity = access.recall(sessions.read(cookie))
        if request.method not in SAFE_METHODS:
            self.check_own_page()
        return identity

    def check_own_page(self) -> None:
        """A browser sends its cookie whoever made it ask: that must have been a page from here.

        Raises
        ------
        ForeignOrigin
            When the request's ``Origin`` is another one, or it has none and no header of ours,
            which a page of another site could not send without asking first.
        """
        origin = request.headers.get("Origin")
        if origin is None:
            if CSRF_HEADER in request.headers:
                return
            raise ForeignOrigin(f"A change with a session needs Origin or {CSRF_HEADER}.")
        known = origin in self._origins and origin != ANY
        if not known and urlsplit(origin).netloc != request.host:
            raise ForeignOrigin(f"Pages of {origin[:200]} may not change anything here.")


def get_guard() -> Guard:
    guard: Guard = current_app.extensions[GUARD]
    return guard


def get_identity() -> Identity:
    """Who sent the present request; anyone where access is open.

    Raises
    ------
    NotSignedIn
        On routes that ask nobody.
    """
    if get_guard().is_open:
        return ANYONE
    identity: Identity | None = g.get(_IDENTITY)
    if identity is None:
        raise NotSignedIn("This is answered to those who have signed in.")
    return identity


def get_address() -> str:
    return request.remote_addr or "unknown"


def guard_routes(app: Flask, guard: Guard) -> None:
    """Check every request, and record changes. Before what looks at a request's conditions."""
    app.extensions[GUARD] = guard
    if guard.is_open:
        return
    app.before_request(guard.check)

    @app.after_request
    def challenge(response: Response) -> Response:
        if response.status_code == NotSignedIn.status:
            response.headers["WWW-Authenticate"] = CHALLENGE
        return response

    @app.after_request
    def record(response: Response) -> Response:
        identity: Identity | None = g.get(_IDENTITY)
        if identity is not None and request.method not in SAFE_METHODS:
            _record(identity, response.status_code)
        return response


def _record(identity: Identity, status: int) -> None:
    path = request.path.replace("\0", "")[:PATH_LENGTH]
    try:
        get_service().audit.add(
            actor=identity.token_id or identity.name,
            action=request.method,
            subject=path,
            detail={
                "name": identity.name,
                "path": path,
                "status": status,
                "request_id": get_request_id(),
            },
        )
    except HeritageError as error:
        # The change is made already; its line in the log has the request's id.
        logger.error(
            "%s %r by %s is not in the audit log: %s",
            request.method,
            path,
            identity.token_id,
            error.detail,
        )


def describe_access(app: Flask, spec: dict[str, Any], guard: Guard) -> None:
    """Roles and refusals, written into the OpenAPI document."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
        for method, operation in spec["paths"].get(path, {}).items():
            if method == "options" or method.upper() not in (rule.methods or ()):
                continue
            role = find_role(app.view_functions[rule.endpoint], method.upper())
            operation["x-role"] = "anyone" if role is None else role.value
            if role is not None:
                for status in ("401", "403", "429"):
                    operation["responses"].setdefault(status, {})
            elif not guard.is_open:
                operation["security"] = []
    if not guard.is_open:
        spec["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        spec["security"] = [{"token": []}, {"session": []}]
