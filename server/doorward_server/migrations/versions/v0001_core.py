"""Tables of places, people, planning, security and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name="fk_area_parent_id_area"),
        sa.PrimaryKeyConstraint("id", name="pk_area"),
        sa.UniqueConstraint("code", name="uq_area_code"),
    )
    op.create_table(
        "company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_company"),
        sa.UniqueConstraint("code", name="uq_company_code"),
    )
    op.create_table(
        "decision",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=True),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_decision"),
    )
    op.create_index("ix_decision_actor_id", "decision", ["actor_id"], unique=False)
    op.create_index("ix_decision_kind", "decision", ["kind"], unique=False)
    op.create_index("ix_decision_subject", "decision", ["subject"], unique=False)
    op.create_index("ix_decision_time", "decision", ["time"], unique=False)
    op.create_table(
        "loginthrottle",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_loginthrottle"),
    )
    op.create_index("ix_loginthrottle_updated_at", "loginthrottle", ["updated_at"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("printer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name="fk_site_area_id_area"),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
        sa.UniqueConstraint("code", name="uq_site_code"),
    )
    op.create_index("ix_site_area_id", "site", ["area_id"], unique=False)
    op.create_table(
        "vehicle",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("epc", sa.LargeBinary(), nullable=False),
        sa.Column("tid", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name="fk_vehicle_company_id_company"),
        sa.PrimaryKeyConstraint("id", name="pk_vehicle"),
        sa.UniqueConstraint("epc", name="uq_vehicle_epc"),
        sa.UniqueConstraint("plate", name="uq_vehicle_plate"),
        sa.UniqueConstraint("tid", name="uq_vehicle_tid"),
    )
    op.create_index("ix_vehicle_company_id", "vehicle", ["company_id"], unique=False)
    op.create_table(
        "box",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("epc", sa.LargeBinary(), nullable=False),
        sa.Column("tid", sa.LargeBinary(), nullable=False),
        sa.Column("home_site_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["home_site_id"], ["site.id"], name="fk_box_home_site_id_site"),
        sa.PrimaryKeyConstraint("id", name="pk_box"),
        sa.UniqueConstraint("epc", name="uq_box_epc"),
        sa.UniqueConstraint("number", name="uq_box_number"),
        sa.UniqueConstraint("tid", name="uq_box_tid"),
    )
    op.create_index("ix_box_home_site_id", "box", ["home_site_id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_number", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("permit_until", sa.Date(), nullable=True),
        sa.Column("card_uid", sa.LargeBinary(), nullable=True),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name="fk_person_company_id_company"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_person_site_id_site"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("card_uid", name="uq_person_card_uid"),
        sa.UniqueConstraint("staff_number", name="uq_person_staff_number"),
    )
    op.create_index("ix_person_company_id", "person", ["company_id"], unique=False)
    op.create_index("ix_person_site_id", "person", ["site_id"], unique=False)
    op.create_table(
        "finger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("duress", sa.Boolean(), nullable=False),
        sa.Column("template", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_finger_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_finger"),
        sa.UniqueConstraint("person_id", "number", "model", name="uq_finger_person_id_number_model"),
    )
    op.create_index("ix_finger_person_id", "finger", ["person_id"], unique=False)
    op.create_table(
        "personkey",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_personkey_person_id_person"),
        sa.PrimaryKeyConstraint("person_id", name="pk_personkey"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_user_person_id_person"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_user_site_id_site"),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("login", name="uq_user_login"),
    )
    op.create_index("ix_user_site_id", "user", ["site_id"], unique=False)
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name="fk_approval_decided_by_user"),
        sa.ForeignKeyConstraint(["requested_by"], ["user.id"], name="fk_approval_requested_by_user"),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("ix_approval_kind", "approval", ["kind"], unique=False)
    op.create_index("ix_approval_state", "approval", ["state"], unique=False)
    op.create_index("ix_approval_subject", "approval", ["subject"], unique=False)
    op.create_table(
        "loginsession",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_loginsession_user_id_user"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_loginsession"),
    )
    op.create_index("ix_loginsession_expires_at", "loginsession", ["expires_at"], unique=False)
    op.create_index("ix_loginsession_user_id", "loginsession", ["user_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("vehicle_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_run_created_by_user"),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name="fk_run_vehicle_id_vehicle"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_date", "run", ["date"], unique=False)
    op.create_index("ix_run_status", "run", ["status"], unique=False)
    op.create_index("ix_run_vehicle_id", "run", ["vehicle_id"], unique=False)
    op.create_table(
        "runmember",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_runmember_person_id_person"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_runmember_run_id_run"),
        sa.PrimaryKeyConstraint("run_id", "person_id", name="pk_runmember"),
    )
    op.create_index("ix_runmember_person_id", "runmember", ["person_id"], unique=False)
    op.create_table(
        "runversion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("approved_by", sa.JSON(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_runversion_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_runversion"),
        sa.UniqueConstraint("run_id", "version", name="uq_runversion_run_id_version"),
    )
    op.create_index("ix_runversion_run_id", "runversion", ["run_id"], unique=False)
    op.create_table(
        "stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_stop_run_id_run"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_stop_site_id_site"),
        sa.PrimaryKeyConstraint("id", name="pk_stop"),
        sa.UniqueConstraint("run_id", "sequence", name="uq_stop_run_id_sequence"),
    )
    op.create_index("ix_stop_run_id", "stop", ["run_id"], unique=False)
    op.create_index("ix_stop_site_id", "stop", ["site_id"], unique=False)
    op.create_index("ix_stop_status", "stop", ["status"], unique=False)
    op.create_index("ix_stop_window_from", "stop", ["window_from"], unique=False)
    op.create_table(
        "changeseen",
        sa.Column("stop_id", sa.Integer(), nullable=False),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name="fk_changeseen_stop_id_stop"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_changeseen_user_id_user"),
        sa.PrimaryKeyConstraint("stop_id", "order_version", name="pk_changeseen"),
    )
    op.create_table(
        "stopbox",
        sa.Column("stop_id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_stopbox_box_id_box"),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name="fk_stopbox_stop_id_stop"),
        sa.PrimaryKeyConstraint("stop_id", "box_id", name="pk_stopbox"),
    )
    op.create_index("ix_stopbox_box_id", "stopbox", ["box_id"], unique=False)


def downgrade() -> None:
    op.drop_table("stopbox")
    op.drop_table("changeseen")
    op.drop_table("stop")
    op.drop_table("runversion")
    op.drop_table("runmember")
    op.drop_table("run")
    op.drop_table("loginsession")
    op.drop_table("approval")
    op.drop_table("user")
    op.drop_table("personkey")
    op.drop_table("finger")
    op.drop_table("person")
    op.drop_table("box")
    op.drop_table("vehicle")
    op.drop_table("site")
    op.drop_table("loginthrottle")
    op.drop_table("decision")
    op.drop_table("company")
    op.drop_table("area")
