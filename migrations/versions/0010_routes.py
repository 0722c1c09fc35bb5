"""routes of models, and what families were solved from

Revision: 0010, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.add_column(sa.Column("solved_from", sa.String(length=120), nullable=True))
    op.create_table(
        "structures",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("matrices", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_structures")),
    )
    op.create_table(
        "routes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=False),
        sa.Column("structure", sa.String(length=64), nullable=False),
        sa.Column("route", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_routes_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_routes")),
        sa.UniqueConstraint("model_id", name=op.f("uq_routes_model_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("routes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_routes_structure"), ["structure"], unique=False)


def downgrade() -> None:
    op.drop_table("routes")
    op.drop_table("structures")
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.drop_column("solved_from")
