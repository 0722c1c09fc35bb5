"""Tokens, sessions, and the record of changes."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp

from model_heritage_backend.models.paging import LARGEST_INTEGER
from model_heritage_backend.models.tables import ROLES
from model_heritage_backend.routes.schemas.common import describe_writing
from model_heritage_backend.services.access import MOST_DAYS, NAME_LENGTH

EXAMPLE = "mh_5f0c2b7d9a3e_" + "A" * 43
EXAMPLE_ID = "t_5f0c2b7d9a3e"
DAYS = 90
CHANGING_METHODS = ("POST", "PUT", "PATCH", "DELETE")
ACCESS = ("open", "token", "login")


class SignIn(Schema):
    token = String(
        required=True,
        validate=Regexp(r"^[\x21-\x7e]{1,200}\Z"),
        metadata={"example": EXAMPLE, "pattern": r"^[\x21-\x7e]{1,200}$"},
    )


class Session(Schema):
    access = String(validate=OneOf(ACCESS))
    role = String(validate=OneOf(ROLES), metadata={"example": "editor"})
    name = String(metadata={"example": "Ada's laptop"})
    user_id = String(allow_none=True)
    session_id = String(allow_none=True)
    token_id = String(allow_none=True, metadata={"example": EXAMPLE_ID})
    token_expires_at = String(allow_none=True)


class WholeNumber(Integer):
    """As JSON has it: 30.0 is one, 30.5 is none."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._validated(value)


class TokenRequest(Schema):
    name = describe_writing(
        NAME_LENGTH, visible=True, required=True, metadata={"example": "Ada's laptop"}
    )
    role = String(required=True, validate=OneOf(ROLES), metadata={"example": "editor"})
    expires_in_days = WholeNumber(
        load_default=DAYS,
        allow_none=True,
        strict=True,
        validate=Range(1, MOST_DAYS),
        metadata={"description": "How long it is valid; null for ever"},
    )


class TokenShape(Schema):
    id = String(metadata={"example": EXAMPLE_ID})
    name = String(metadata={"example": "Ada's laptop"})
    role = String(validate=OneOf(ROLES), metadata={"example": "editor"})
    user_id = String(
        allow_none=True,
        metadata={"description": "Whose it is: it never may more than they"},
    )
    state = String(validate=OneOf(("valid", "expired", "revoked")))
    created_at = String()
    expires_at = String(allow_none=True)
    last_used_at = String(allow_none=True)
    revoked_at = String(allow_none=True)


class NewToken(TokenShape):
    token = String(
        metadata={"description": "The token itself, shown here only", "example": EXAMPLE}
    )


class TokenList(Schema):
    tokens = List(Nested(TokenShape))


class AuditQuery(Schema):
    limit = Integer(load_default=100, validate=Range(1, 500))
    before = Integer(
        load_default=None,
        allow_none=True,
        validate=Range(1, LARGEST_INTEGER),
        metadata={"description": "`next_before` of the page before"},
    )
    who = String(
        load_default=None,
        allow_none=True,
        validate=Length(0, 200),
        metadata={"description": "Part of the name of a user or token, or its id"},
    )
    method = String(load_default=None, allow_none=True, validate=OneOf(CHANGING_METHODS))


class AuditEntryShape(Schema):
    id = Integer()
    actor = String(metadata={"description": "Id of the user or token", "example": EXAMPLE_ID})
    name = String(metadata={"description": "Name of the user or token"})
    method = String(metadata={"example": "DELETE"})
    path = String(metadata={"example": "/api/models/m_3b1f0c5d9e7a2468"})
    status = Integer(metadata={"example": 204})
    request_id = String()
    created_at = String()


class AuditPageShape(Schema):
    entries = List(Nested(AuditEntryShape))
    next_before = Integer(allow_none=True)
