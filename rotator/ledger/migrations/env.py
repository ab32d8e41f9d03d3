"""Run migrations over the connection that `database.migrate` hands in."""

from alembic import context

from rotator.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
