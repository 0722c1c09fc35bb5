"""jobs have attempts, leases, parameters; they can be cancelled; imports and cleanups

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEW_KINDS = "kind IN ('process', 'reprocess', 'rebuild', 'recluster', 'import', 'cleanup')"
OLD_KINDS = "kind IN ('process', 'reprocess', 'rebuild', 'recluster')"
NEW_STATES = "state IN ('queued', 'running', 'done', 'failed', 'cancelled')"
OLD_STATES = "state IN ('queued', 'running', 'done', 'failed')"


def _change_checks(kinds: str, states: str) -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        for name, condition in (("ck_jobs_kind", kinds), ("ck_jobs_state", states)):
            batch_op.drop_constraint(batch_op.f(name), type_="check")
            batch_op.create_check_constraint(batch_op.f(name), condition)


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parameters", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("max_attempts", sa.Integer(), server_default="3", nullable=False)
        )
        batch_op.add_column(sa.Column("worker", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("lease_until", sa.DateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("cancel_asked", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "updated_at",
                sa.DateTime(),
                server_default="1970-01-01 00:00:00",
                nullable=False,
            )
        )
    _change_checks(NEW_KINDS, NEW_STATES)
    op.execute("UPDATE jobs SET updated_at = COALESCE(finished_at, started_at, created_at)")
    op.execute("UPDATE jobs SET attempts = 1 WHERE started_at IS NOT NULL")
    op.execute("UPDATE jobs SET state = 'cancelled' WHERE state = 'failed' AND stage = 'cancelled'")


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind IN ('import', 'cleanup')")
    op.execute("UPDATE jobs SET state = 'failed', stage = 'cancelled' WHERE state = 'cancelled'")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        for column in (
            "updated_at",
            "cancel_asked",
            "lease_until",
            "worker",
            "max_attempts",
            "attempts",
            "parameters",
        ):
            batch_op.drop_column(column)
    _change_checks(OLD_KINDS, OLD_STATES)
