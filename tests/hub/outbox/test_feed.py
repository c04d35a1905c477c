# SPDX-License-Identifier: Apache-2.0
"""The event feed misses nothing, whatever order transactions commit in, and shows an agency its own rows
only.
"""

from contextlib import ExitStack

import pytest
from sqlalchemy.exc import ProgrammingError

from hub.base import rounds
from hub.base.db import Database, now
from hub.outbox import reads, service

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
BEGINNING = reads.Place()


def tell(database: Database, about: str, agency: str = OURS) -> None:
    with database.transaction(THEIRS) as session:
        service.tell(session, agency=agency, event="case:changed", about=about, now=now(session))


def read(
    database: Database, after: reads.Place = BEGINNING, agency: str = OURS, limit: int = 10
) -> tuple[reads.Event, ...]:
    with database.transaction(agency) as session:
        return reads.events(session, agency, after=after, limit=limit)


def test_events_come_in_pages_without_gap_or_overlap(database: Database) -> None:
    for number in range(5):
        tell(database, str(number))
    seen, place = [], BEGINNING
    while page := read(database, place, limit=2):
        seen += [event.about for event in page]
        place = page[-1].place
    assert seen == ["0", "1", "2", "3", "4"]


def test_an_event_whose_transaction_commits_late_is_not_missed(database: Database) -> None:
    with ExitStack() as slow:
        session = slow.enter_context(database.transaction(THEIRS))
        service.tell(session, agency=OURS, event="case:changed", about="slow", now=now(session))
        rounds.send_waiting(session.connection())  # written, not committed
        tell(database, "quick")
        assert read(database) == (), "the quick one waits for the slow one, else a cursor would pass over it"
    assert [event.about for event in read(database)] == ["slow", "quick"]


def test_an_event_that_began_late_and_wrote_early_stays_behind_the_cursor_of_nobody(database: Database) -> None:
    tell(database, "first")
    (first,) = read(database)
    with database.transaction(THEIRS) as session:
        service.tell(session, agency=OURS, event="case:changed", about="open", now=now(session))
        rounds.send_waiting(session.connection())  # written, not committed
        assert read(database, first.place) == ()
    assert [event.about for event in read(database, first.place)] == ["open"]


def test_an_event_rolled_back_never_appears_and_holds_up_nobody(database: Database) -> None:
    def give_up() -> None:
        with database.transaction(THEIRS) as session:
            service.tell(session, agency=OURS, event="case:changed", about="never", now=now(session))
            raise LookupError

    with pytest.raises(LookupError):
        give_up()
    tell(database, "after")
    assert [event.about for event in read(database)] == ["after"]


def test_an_agency_sees_its_own_feed_and_no_other(database: Database) -> None:
    tell(database, "ours")
    tell(database, "theirs", agency=THEIRS)
    assert [event.about for event in read(database)] == ["ours"]
    with database.transaction(OURS) as session:
        assert reads.events(session, THEIRS, after=BEGINNING, limit=10) == ()


def test_nobody_may_change_or_delete_an_event_in_a_request(database: Database) -> None:
    tell(database, "kept")
    for statement in ("update events set about = 'x'", "delete from events"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(OURS) as session:
            session.connection().exec_driver_sql(statement)
