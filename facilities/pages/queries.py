"""Is the database there, and is its schema the code's?"""

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from facilities.infra.db import db


def is_ready(migrations: str) -> bool:
    config = Config()
    config.set_main_option("script_location", migrations)
    try:
        with db.engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_heads()
    except SQLAlchemyError:
        return False
    return set(present) == set(ScriptDirectory.from_config(config).get_heads())
