# SPDX-License-Identifier: Apache-2.0
"""The database roles, which belong to the whole PostgreSQL and so stand outside the numbered migrations (security
README §2).
"""

from typing import Final

import sqlalchemy as sa

from hub.base.db import Role
from hub.base.errors import ConfigurationError

OWNER: Final = "tsn_owner"
RUNNING: Final = tuple(Role)
NAMES: Final = (OWNER, *(role.value for role in RUNNING))


def prepare(connection: sa.Connection, login: str | None) -> None:
    """Make the roles that are missing and let `login` (the hub's own) become those it runs as, never the owner.

    *Raises* ConfigurationError: roles are missing and this login may not make them.
    """
    # two hubs migrating side by side in one PostgreSQL, e.g. test workers, would otherwise both find a role missing
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('tsunagi roles'))")
    known = set(connection.execute(sa.text("select rolname from pg_roles")).scalars())
    missing = [name for name in NAMES if name not in known]
    able = connection.execute(
        sa.text("select rolsuper or rolcreaterole from pg_roles where rolname = session_user")
    ).scalar_one()
    if missing and not able:
        raise ConfigurationError("roles-missing", roles=", ".join(missing))
    for name in missing:
        connection.exec_driver_sql(f"create role {name} nologin nosuperuser nobypassrls noinherit")
    if not able:
        return
    database = connection.dialect.identifier_preparer.quote(
        connection.execute(sa.text("select current_database()")).scalar_one()
    )
    connection.exec_driver_sql(f"revoke all on database {database} from public")
    connection.exec_driver_sql(f"grant connect, create on database {database} to {OWNER}")
    connection.exec_driver_sql("revoke all on schema public from public")
    connection.exec_driver_sql(f"grant usage, create on schema public to {OWNER}")
    connection.exec_driver_sql(f"grant usage on schema public to {', '.join(role.value for role in RUNNING)}")
    if login and login in known:
        quoted = connection.dialect.identifier_preparer.quote(login)
        connection.exec_driver_sql(f"grant connect on database {database} to {quoted}")
        connection.exec_driver_sql(f"grant {', '.join(role.value for role in RUNNING)} to {quoted}")
