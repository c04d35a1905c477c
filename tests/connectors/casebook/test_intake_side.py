# SPDX-License-Identifier: Apache-2.0
"""Who counts as intake side in a preview, and of which records nobody says any more that they are live."""

from __future__ import annotations

import pytest

from connectors.casebook import preview, statements
from connectors.sync.connector import Connector
from tests.connectors.story import STAFF, Network, consent, open_case, scope


@pytest.fixture
def j2(network: Network, s1: Connector) -> Connector:
    made = network.join("jiritsu")
    network.meet()
    return made


def intake_side(connector: Connector, case: str) -> frozenset[str]:
    with connector.casebook.transaction() as connection:
        return preview.facts_of(connection, case, now=connector.now()).intake_side


@pytest.mark.parametrize(("signature", "counts"), [("self", True), ("legal_rep", True), ("none", False)])
def test_a_second_centre_is_on_the_intake_side_where_the_form_is_signed(
    j1: Connector, s1: Connector, j2: Connector, signature: str, counts: bool
) -> None:
    case = open_case(j1)
    both = frozenset({j1.agency, j2.agency})
    consent(j1, case, s1.agency, hub_parties=both, signature=signature, proxy_reason="guardian")
    assert intake_side(j1, case) == (both if counts else {j1.agency})


@pytest.mark.parametrize(("signature", "renewed"), [("self", 1), ("none", 2)])
def test_a_record_that_another_has_replaced_gets_no_further_status(
    j1: Connector, s1: Connector, network: Network, signature: str, renewed: int
) -> None:
    case = open_case(j1)
    old = consent(j1, case, s1.agency)
    with j1.casebook.transaction() as connection:
        after = scope(j1, case, s1.agency, supersedes=frozenset({old}), signature=signature)
        statements.record_consents(connection, [after], j1.pen(STAFF))
    j1.push()
    network.clock.on(days=2)
    assert j1.renew_statuses() == renewed
