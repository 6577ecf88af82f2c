"""Migrations run inside the app, on whichever database it uses; each in one transaction, on SQLite too."""

from alembic import context
from flask import current_app

from facilities.infra.db import Model


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Model.metadata, render_as_batch=True,
                          transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
