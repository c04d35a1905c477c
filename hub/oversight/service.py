# SPDX-License-Identifier: Apache-2.0
"""What an officer does: judge an emergency use, close an anomaly, remind an agency, draw and check paper forms.

Who is signed in and in which role is settled by the caller; every deed is an entry of the log.
"""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.calendar import Calendar, end_of_day, start_of_day
from hub.agencies import reads as agencies
from hub.audit import reads as log
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry, Json, timestamp
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.base.ids import new_id
from hub.intakes import overseen as intakes
from hub.intakes import reads as intake_reads
from hub.messages import reads as messages
from hub.outbox import service as outbox
from hub.oversight import reads, tables
from hub.oversight.reads import Anomaly, Draw, Review, ReviewState, Sample, Use
from hub.oversight.rules import (
    MOST_SAMPLES,
    PAPER_BUSINESS_DAYS,
    Answer,
    Closing,
    Outcome,
    Remark,
    drawn,
    is_final,
    is_reference,
    may_review,
    needs_action,
)
from hub.tasks import reads as raised
from hub.tasks import service as tasks
from hub.tasks.rules import TaskKind


def note_export(
    session: Session, *, by: str, what: str, form: str, now: datetime, case: str | None = None, party: bool = False
) -> None:
    """Log that something was taken out of the hub as a file (`form`: csv, json, pdf); `party`: by an agency, which may
    read the entry.
    """
    parties = (by,) if party else ()
    entry = Entry(kind=AuditKind.EXPORT_MADE, actor=by, parties=parties, case=case, facts={"what": what, "form": form})
    audit.append(session, entry, now=now)


def review(
    session: Session,
    message: str,
    *,
    reviewer: str,
    answer: Answer,
    remark: Remark,
    reference: str | None,
    now: datetime,
) -> Review:
    """Judge an emergency use and tell its agency (consent.md: by the end of the next business day, by a third person).

    Raises NotFoundError; InvalidError (`bad-reference`, `remark-missing`); ConflictError (`reviewer-involved`,
    `already-reviewed`).
    """
    _require_reference(reference)
    found = reads.use(session, message, now=now)
    if found is None:
        raise NotFoundError
    if not may_review(reviewer, requester=found.use.requester, approver=found.approver):
        raise ConflictError("reviewer-involved")
    if found.state is ReviewState.DONE:
        raise ConflictError("already-reviewed")
    if needs_action(answer) and remark is Remark.NONE:
        # a judgement against an agency says what was wrong
        raise InvalidError("remark-missing", pointer="/remark")
    one = Review(
        id=new_id(now),
        message=message,
        agency=found.agency,
        reviewer=reviewer,
        answer=answer,
        remark=remark,
        reference=reference,
        at=now,
    )
    _write_review(session, one)
    _tell_review(session, found, one, now=now)
    return one


def close_anomaly(
    session: Session, anomaly: str, *, officer: str, closing: Closing, reference: str | None, now: datetime
) -> Anomaly:
    """Close what was out of the ordinary with the code of what it was.

    Raises NotFoundError; InvalidError (`bad-reference`); ConflictError (`already-closed`).
    """
    _require_reference(reference)
    found = reads.anomaly(session, anomaly, lock=True)
    if found is None:
        raise NotFoundError
    if found.closed_at is not None:
        raise ConflictError("already-closed")
    values = {"closed_at": now, "closed_by": officer, "closing": closing.value, "reference": reference}
    session.execute(sa.update(tables.anomalies).where(tables.anomalies.c.id == anomaly).values(**values))
    facts: dict[str, Json] = {"kind": found.kind.value, "closing": closing.value, "reference": reference}
    entry = Entry(kind=AuditKind.ANOMALY_CLOSED, actor=officer, parties=(), subject=anomaly, facts=facts)
    audit.append(session, entry, now=now)
    return reads.anomaly(session, anomaly) or found


def escalate(session: Session, found: Use, *, now: datetime) -> bool:
    """Write down, once, that nobody judged an emergency use in time, and ask the operator to see that somebody does.

    Says whether it was written now: it is not where it was before, or where the time is not over.
    """
    about, kind = found.id, TaskKind.REVIEW_OVERDUE
    if found.state is not ReviewState.OVERDUE or raised.was_raised(session, None, kind, about):
        return False
    case = found.use.disclosure.message.case_handle
    tasks.raise_task(session, agency=None, kind=kind, about=about, case=case, due=now, now=now)
    entry = Entry(
        kind=AuditKind.OVERRIDE_OVERDUE,
        actor=HUB,
        parties=(found.agency,),
        case=case,
        subject=about,
        facts={"due": timestamp(found.due_at)},
    )
    audit.append(session, entry, now=now)
    return True


def remind(session: Session, notice: str, *, officer: str | None, now: datetime) -> int:
    """Remind an agency of a stop-use notice that it has not answered in time; give the number of the reminder.

    `officer` is None when the hub's timer reminds. Raises NotFoundError; ConflictError (`already-answered`, `not-due`).
    """
    found = messages.notice(session, notice)
    if found is None:
        raise NotFoundError
    if found.answered_at is not None:
        raise ConflictError("already-answered")
    if now < found.due_at:
        raise ConflictError("not-due")
    table = tables.reminders.c
    before = session.execute(sa.select(sa.func.count()).where(table.notice == notice)).scalar_one()
    row = {"notice": notice, "number": before + 1, "agency": found.agency, "asked_by": officer, "at": now}
    session.execute(sa.insert(tables.reminders).values(**row))
    entry = Entry(
        kind=AuditKind.PURGE_REMINDED,
        actor=officer or HUB,
        parties=(found.agency,),
        case=found.case_handle,
        subject=notice,
        facts={"withdrawal": found.withdrawal, "number": before + 1},
    )
    audit.append(session, entry, now=now)
    outbox.tell(session, agency=found.agency, event="notice:reminded", about=notice, now=now)
    kind, due = TaskKind.PURGE_ANSWER, found.due_at
    # somebody may have ticked the task off without answering
    tasks.raise_task(
        session, agency=found.agency, kind=kind, about=notice, case=found.case_handle, due=due, now=now
    )  # fmt: skip
    return int(before) + 1


def draw(
    session: Session, *, officer: str, first_day: date, last_day: date, size: int, agency: str | None, now: datetime
) -> Draw:
    """Draw consents at random whose paper an agency must show, and ask it (security §1: sample of paper against hash).

    The seed is the root of the log's newest checkpoint: no officer and no agency chose it, and who has the log draws
    the same forms again.

    Raises InvalidError (`bad-period`, `bad-size`, `nothing-to-draw`, `unknown-agency`); ConflictError (`log-empty`).
    """
    if not first_day <= last_day:
        raise InvalidError("bad-period", pointer="/last_day")
    if not 1 <= size <= MOST_SAMPLES:
        raise InvalidError("bad-size", pointer="/size")
    if agency is not None and agencies.agency(session, agency) is None:
        raise InvalidError("unknown-agency", pointer="/agency")
    since, until = start_of_day(first_day), min(end_of_day(last_day), now)
    with_paper = {
        one.row: one
        for one in intakes.registered(session, since=since, until=until, signer=agency)
        if _has_paper(session, one.row)
    }
    newest = log.checkpoint(session)
    if newest is None:
        raise ConflictError("log-empty")
    if not with_paper:
        raise InvalidError("nothing-to-draw", pointer="/last_day")
    by_record = {one.consent: one for one in with_paper.values()}
    chosen = drawn(newest.root.hex(), sorted(by_record), size)
    made = Draw(
        id=new_id(now),
        agency=agency,
        first_day=first_day,
        last_day=last_day,
        size=size,
        candidates=len(by_record),
        seed=newest.root.hex(),
        tree_size=newest.size,
        drawn_by=officer,
        drawn_at=now,
    )
    _write_draw(session, made, [by_record[record] for record in chosen], now=now)
    return made


def show_paper(session: Session, sample: str, *, agency: str, evidence: str | None, now: datetime) -> Sample:
    """Take an agency's answer: what it computes anew from its scan and key, or None where there is no paper.

    The hub compares with the commitment of the signing and writes down what came out.
    Raises NotFoundError; ConflictError (`already-answered`).
    """
    found = _unanswered_sample(session, sample)
    known = intake_reads.by_row(session, found.consent)
    if found.agency != agency or known is None:
        raise NotFoundError
    if evidence is None:
        outcome = Outcome.NOT_FOUND
    else:
        outcome = Outcome.MATCHES if evidence == known.scope.evidence else Outcome.DIFFERS
    return _answer_sample(session, found, outcome=outcome, by=agency, reference=None, now=now)


def saw_paper(
    session: Session, sample: str, *, officer: str, outcome: Outcome, reference: str | None, now: datetime
) -> Sample:
    """Write down what an officer saw of a paper form on the spot.

    Raises NotFoundError; InvalidError (`bad-reference`); ConflictError (`already-answered`).
    """
    _require_reference(reference)
    found = _unanswered_sample(session, sample)
    return _answer_sample(session, found, outcome=outcome, by=officer, reference=reference, now=now)


def _require_reference(reference: str | None) -> None:
    if reference is not None and not is_reference(reference):
        raise InvalidError("bad-reference", pointer="/reference")


def _write_review(session: Session, one: Review) -> None:
    values = {name: getattr(one, name) for name in Review.__dataclass_fields__}
    writing = insert(tables.reviews).values(**values).on_conflict_do_nothing().returning(tables.reviews.c.id)
    if session.execute(writing).one_or_none() is None:
        # another officer was quicker
        raise ConflictError("already-reviewed")


def _tell_review(session: Session, found: Use, one: Review, *, now: datetime) -> None:
    message = found.use.disclosure.message
    facts: dict[str, Json] = {
        "answer": one.answer.value,
        "remark": one.remark.value,
        "reference": one.reference,
        "in_time": now < found.due_at,
    }
    entry = Entry(
        kind=AuditKind.OVERRIDE_REVIEWED,
        actor=one.reviewer,
        parties=(found.agency,),
        case=message.case_handle,
        subject=one.message,
        facts=facts,
    )
    audit.append(session, entry, now=now)
    outbox.tell(session, agency=found.agency, event="override:reviewed", about=one.message, now=now)
    if is_final(one.answer):
        for kind in (TaskKind.EMERGENCY_REVIEW, TaskKind.REVIEW_OVERDUE):
            tasks.finish(session, agency=None, kind=kind, about=one.message, now=now)
    if needs_action(one.answer):
        due = Calendar().add_business_days(now, PAPER_BUSINESS_DAYS)
        kind = TaskKind.REVIEW_RESULT
        tasks.raise_task(
            session, agency=found.agency, kind=kind, about=one.message, case=message.case_handle, due=due, now=now
        )


def _has_paper(session: Session, row: str) -> bool:
    known = intake_reads.by_row(session, row)
    return known is not None and bool(known.scope.evidence)


def _write_draw(session: Session, made: Draw, chosen: list[intakes.Registered], *, now: datetime) -> None:
    session.execute(sa.insert(tables.draws).values({name: getattr(made, name) for name in Draw.__dataclass_fields__}))
    due = Calendar().add_business_days(now, PAPER_BUSINESS_DAYS)
    for one in chosen:
        row = {"id": new_id(now), "draw": made.id, "agency": one.signer, "consent": one.row, "record": one.consent}
        session.execute(sa.insert(tables.samples).values(**row, case_handle=one.case_handle, due_at=due))
        kind = TaskKind.PAPER_SAMPLE
        tasks.raise_task(
            session, agency=one.signer, kind=kind, about=row["id"], case=one.case_handle, due=due, now=now
        )  # fmt: skip
        outbox.tell(session, agency=one.signer, event="paper:asked", about=row["id"], now=now)
    facts: dict[str, Json] = {
        "agency": made.agency,
        "first_day": made.first_day.isoformat(),
        "last_day": made.last_day.isoformat(),
        "size": made.size,
        "candidates": made.candidates,
        "seed": made.seed,
        "tree_size": made.tree_size,
        "records": [one.consent for one in chosen],
    }
    entry = Entry(kind=AuditKind.SAMPLE_DRAWN, actor=made.drawn_by, parties=(), subject=made.id, facts=facts)
    audit.append(session, entry, now=now)


def _unanswered_sample(session: Session, sample: str) -> Sample:
    found = reads.sample(session, sample, lock=True)
    if found is None:
        raise NotFoundError
    if found.outcome is not None:
        raise ConflictError("already-answered")
    return found


def _answer_sample(
    session: Session, found: Sample, *, outcome: Outcome, by: str, reference: str | None, now: datetime
) -> Sample:
    values = {"outcome": outcome.value, "answered_at": now, "answered_by": by, "reference": reference}
    session.execute(sa.update(tables.samples).where(tables.samples.c.id == found.id).values(**values))
    entry = Entry(
        kind=AuditKind.SAMPLE_ANSWERED,
        actor=by,
        parties=(found.agency,),
        case=found.case_handle,
        subject=found.id,
        facts={"record": found.record, "outcome": outcome.value, "reference": reference},
    )
    audit.append(session, entry, now=now)
    tasks.finish(session, agency=found.agency, kind=TaskKind.PAPER_SAMPLE, about=found.id, now=now)
    return reads.sample(session, found.id) or found
