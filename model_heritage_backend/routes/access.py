"""Who may ask for what.

With ``access: token`` or ``login`` one hook stands before every route: nothing under ``/api`` is
answered without a valid token or session, but health and the way to sign in. A route says what role
it needs with ``@needs`` beside its function; one that says nothing needs the strictest that fits
its method: viewer for reading, editor for everything else.
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
from model_heritage_backend.routes.proxy_user import ProxyUser
from model_heritage_backend.routes.request_ids import get_request_id
from model_heritage_backend.routes.sessions import COOKIE, set_cookie
from model_heritage_backend.routes.views import get_service
from model_heritage_backend.services.access import ANYONE, Identity, Role
from model_heritage_backend.services.pace import Pace

GUARD = "model_heritage_guard"
CSRF_HEADER = "X-Requested-With"
CHALLENGE = 'Bearer realm="Model Heritage"'
PATH_LENGTH = 400
UNCOUNTED = ("resumable.append_bytes",)
"""Changes without a number: one large file is sent in many pieces."""
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
    access : "open", "token" or "login", as the setting
    origins : other sites whose pages may call
    hours : how long a session lasts
    proxy_user : how a proxy names users, where one may
    pace : how many changes are too many
    """

    def __init__(
        self,
        *,
        access: str,
        origins: Sequence[str],
        hours: float,
        proxy_user: ProxyUser | None,
        pace: Pace,
    ) -> None:
        self.access = access
        self._origins = origins
        self._hours = hours
        self._proxy_user = proxy_user
        self._pace = pace

    @property
    def is_open(self) -> bool:
        return self.access == "open"

    def check(self) -> None:
        """Let the present request pass, and remember who sent it.

        Raises
        ------
        NotSignedIn, NotAllowed, TooManyAttempts, TooManyChanges, ForeignOrigin
        """
        if self.is_open or request.method == "OPTIONS":
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
        identity = self._identify()
        setattr(g, _IDENTITY, identity)
        if not identity.role.allows(role):
            raise NotAllowed(f"This needs the role {role}; yours is {identity.role}.")
        if request.method not in SAFE_METHODS and request.endpoint not in UNCOUNTED:
            self._pace.count(f"by {identity.owner_id}", f"from {get_address()}")

    def _identify(self) -> Identity:
        service = get_service()
        # Another scheme is none of ours: a proxy may have asked for its own password.
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return service.access.identify(text.strip(), address=get_address())
        named = self._proxy_user.find_name() if self._proxy_user else None
        if self._proxy_user and named is not None:
            identity = service.accounts.admit(named, role=self._proxy_user.role)
        else:
            cookie = request.cookies.get(COOKIE)
            if cookie is None:
                raise NotSignedIn("Sign in, or send a token as Authorization: Bearer ….")
            identity = service.sessions.recall(cookie)
        # Cookies and what a proxy says come along whoever made the browser ask.
        if request.method not in SAFE_METHODS:
            self.check_own_page()
        return identity

    def begin_session(self, response: Response, identity: Identity) -> None:
        """Sign a browser in, and let the record of changes say so."""
        secret = get_service().sessions.begin(
            identity,
            hours=self._hours,
            address=get_address(),
            agent=request.headers.get("User-Agent", ""),
        )
        setattr(g, _IDENTITY, identity)
        set_cookie(response, secret, hours=self._hours)

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


def refuse_others(owner_id: str | None) -> None:
    """Whether whoever calls may do what only the owner and admins may.

    Raises
    ------
    NotAllowed
    """
    identity = get_identity()
    if identity.role is not Role.ADMIN and (owner_id is None or owner_id != identity.owner_id):
        raise NotAllowed("Only admins may do this with what others have brought or asked for.")


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
            actor=identity.user_id or identity.token_id or identity.name,
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
            # By a foreign name, nothing is answered.
            operation["responses"].setdefault("403", {})
            if role is not None:
                for status in ("401", "429"):
                    operation["responses"].setdefault(status, {})
            elif not guard.is_open:
                operation["security"] = []
    if not guard.is_open:
        spec["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        spec["security"] = [{"token": []}, {"session": []}]
