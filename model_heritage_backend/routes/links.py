"""Ways from one page of a list to the next."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request


def link_next(cursor: str | None) -> dict[str, str]:
    """The header that leads to the following page (RFC 8288), none at the end.

    The address repeats the request's query, encoded anew: nothing of it can break out of the
    header.
    """
    if cursor is None:
        return {}
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]
    return {"Link": f'<{request.path}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'}
