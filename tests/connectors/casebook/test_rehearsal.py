# SPDX-License-Identifier: Apache-2.0
"""A letter is rehearsed without a trace; several recipients are decided at once; referrals get their numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.casebook import compose, preview, referral_files, tables
from connectors.casebook.compose import RefusedHereError
from connectors.sync.connector import Connector
from consent.decisions import Permitted, Refused
from consent.errors import SealRefusedError
from consent.keys import KeyUse
from tests.connectors.story import NAME, PURPOSE, STAFF, Network, consent, letter, open_case, refused, text, waiting

MY_NUMBER = "123456789018"
"""Twelve digits with a check digit that fits; nobody's number."""


@pytest.fixture
def case(j1: Connector, s1: Connector) -> str:
    made = open_case(j1)
    consent(j1, made, s1.agency)
    return made


def rehearse(connector: Connector, written: compose.Letter) -> list[tuple[str, bytes]]:
    own = connector.keystore.current(KeyUse.ENC, connector.now())
    with connector.casebook.transaction() as connection:
        parts = compose.rehearse(connection, written, connector.pen(STAFF), own=own)
    return [(part.category, part.body) for part in parts]


def test_what_is_rehearsed_is_what_is_opened_later_and_nothing_is_kept(j1: Connector, s1: Connector, case: str) -> None:
    before = waiting(j1)
    written = letter(case, s1, text("identity"), text("contact", "000-0000-0000"))
    assert rehearse(j1, written) == [("identity", NAME.encode()), ("contact", b"000-0000-0000")]
    assert waiting(j1) == before
    with j1.casebook.transaction() as connection:
        assert connection.execute(tables.messages.select()).first() is None
        assert connection.execute(tables.parts.select()).first() is None
    message = j1.send(written, staff=STAFF)
    j1.push()
    s1.collect()
    opened = s1.read(message, j1.agency, staff="s-1")
    assert [(part.category, part.body) for part in opened] == rehearse(j1, written)


def test_a_rehearsal_refuses_what_sending_refuses(j1: Connector, s1: Connector, case: str, network: Network) -> None:
    with pytest.raises(RefusedHereError):
        rehearse(j1, letter(case, s1, text("health")))
    with pytest.raises(SealRefusedError):
        rehearse(j1, letter(case, s1, text("identity", MY_NUMBER)))
    network.clock.on(days=3)
    with refused("status-stale"):
        rehearse(j1, letter(case, s1))


def test_digits_are_given_as_they_are_written() -> None:
    parts = [compose.plain_part("contact", "text/plain", f"番号は {MY_NUMBER} です".encode())]
    assert compose.numbers_in(parts) == ((1, MY_NUMBER),)
    assert compose.numbers_in([compose.plain_part("contact", "image/png", b"\x89PNG\xff")]) == ()


def test_several_recipients_are_decided_as_each_alone(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    other = network.join("houterasu")
    network.meet()
    categories = ("identity", "health")
    with j1.casebook.transaction() as connection:
        asked = {"case": case, "sender": j1.agency, "purpose": PURPOSE, "categories": categories, "now": j1.now()}
        found = preview.for_each(connection, recipients=[s1.agency, other.agency], **asked)  # type: ignore[arg-type]
    kinds = {agency: [type(answer) for _, answer in answers] for agency, answers in found.items()}
    assert kinds == {s1.agency: [Permitted, Refused], other.agency: [Refused, Refused]}


def test_referrals_are_numbered_by_year_without_gaps_and_once(j1: Connector, network: Network) -> None:
    def number(thread: str) -> str:
        with j1.casebook.transaction() as connection:
            return referral_files.open_file(
                connection, j1.pen(STAFF), thread=thread, opener=j1.agency, case="c", worker=STAFF, document={}
            ).number

    assert [number("t1"), number("t2"), number("t1")] == ["R-2026-0001", "R-2026-0002", "R-2026-0001"]
    # in Japan the year has begun
    network.clock.at = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)
    assert number("t3") == "R-2027-0001"


def test_more_than_9999_referrals_a_year_go_on_counting(j1: Connector) -> None:
    with j1.casebook.transaction() as connection:
        for last in ("9999", "10000"):
            row = {"thread": last, "opener": "x", "case": "c", "number": f"R-2026-{last}", "document": {}}
            connection.execute(referral_files.table.insert().values(**row, created_at=j1.now()))
        made = referral_files.open_file(
            connection, j1.pen(STAFF), thread="t", opener="x", case="c", worker=None, document={}
        )
    assert made.number == "R-2026-10001"
