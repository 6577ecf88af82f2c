"""What a raw SQL statement breaks: for tests of truths that no service is asked about."""

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from facilities.infra.db import Model, db
from facilities.infra.integrity import violated


def name_of_violation(*statements: str) -> str | None:
    """Run the statements in one transaction; the name of the rule that the last one breaks, None where it may pass."""
    with db.engine.connect() as connection, connection.begin() as transaction:
        for statement in statements[:-1]:
            connection.execute(text(statement))
        try:
            connection.execute(text(statements[-1]))
        except IntegrityError as error:
            return violated(error, Model.metadata)
        finally:
            transaction.rollback()
    return None
