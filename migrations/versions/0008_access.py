"""tokens with a role and an end, and a record of changes that can only grow

Revision: 0008, after 0007

Nothing had written either table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CHANGES = ("update", "delete")


def upgrade() -> None:
    op.drop_table("api_tokens")
    op.create_table(
        "api_tokens",
        *_list_columns(),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('viewer', 'editor', 'admin')", name=op.f("ck_api_tokens_role")
        ),
        *_list_keys(),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in CHANGES:
            op.execute(
                f"CREATE TRIGGER audit_log_no_{change} BEFORE {change} ON audit_log"
                " BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in CHANGES:
            op.execute(f"DROP TRIGGER audit_log_no_{change}")
    op.drop_table("api_tokens")
    op.create_table(
        "api_tokens",
        *_list_columns(),
        sa.Column("scope", sa.String(length=16), nullable=False),
        *_list_keys(),
    )


def _list_columns() -> list[sa.Column]:
    return [
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
    ]


def _list_keys() -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    ]
