# SPDX-License-Identifier: Apache-2.0
"""Row-level security and grants in the few forms the schema uses, so that each migration reads as a list of who may
what.

Every function runs DDL through Alembic's `op`. Names given here are literals of migrations, never input.
"""

from collections.abc import Sequence

from alembic import op

from hub.base.db import Duty, Role

# after a transaction the setting is '' and not NULL: without nullif the cast would fail instead of showing no rows
AGENCY = "nullif(current_setting('tsn.agency', true), '')::uuid"


def tenant(table: str, *, see: Sequence[str] = ("agency",), write: Sequence[str] | None = None) -> None:
    """Show rows to the agencies named in the columns `see`; let them write rows in their name (`write`, else `see`).

    The worker's role sees all rows. Grants still decide which commands there are (`grant`).
    """
    protect(table)
    seen, written = _own(see), _own(write or see)
    hub = Role.HUB.value
    op.execute(f"create policy {table}_see on {table} for select to {hub} using ({seen})")
    op.execute(f"create policy {table}_add on {table} for insert to {hub} with check ({written})")
    op.execute(f"create policy {table}_change on {table} for update to {hub} using ({seen}) with check ({seen})")
    op.execute(f"create policy {table}_drop on {table} for delete to {hub} using ({written})")
    everything(table, Role.JOB)


def protect(table: str) -> None:
    """Turn row-level security on, for the owner too: without a policy nobody sees a row."""
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")


def everything(table: str, role: Role) -> None:
    """Show all rows to `role`: the worker, the sequencer, the officer's read views; never the requests' role."""
    if role is Role.HUB:
        raise ValueError("requests-see-by-agency")
    op.execute(f"create policy {table}_{role.value} on {table} to {role.value} using (true) with check (true)")


def on_duty(table: str, duty: Duty, condition: str = "true") -> None:
    """Show the rows that fulfil `condition` to requests that do their work under `duty`."""
    op.execute(
        f"create policy {table}_{duty.value} on {table} for select to {Role.HUB.value}"
        f" using (current_setting('tsn.duty', true) = '{duty.value}' and ({condition}))"
    )


def grant(
    table: str,
    role: Role,
    *,
    select: bool = True,
    insert: bool = False,
    update: Sequence[str] = (),
    delete: bool = False,
) -> None:
    """Give `role` the commands named; `update` lists the columns that may ever change."""
    commands = [name for name, given in (("select", select), ("insert", insert), ("delete", delete)) if given]
    if update:
        commands.append(f"update ({', '.join(update)})")
    op.execute(f"grant {', '.join(commands)} on {table} to {role.value}")


def keep(table: str, *columns: str) -> None:
    """Refuse any change of `columns`, whoever asks (bad-input TEN-09: a row must not move to another agency)."""
    named = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"create trigger {table}_keep before update on {table} for each row execute function tsn_keep_columns({named})"
    )


def _own(columns: Sequence[str]) -> str:
    return " or ".join(f"{column} = {AGENCY}" for column in columns)
