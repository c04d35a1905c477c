# SPDX-License-Identifier: Apache-2.0
"""Tasks: raised once while open, finished by what happened or by hand, seen by their agency alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from hub.base.db import Database, Duty, now
from hub.base.errors import NotFoundError
from hub.tasks import reads, service, tables
from hub.tasks.rules import TaskKind

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
KIND = TaskKind.REFERRAL_ANSWER


def raise_one(
    database: Database, *, by: str | None = OURS, agency: str | None = OURS, about: str = "r1", kind: TaskKind = KIND
) -> str:
    with database.transaction(by) as session:
        at = now(session)
        return service.raise_task(session, agency=agency, kind=kind, about=about, due=at, now=at)


def finish(database: Database, *, by: str = OURS, agency: str = OURS) -> bool:
    """Finish the task and say whether one was open."""
    before = listed(database, agency)
    with database.transaction(by) as session:
        service.finish(session, agency=agency, kind=KIND, about="r1", now=now(session))
    return listed(database, agency) != before


def listed(database: Database, agency: str = OURS, *, with_done: bool = False) -> list[str]:
    with database.transaction(agency) as session:
        return [task.id for task in reads.tasks(session, agency, with_done=with_done)]


def test_a_task_is_raised_once_while_it_is_open(database: Database) -> None:
    first = raise_one(database)
    assert raise_one(database) == first
    assert listed(database) == [first]


def test_tasks_of_another_kind_thing_or_agency_are_other_tasks(database: Database) -> None:
    made = {
        raise_one(database),
        raise_one(database, about="r2"),
        raise_one(database, kind=TaskKind.FOLLOW_UP_DUE),
        raise_one(database, agency=THEIRS),
    }
    assert len(made) == 4


def test_a_finished_task_can_be_raised_again(database: Database) -> None:
    first = raise_one(database)
    assert finish(database)
    assert not finish(database)
    second = raise_one(database)
    assert first != second
    assert listed(database) == [second]
    assert listed(database, with_done=True) == [first, second]


def test_an_agency_raises_and_finishes_a_task_of_another_and_sees_nothing_of_it(database: Database) -> None:
    task = raise_one(database, by=OURS, agency=THEIRS)
    assert listed(database, OURS) == []
    assert listed(database, THEIRS) == [task]
    assert finish(database, by=OURS, agency=THEIRS)
    assert listed(database, THEIRS) == []


def test_the_duty_of_the_functions_ends_with_them(database: Database) -> None:
    setting = sa.select(sa.func.current_setting("tsn.duty", True))
    with database.transaction(OURS, Duty.DECIDE) as session:
        at = now(session)
        service.raise_task(session, agency=THEIRS, kind=KIND, about="r1", due=None, now=at)
        service.finish(session, agency=THEIRS, kind=KIND, about="r2", now=at)
        assert session.execute(setting).scalar_one() == "decide"


def test_a_request_cannot_write_anothers_task_past_the_functions(database: Database) -> None:
    raise_one(database, agency=THEIRS)
    with database.transaction(OURS) as session:
        changed = session.connection().execute(sa.update(tables.tasks).values(done_at=now(session)))
        assert changed.rowcount == 0
    stolen = {"id": THEIRS, "agency": THEIRS, "kind": "x", "about": "x"}
    with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(OURS) as session:
        session.execute(sa.insert(tables.tasks).values(raised_at=now(session), **stolen))


@pytest.mark.parametrize("column", ["agency", "kind", "about", "due_at", "raised_at"])
def test_nothing_of_a_task_changes_but_that_it_is_done(database: Database, column: str) -> None:
    raise_one(database)
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(OURS) as session:
        session.execute(sa.update(tables.tasks).values({column: tables.tasks.c[column]}))


def test_a_task_of_the_operator_belongs_to_no_agency(database: Database, jobs_database: Database) -> None:
    task = raise_one(jobs_database, by=None, agency=None)
    assert raise_one(jobs_database, by=None, agency=None) == task
    assert listed(database) == []
    with jobs_database.transaction(None) as session:
        assert [one.id for one in reads.tasks(session, None)] == [task]


def test_of_eight_who_raise_the_same_task_at_once_all_get_the_same(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: raise_one(database), range(16)))
    assert len(made) == 1


def test_done_by_hand_is_done_once_and_only_by_its_agency(database: Database) -> None:
    task = raise_one(database)

    def done(by: str, wait: timedelta = timedelta(0)) -> datetime | None:
        with database.transaction(by) as session:
            return service.done(session, agency=by, task=task, now=now(session) + wait).done_at

    with pytest.raises(NotFoundError):
        done(THEIRS)
    first = done(OURS)
    assert first is not None
    assert done(OURS, timedelta(hours=1)) == first


@pytest.mark.parametrize("kind", TaskKind)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_kind_has_a_label_in_both_languages(kind: TaskKind, language: str) -> None:
    assert reads.label(kind, language).strip()


def test_there_is_no_label_for_a_kind_that_is_not_there() -> None:
    assert set(reads.labels()) == {kind.value for kind in TaskKind}
