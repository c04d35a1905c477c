# SPDX-License-Identifier: Apache-2.0
"""Revision 0007 says of what was registered before it when each record was ended, by the rule of the decision."""

import pytest

from hub.embedded.postgres import LOGIN
from hub.migrations import run
from tests.hub.casework import council, intake, opened_case, registered, rows

__all__ = ["council", "intake"]


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


def test_records_from_before_know_their_end_after_the_migration(client, intake, council, case, hub_database):
    first = registered(client, intake, case, council.id)
    kept = registered(client, intake, case, council.id)
    registered(client, intake, case, council.id, supersedes=frozenset({kept["id"]}), signature="none")
    new = registered(client, intake, case, council.id, supersedes=frozenset({first["id"]}))
    by_code = rows(hub_database, "select consent, superseded_at from consents order by consent")
    run.downgrade(hub_database.admin_url, "0006")
    assert run.upgrade(hub_database.admin_url, login=LOGIN) == run.head()
    by_migration = rows(hub_database, "select consent, superseded_at from consents order by consent")
    assert by_migration == by_code
    ended = {str(consent): at for consent, at in by_migration}
    assert ended[kept["id"]] is None
    assert ended[first["id"]] is not None
    assert ended[new["id"]] is None
