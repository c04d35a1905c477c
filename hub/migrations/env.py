# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: run the migrations on the connection that `hub.migrations.run` has prepared."""

from alembic import context

from hub.base.db import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
