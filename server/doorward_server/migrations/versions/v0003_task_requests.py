"""Requests of the sites for visits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "taskrequest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boxes", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["requested_by"], ["user.id"], name="fk_taskrequest_requested_by_user"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_taskrequest_run_id_run"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_taskrequest_site_id_site"),
        sa.PrimaryKeyConstraint("id", name="pk_taskrequest"),
    )
    op.create_index("ix_taskrequest_run_id", "taskrequest", ["run_id"], unique=False)
    op.create_index("ix_taskrequest_site_id", "taskrequest", ["site_id"], unique=False)
    op.create_index("ix_taskrequest_status", "taskrequest", ["status"], unique=False)
    op.create_index("ix_taskrequest_window_until", "taskrequest", ["window_until"], unique=False)


def downgrade() -> None:
    op.drop_table("taskrequest")
