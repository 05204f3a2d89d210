"""Alembic's environment: runs on the connection that `idp.store.schema` hands over."""

from alembic import context

from idp.store.tables import db

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
context.run_migrations()
