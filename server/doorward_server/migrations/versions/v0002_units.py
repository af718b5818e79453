"""Tables of units, their journals, handovers and alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarmhandling",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("acknowledged", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Integer(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_alarmhandling"),
    )
    op.create_table(
        "derived",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "source", name="pk_derived"),
    )
    op.create_table(
        "printjob",
        sa.Column("handover_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("printer", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("printed", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_printjob_site_id_site"),
        sa.PrimaryKeyConstraint("handover_id", name="pk_printjob"),
    )
    op.create_index("ix_printjob_site_id", "printjob", ["site_id"], unique=False)
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kid", sa.LargeBinary(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("dh_key", sa.LargeBinary(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("bundle_key", sa.LargeBinary(), nullable=False),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.Column("manifest_version", sa.Integer(), nullable=False),
        sa.Column("actual_version", sa.Integer(), nullable=False),
        sa.Column("actual_complete", sa.Boolean(), nullable=False),
        sa.Column("actual_missing", sa.JSON(), nullable=False),
        sa.Column("firmware", sa.String(), nullable=False),
        sa.Column("health", sa.JSON(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset", sa.BigInteger(), nullable=True),
        sa.Column("clock_sure", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_unit_site_id_site"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("kid", name="uq_unit_kid"),
    )
    op.create_index("ix_unit_site_id", "unit", ["site_id"], unique=False)
    op.create_table(
        "alarm",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("handover_id", sa.Integer(), nullable=True),
        sa.Column("task", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Integer(), nullable=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_alarm_site_id_site"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_alarm_unit_id_unit"),
        sa.PrimaryKeyConstraint("key", name="pk_alarm"),
    )
    op.create_index("ix_alarm_handover_id", "alarm", ["handover_id"], unique=False)
    op.create_index("ix_alarm_received", "alarm", ["received"], unique=False)
    op.create_index("ix_alarm_rule", "alarm", ["rule"], unique=False)
    op.create_index("ix_alarm_site_id", "alarm", ["site_id"], unique=False)
    op.create_index("ix_alarm_unit_id", "alarm", ["unit_id"], unique=False)
    op.create_table(
        "blob",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_blob_person_id_person"),
        sa.PrimaryKeyConstraint("hash", name="pk_blob"),
    )
    op.create_index("ix_blob_person_id", "blob", ["person_id"], unique=False)
    op.create_table(
        "command",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("verb", sa.Integer(), nullable=False),
        sa.Column("task", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.JSON(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.LargeBinary(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_command_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
    )
    op.create_index("ix_command_unit_id", "command", ["unit_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("clock_unsure", sa.Boolean(), nullable=False),
        sa.Column("vehicle_id", sa.Integer(), nullable=False),
        sa.Column("epc", sa.LargeBinary(), nullable=False),
        sa.Column("tid", sa.LargeBinary(), nullable=False),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("manifest_version", sa.Integer(), nullable=False),
        sa.Column("last_contact", sa.BigInteger(), nullable=False),
        sa.Column("crew", sa.JSON(), nullable=False),
        sa.Column("crew_picture", sa.LargeBinary(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("approved_by", sa.JSON(), nullable=False),
        sa.Column("approved_where", sa.Integer(), nullable=True),
        sa.Column("head_count", sa.Integer(), nullable=True),
        sa.Column("boxes_expected", sa.JSON(), nullable=False),
        sa.Column("boxes_read", sa.JSON(), nullable=False),
        sa.Column("boxes_missing", sa.JSON(), nullable=False),
        sa.Column("boxes_foreign", sa.JSON(), nullable=False),
        sa.Column("box_attempts", sa.Integer(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=True),
        sa.Column("officer_sensor", sa.String(), nullable=True),
        sa.Column("crew_closer_id", sa.Integer(), nullable=True),
        sa.Column("crew_closer_sensor", sa.String(), nullable=True),
        sa.Column("reason", sa.Integer(), nullable=True),
        sa.Column("twin", sa.Boolean(), nullable=False),
        sa.Column("revoked_version", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_handover_site_id_site"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_handover_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
        sa.UniqueConstraint("unit_id", "epoch", "nonce", name="uq_handover_unit_id_epoch_nonce"),
    )
    op.create_index("ix_handover_site_id", "handover", ["site_id"], unique=False)
    op.create_index("ix_handover_task", "handover", ["task"], unique=False)
    op.create_index("ix_handover_unit_id", "handover", ["unit_id"], unique=False)
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_head_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
        sa.UniqueConstraint("unit_id", "epoch", "size", name="uq_head_unit_id_epoch_size"),
    )
    op.create_index("ix_head_unit_id", "head", ["unit_id"], unique=False)
    op.create_table(
        "journalconflict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_journalconflict_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_journalconflict"),
    )
    op.create_index("ix_journalconflict_unit_id", "journalconflict", ["unit_id"], unique=False)
    op.create_table(
        "journalepoch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("head_size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_journalepoch_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_journalepoch"),
        sa.UniqueConstraint("unit_id", "epoch", name="uq_journalepoch_unit_id_epoch"),
    )
    op.create_index("ix_journalepoch_unit_id", "journalepoch", ["unit_id"], unique=False)
    op.create_table(
        "leaf",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_leaf_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_leaf"),
        sa.UniqueConstraint("unit_id", "epoch", "index", name="uq_leaf_unit_id_epoch_index"),
    )
    op.create_index("ix_leaf_unit_id", "leaf", ["unit_id"], unique=False)
    op.create_table(
        "manifestversion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("fresh_until", sa.BigInteger(), nullable=False),
        sa.Column("entries_hash", sa.LargeBinary(), nullable=False),
        sa.Column("object", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_manifestversion_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_manifestversion"),
        sa.UniqueConstraint("unit_id", "version", name="uq_manifestversion_unit_id_version"),
    )
    op.create_index("ix_manifestversion_unit_id", "manifestversion", ["unit_id"], unique=False)
    op.create_table(
        "picture",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_picture_unit_id_unit"),
        sa.PrimaryKeyConstraint("hash", name="pk_picture"),
    )
    op.create_index("ix_picture_unit_id", "picture", ["unit_id"], unique=False)
    op.create_table(
        "handoverevent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("handover_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("clock_unsure", sa.Boolean(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handover.id"], name="fk_handoverevent_handover_id_handover"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_handoverevent_site_id_site"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_handoverevent_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_handoverevent"),
    )
    op.create_index("ix_handoverevent_handover_id", "handoverevent", ["handover_id"], unique=False)
    op.create_index("ix_handoverevent_site_id", "handoverevent", ["site_id"], unique=False)
    op.create_index("ix_handoverevent_unit_id", "handoverevent", ["unit_id"], unique=False)


def downgrade() -> None:
    op.drop_table("handoverevent")
    op.drop_table("picture")
    op.drop_table("manifestversion")
    op.drop_table("leaf")
    op.drop_table("journalepoch")
    op.drop_table("journalconflict")
    op.drop_table("head")
    op.drop_table("handover")
    op.drop_table("command")
    op.drop_table("blob")
    op.drop_table("alarm")
    op.drop_table("unit")
    op.drop_table("printjob")
    op.drop_table("derived")
    op.drop_table("alarmhandling")
