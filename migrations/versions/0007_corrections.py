"""people's statements, families with names of their own, and history

Revision: 0007, after 0006

Nothing had written constraints, and no one could read revisions: both tables are made anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.add_column(sa.Column("given_name", sa.String(length=200), nullable=True))
    _drop_constraints()
    op.drop_table("revisions")
    op.create_table(
        "constraints",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=True),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('confirm', 'forbid', 'root', 'split')", name=op.f("ck_constraints_kind")
        ),
        *_point_to_models("constraints"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_constraints")),
    )
    _index_constraints()
    op.create_table(
        "split_members",
        sa.Column("constraint_id", sa.String(length=40), nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["constraint_id"],
            ["constraints.id"],
            name=op.f("fk_split_members_constraint_id_constraints"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_split_members_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("constraint_id", "model_id", name=op.f("pk_split_members")),
    )
    with op.batch_alter_table("split_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_split_members_model_id"), ["model_id"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=True),
        sa.Column("model_name", sa.String(length=200), nullable=True),
        sa.Column("statement", sa.JSON(), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("came_from", sa.JSON(), nullable=False),
        sa.Column("went_to", sa.JSON(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index(
            "uq_revisions_family_id_number", ["family_id", "number"], unique=True
        )


def downgrade() -> None:
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.drop_index("uq_revisions_family_id_number")
    op.drop_table("revisions")
    with op.batch_alter_table("split_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_split_members_model_id"))
    op.drop_table("split_members")
    _drop_constraints()
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("families", sa.JSON(), nullable=False),
        sa.Column("added", sa.JSON(), nullable=False),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    op.create_table(
        "constraints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('confirm', 'forbid', 'root')", name=op.f("ck_constraints_kind")),
        *_point_to_models("constraints"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_constraints")),
    )
    _index_constraints()
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.drop_column("given_name")


def _drop_constraints() -> None:
    with op.batch_alter_table("constraints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_constraints_parent_id"))
        batch_op.drop_index(batch_op.f("ix_constraints_model_id"))
    op.drop_table("constraints")


def _index_constraints() -> None:
    with op.batch_alter_table("constraints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_constraints_model_id"), ["model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_constraints_parent_id"), ["parent_id"], unique=False)


def _point_to_models(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], ["models.id"], name=op.f(f"fk_{table}_{column}_models"), ondelete="CASCADE"
        )
        for column in ("model_id", "parent_id")
    ]
