# SPDX-License-Identifier: Apache-2.0
"""A stop-use notice is answered by a signed word, and what it says is done with the same stroke."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from connectors.casebook import access, outgoing, tables
from connectors.sdk.threads import Notice, NoticeItem
from connectors.sync.connector import Connector
from consent.errors import DocumentRefusedError
from consent.keys import KeyUse
from consent.receipts import PurgeAnswer, PurgeRecord, read_statement
from tests.connectors.story import NAME, NOW, STAFF, Network, consent, letter, open_case, text, waiting


@pytest.fixture
def notice(j1: Connector, s1: Connector, network: Network) -> Notice:
    """The person takes back `contact`, which has been opened."""
    case = open_case(j1)
    consent(j1, case, s1.agency)
    message = j1.send(letter(case, s1, text("identity"), text("contact")))
    j1.push()
    s1.sync()
    made = Notice(
        id=j1.new_id(),
        case=case,
        withdrawal=j1.new_id(),
        items=(NoticeItem(message=message, sender=j1.agency, categories=("contact",)),),
        raised_at=NOW,
        due_at=NOW + timedelta(days=3),
    )
    network.hub.notices.append((s1.agency, made))
    return made


def bodies(connector: Connector) -> dict[str, bytes]:
    with connector.casebook.transaction() as connection:
        return {row.category: row.body for row in connection.execute(sa.select(tables.parts))}


def said(connector: Connector) -> PurgeRecord:
    key = connector.keystore.current(KeyUse.SIG, connector.now()).public
    with connector.casebook.transaction() as connection:
        (row,) = [row for row in outgoing.waiting(connection) if row.what == "purge"]
    return read_statement(row.body["record"], PurgeRecord, key)


@pytest.mark.parametrize("answer", [PurgeAnswer.PURGED, PurgeAnswer.RETURNED])
def test_what_was_taken_back_leaves_the_casebook_and_the_rest_stays(
    j1: Connector, s1: Connector, notice: Notice, answer: PurgeAnswer
) -> None:
    assert s1.answer_notice(notice, answer, staff=STAFF) == 1
    assert bodies(s1) == {"identity": NAME.encode(), "contact": b""}
    assert [part.category for part in s1.read(notice.items[0].message, j1.agency, staff=STAFF)] == ["identity"]
    record = said(s1)
    assert (record.answer, record.withdrawal, record.case) == (answer, notice.withdrawal, notice.case)


def test_what_a_law_keeps_stays_with_its_ground_and_its_end(s1: Connector, notice: Notice) -> None:
    until = NOW + timedelta(days=365)
    kept = PurgeAnswer.KEPT_BY_LAW
    assert s1.answer_notice(notice, kept, staff=STAFF, ground="seikatsuhogo", until=until) == 0
    assert bodies(s1)["contact"] == NAME.encode()
    assert (said(s1).ground, said(s1).until) == ("seikatsuhogo", until)


def test_an_answer_that_no_hub_would_read_purges_nothing(s1: Connector, notice: Notice) -> None:
    with pytest.raises(DocumentRefusedError):
        s1.answer_notice(notice, PurgeAnswer.PURGED, staff=STAFF, ground="seikatsuhogo")
    assert bodies(s1)["contact"] == NAME.encode()
    assert waiting(s1) == []


def test_the_word_reaches_the_hub(s1: Connector, notice: Notice) -> None:
    s1.answer_notice(notice, PurgeAnswer.PURGED, staff=STAFF)
    assert s1.push().refused == ()
    assert list(s1.hub.notices()) == []
    assert [one.answer for one in s1.hub.notices(open_only=False)] == ["purged"]


def test_who_purged_stands_in_the_access_log(s1: Connector, notice: Notice) -> None:
    s1.answer_notice(notice, PurgeAnswer.PURGED, staff=STAFF)
    with s1.casebook.transaction() as connection:
        last = list(access.history(connection, notice.case))[-1]
    assert (last.action, last.staff, last.about) == ("parts:purged", STAFF, notice.id)
