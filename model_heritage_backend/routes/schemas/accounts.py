"""Users, their passwords, and the browsers in which they are signed in."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, List, Nested, String
from apiflask.validators import Length, OneOf

from model_heritage_backend.models.account_tables import NAME_LENGTH
from model_heritage_backend.models.tables import ROLES
from model_heritage_backend.routes.schemas.common import LINE, Writing
from model_heritage_backend.routes.schemas.tokens import ACCESS
from model_heritage_backend.services.passwords import LEAST, MOST

NAME = rf"^[A-Za-z0-9._@+-]{{1,{NAME_LENGTH}}}$"
NAME_ERROR = f"1 to {NAME_LENGTH} letters (a to z), digits, or . _ @ + -"
PASSWORD_ERROR = "It contains control characters."  # noqa: S105 (a sentence)


def _name() -> String:
    return String(
        required=True, validate=Writing(NAME, error=NAME_ERROR), metadata={"example": "ada"}
    )


def _password(*, new: bool, required: bool = True) -> String:
    rules = [Length(LEAST if new else 1, MOST), Writing(LINE, error=PASSWORD_ERROR)]
    return String(
        required=required,
        validate=rules,
        metadata={"format": "password", "example": "correct horse battery staple"},
    )


class AccessShape(Schema):
    access = String(validate=OneOf(ACCESS))
    awaits_setup = Boolean(metadata={"description": "Whether the first admin is still to be made"})


class SetUp(Schema):
    code = String(
        required=True,
        validate=[Length(1, 100), Writing(LINE, error=PASSWORD_ERROR)],
        metadata={"description": "As the server's log shows it", "example": "k3Jx0aBcDeFg"},
    )
    name = _name()
    password = _password(new=True)


class PasswordSignIn(Schema):
    name = _name()
    password = _password(new=False)


class PasswordChange(Schema):
    old = _password(new=False)
    new = _password(new=True)


class NewUser(Schema):
    name = _name()
    role = String(required=True, validate=OneOf(ROLES), metadata={"example": "editor"})
    password = _password(new=True)


class UserChange(Schema):
    role = String(validate=OneOf(ROLES), metadata={"example": "viewer"})
    disabled = Boolean(truthy={True}, falsy={False})
    password = _password(new=True, required=False)


class UserShape(Schema):
    id = String(metadata={"example": "u_5f0c2b7d9a3e"})
    name = String(metadata={"example": "ada"})
    role = String(validate=OneOf(ROLES))
    disabled = Boolean()
    has_password = Boolean(metadata={"description": "Else a proxy says who it is"})
    created_at = String()
    last_seen_at = String(allow_none=True)


class UserList(Schema):
    users = List(Nested(UserShape))


class SessionShape(Schema):
    id = String(metadata={"example": "s_5f0c2b7d9a3e"})
    user_id = String(allow_none=True)
    token_id = String(allow_none=True)
    name = String(metadata={"description": "Of the user or token", "example": "ada"})
    address = String(metadata={"example": "10.0.0.7"})
    agent = String(metadata={"description": "What the browser calls itself"})
    present = Boolean(metadata={"description": "Whether this request belongs to it"})
    created_at = String()
    last_used_at = String()
    expires_at = String()


class SessionList(Schema):
    sessions = List(Nested(SessionShape))
