# SPDX-License-Identifier: Apache-2.0
"""What is out of the ordinary is found once, by comparison with an agency's own past, and closed with a code."""

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import JST, day_of, end_of_day, start_of_day
from consent.receipts import Delivery
from hub.base.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from hub.oversight import jobs, reads, service, watching
from hub.oversight.rules import PAST_DAYS, AnomalyKind, Closing, at_night, is_unusual, usual
from tests.hub.builders import new_uuid
from tests.hub.oversight.conftest import Office


def watch(office: Office) -> dict[AnomalyKind, reads.Anomaly]:
    """Look through today as if it were over."""
    today = day_of(office.story.time())
    with office.story.jobs.transaction(None) as session:
        watching.watch(session, today, now=end_of_day(today) + timedelta(minutes=10))
    return {one.kind: one for one in office.ask(reads.anomalies)}


def read_at(office: Office, hour: int) -> None:
    """Have a message read at an hour of today, JST."""
    story = office.story
    story.consent()
    sent = story.send()
    story.collect(sent.message)
    story.acknowledge(sent)
    story.acknowledge(sent, kind=Delivery.READ)
    at = start_of_day(day_of(story.time())) + timedelta(hours=hour)
    with as_owner(office).begin() as connection:
        connection.exec_driver_sql(
            "update message_receipts set id = %s, received_at = %s where kind = 'read'", (new_uuid(at), at)
        )


def as_owner(office: Office) -> sa.Engine:
    return sa.create_engine(
        sa.make_url(office.dpo.engine.url).set(username="tsn_admin"), poolclass=sa.NullPool
    )  # fmt: skip


def test_reading_at_night_is_found_and_reading_by_day_is_not(office: Office) -> None:
    read_at(office, 3)
    found = watch(office)[AnomalyKind.NIGHT_READING]
    assert (found.agency, found.measure, found.usual) == (office.story.s1.id, 1, None)


def test_reading_by_day_is_nothing_out_of_the_ordinary(office: Office) -> None:
    read_at(office, 11)
    assert watch(office) == {}


def test_refusals_again_and_again_about_one_case_are_found(office: Office) -> None:
    story = office.story
    story.consent()
    for _ in range(3):
        with pytest.raises(ForbiddenError):
            story.send("health")
    office.sequence()
    found = watch(office)[AnomalyKind.REFUSED_AGAIN]
    assert (found.agency, found.about, found.measure) == (story.j1.id, story.case, 3)


def test_a_day_is_looked_through_once_and_each_thing_is_an_entry_for_officers_alone(office: Office) -> None:
    story = office.story
    story.consent()
    for _ in range(3):
        with pytest.raises(ForbiddenError):
            story.send("health")
    office.sequence()
    watch(office)
    assert len(watch(office)) == 1
    (entry,) = story.entries("anomaly:found")
    assert (entry["parties"], entry["facts"]["kind"], entry["facts"]["agency"]) == ([], "refused_again", story.j1.id)
    with pytest.raises(Exception, match="permission denied"), story.database.transaction(story.j1.id) as session:
        reads.anomalies(session)


def test_the_worker_looks_through_the_week_that_is_over(office: Office) -> None:
    at = office.story.time()
    office.tick(jobs.watch_past_days, at=at)
    office.tick(jobs.watch_past_days, at=at)
    assert office.story.count("watched_days") == jobs.CATCH_UP
    yesterday = day_of(at - jobs.SETTLED) - timedelta(days=1)
    assert office.story.count("watched_days", f"day = '{yesterday}'") == 1


def closed(office: Office, anomaly: str, **options):
    given_ = {"officer": office.officer, "closing": Closing.NIGHT_DUTY, "reference": None} | options
    return office.look(service.close_anomaly, anomaly, **given_)


def test_an_officer_closes_it_with_a_code_once(office: Office) -> None:
    read_at(office, 23)
    found = watch(office)[AnomalyKind.NIGHT_READING]
    after = closed(office, found.id, reference="R8-12-1")
    assert (after.closing, after.closed_by, after.reference) == (Closing.NIGHT_DUTY, office.officer, "R8-12-1")
    assert office.ask(reads.anomalies) == ()
    assert [one.id for one in office.ask(reads.anomalies, open_only=False)] == [found.id]
    assert office.story.entries("anomaly:closed")[0]["actor"] == office.officer
    with pytest.raises(ConflictError, match="already-closed"):
        closed(office, found.id)


def test_what_is_not_there_and_what_is_no_number_is_refused(office: Office) -> None:
    with pytest.raises(NotFoundError):
        closed(office, new_uuid())
    with pytest.raises(InvalidError, match="bad-reference"):
        closed(office, new_uuid(), reference="Kakuu")


@pytest.mark.parametrize(
    ("hour", "night"), [(21, False), (22, True), (0, True), (5, True), (6, False), (12, False)], ids=str
)
def test_night_is_from_ten_to_six_in_japan(hour: int, night: bool) -> None:
    assert at_night(datetime(2026, 11, 27, hour, 0, tzinfo=JST)) is night


@given(st.lists(st.integers(0, 40), min_size=PAST_DAYS, max_size=PAST_DAYS))
def test_what_an_agency_does_every_day_is_never_unusual(numbers: list[int]) -> None:
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(PAST_DAYS)]
    ordinary = usual(dict(zip(days, numbers, strict=True)), days)
    busy = [number for number in numbers if number]
    assert (ordinary is None) == (len(busy) < 5)
    if ordinary is not None:
        assert not is_unusual(ordinary, ordinary)
        assert is_unusual(max(10, 3 * ordinary + 1), ordinary)


def test_an_agency_without_a_past_has_nothing_to_be_measured_by() -> None:
    assert not is_unusual(1000, None)
