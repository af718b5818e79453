"""Alembic's entry: the schema is the models of all domains."""

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from doorward_server.database import UtcDateTime, import_models, open_engine


def render_item(kind, item, _autogen_context):
    """Write our column types as what they are in the database, so that migrations import nothing of ours."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


def migrate() -> None:
    """Run what is missing on the configured database, in one transaction."""
    import_models()
    engine = open_engine(context.config.get_main_option("sqlalchemy.url", ""))
    try:
        with engine.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                render_as_batch=True,
                render_item=render_item,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


migrate()
