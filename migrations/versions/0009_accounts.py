"""users with passwords, sessions that can be listed and ended, owners of models

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NEW_KINDS = "kind IN ('process', 'reprocess', 'rebuild', 'recluster', 'import', 'cleanup', 'delete')"
OLD_KINDS = "kind IN ('process', 'reprocess', 'rebuild', 'recluster', 'import', 'cleanup')"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_folded", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'admin')", name="ck_users_role"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name_folded", name="uq_users_name_folded"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("token_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (token_id IS NULL)", name="ck_sessions_whose"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name="fk_sessions_token_id_api_tokens", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_token_id", "sessions", ["token_id"])
    op.add_column("api_tokens", sa.Column("user_id", sa.String(length=40), nullable=True))
    op.add_column("models", sa.Column("owner_id", sa.String(length=40), nullable=True))
    op.create_index("ix_models_owner_id", "models", ["owner_id"])
    _change_kinds(NEW_KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'delete'")
    _change_kinds(OLD_KINDS)
    op.drop_index("ix_models_owner_id", "models")
    with op.batch_alter_table("models") as batch:
        batch.drop_column("owner_id")
    with op.batch_alter_table("api_tokens") as batch:
        batch.drop_column("user_id")
    op.drop_table("sessions")
    op.drop_table("users")


def _change_kinds(condition: str) -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_constraint(batch.f("ck_jobs_kind"), type_="check")
        batch.create_check_constraint(batch.f("ck_jobs_kind"), condition)
