"""what people and files say of models, and what lists of models are filtered and sorted by

What the files of stored models say is taken in when the server starts next.

Revision: 0006, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declarations",
        sa.Column("model_id", sa.String(length=40), nullable=False),
        sa.Column("licence", sa.String(length=200), nullable=True),
        sa.Column("task", sa.String(length=100), nullable=True),
        sa.Column("base_model", sa.String(length=500), nullable=True),
        sa.Column("base_folded", sa.String(length=1500), nullable=True),
        sa.Column("base_last", sa.String(length=1500), nullable=True),
        sa.Column("base_model_id", sa.String(length=40), nullable=True),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_declarations_model_id_models", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["base_model_id"], ["models.id"], name="fk_declarations_base_model_id_models", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("model_id", name="pk_declarations"),
    )
    op.create_index("ix_declarations_base_folded", "declarations", ["base_folded"])
    op.create_index("ix_declarations_base_last", "declarations", ["base_last"])
    op.create_index("ix_declarations_base_model_id", "declarations", ["base_model_id"])
    op.create_table(
        "model_tags",
        sa.Column("tag", sa.String(length=150), nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=50), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_tags_model_id_models", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tag", "model_id", name="pk_model_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_tags_model_id", "model_tags", ["model_id"])
    op.create_table(
        "claim_conflicts",
        sa.Column("model_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("other_id", sa.String(length=40), nullable=False),
        sa.Column("restrictions", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('base_model', 'licence')", name="ck_claim_conflicts_kind"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_claim_conflicts_model_id_models", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["models.id"], name="fk_claim_conflicts_other_id_models", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model_id", "kind", name="pk_claim_conflicts"),
    )
    op.create_index("ix_claim_conflicts_other_id", "claim_conflicts", ["other_id"])
    op.add_column("models", sa.Column("relation", sa.String(length=16), nullable=True))
    op.add_column("models", sa.Column("licence", sa.String(length=600), nullable=True))
    op.drop_index("ix_models_family_id", "models")
    op.create_index("ix_models_family_id_id", "models", ["family_id", "id"])
    op.drop_index("ix_models_status", "models")
    for name in ("relation", "licence", "status"):
        op.create_index(f"ix_models_{name}_name", "models", [name, "name_folded", "id"])
    op.create_index("ix_models_file_size_id", "models", ["file_size", "id"])
    op.create_index("ix_models_confidence_score_id", "models", ["confidence_score", "id"])
    op.execute(
        "UPDATE models SET relation = (SELECT relation FROM parentages"
        " WHERE parentages.child_id = models.id AND parentages.is_main)"
    )


def downgrade() -> None:
    for name in ("confidence_score_id", "file_size_id", "family_id_id"):
        op.drop_index(f"ix_models_{name}", "models")
    for name in ("relation", "licence", "status"):
        op.drop_index(f"ix_models_{name}_name", "models")
    op.create_index("ix_models_status", "models", ["status"])
    op.create_index("ix_models_family_id", "models", ["family_id"])
    op.drop_column("models", "licence")
    op.drop_column("models", "relation")
    op.drop_table("claim_conflicts")
    op.drop_table("model_tags")
    op.drop_table("declarations")
