# SPDX-License-Identifier: Apache-2.0
"""What the page of the path shows, from the casebook alone: stages with what happened beside them, balls, sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import deeds, finding, listing, mirror, step_files, steps, tables
from connectors.casebook.deeds import Deed
from connectors.casebook.finding import Tip
from connectors.casebook.step_files import Attempt, Ending, Side, Triage, Urgency
from connectors.casebook.steps import Course
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.consents import reads as consents
from connectors.desk.consents.rules import CaseConsent
from connectors.desk.path import balls, planned, rules
from connectors.desk.path.balls import Ball
from connectors.desk.path.planned import Planned
from connectors.desk.path.rules import Effort, Stage
from connectors.desk.referrals import reads as referrals
from connectors.desk.referrals.reads import Row, Wanted
from connectors.desk.staff import reads as staff
from connectors.desk.web.visits import Visit
from connectors.sdk.answers import Agency
from consent.vocabulary.codes import CODE_LISTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A signed form of the case."""

    id: str
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What somebody else did at a step: a referral to them, a tip of theirs (`source`), the municipality's decision."""

    at: datetime
    row: Row | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One step as a line of the path, with what the municipality (`left`) and partners (`right`) did at it."""

    stage: Stage
    left: tuple[Beside, ...] = ()
    right: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What only this agency knows of the steps."""

    forms: Sequence[Form]
    triages: Sequence[Triage]
    urgencies: Sequence[Urgency]
    attempts: Sequence[Attempt]
    endings: Sequence[Ending]
    sides: Sequence[Side]
    tips: Sequence[Tip]
    earlier: str | None
    later: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One case as its path shows it. `term` is the plan shown, `last_term` the present one."""

    bar: PersonBar
    course: Course
    term: int
    last_term: int
    lines: Sequence[Line]
    balls: Sequence[Ball]
    own: Own
    planned: Planned
    effort: Effort
    consent: CaseConsent
    back_to: str | None
    is_decided: bool
    other_cases: Sequence[str]
    names: Mapping[str, str]


def course(connection: Connection, case: str) -> Course:
    """Give how a case stands.

    *Raises* `ConnectorError("case-unknown")`.
    """
    known = listing.case_of(connection, case)
    return steps.course_of(connection, case, owner=known.owner, opened_at=known.created_at)


def path(connection: Connection, visit: Visit, case: str, term: int | None = None) -> Path:
    """Give the path of a case; that somebody looked is logged.

    *Raises* as `person_bar`.
    """
    bar = person_bar(connection, visit, case)
    stands = course(connection, case)
    history = stands.shown.history
    last = rules.terms(history)[-1] if history else 1
    wanted = last if term is None else min(max(term, 1), last)
    site = visit.site
    rows = referrals.rows(
        connection,
        Wanted(cases=(case,)),
        agency=site.connector.agency,
        language=visit.language,
        now=visit.at,
        calendar=site.calendar,
    )
    profiles = mirror.profiles(connection)
    own = own_of(connection, case)
    worker = bar.file.worker if bar.file else None
    names = staff.names_of(connection, [worker or "", *(one.staff for one in own.attempts)])
    settings = site.connector.settings
    others = listing.cases_of(connection, [bar.person.id])[bar.person.id] if bar.person else ()
    return Path(
        bar=bar,
        course=stands,
        term=wanted,
        last_term=last,
        lines=_lines(stands, rules.stages(history, wanted), rows, profiles, wanted, own.tips),
        balls=balls.balls(
            stands,
            rows,
            profiles,
            us=site.connector.agency,
            our_name=settings.name_ja if visit.language == "ja" else settings.name_en,
            worker=names.get(worker or ""),
            language=visit.language,
        ),
        own=own,
        planned=planned.planned(connection, case, rows, today=visit.today, language=visit.language),
        effort=rules.effort(stands.shown.notes),
        consent=consents.state_of_case(connection, case, visit.at),
        back_to=rules.step_before_urgent(history),
        is_decided=balls.decided_since(stands),
        other_cases=[one for one in others if one != case],
        names=names,
    )


def is_decided(course: Course) -> bool:
    """Say whether the municipality has decided since ⑧ was left last."""
    return balls.decided_since(course)


def own_of(connection: Connection, case: str) -> Own:
    """Give what only this agency knows of a case's steps."""
    return Own(
        forms=forms_of(connection, case),
        triages=step_files.triages_of(connection, case),
        urgencies=step_files.urgencies_of(connection, case),
        attempts=step_files.attempts_of(connection, case),
        endings=step_files.endings_of(connection, case),
        sides=step_files.sides_of(connection, case),
        tips=finding.tips_of_case(connection, case),
        earlier=step_files.earlier_case(connection, case),
        later=step_files.later_cases(connection, case),
    )


def forms_of(connection: Connection, case: str) -> list[Form]:
    """Give the signed forms of a case, oldest first."""
    table = tables.forms.c
    rows = connection.execute(sa.select(table.id, table.signed_at).where(table.case == case).order_by(table.signed_at))
    return [Form(id=row.id, signed_at=row.signed_at) for row in rows]


def made_before(connection: Connection, case: str, said: Mapping[str, object], version: int) -> Deed | None:
    """Give the same move where it was queued before on the same version: a second click."""
    queued = deeds.latest(connection, "case_move", case)
    if queued is None or queued.state == "refused":
        return None
    same = queued.said.get("said") == said and queued.said.get("version") == version
    return queued if same else None


def _lines(
    course: Course,
    drawn: Sequence[Stage],
    rows: Sequence[Row],
    profiles: Mapping[str, Agency],
    term: int,
    tips: Sequence[Tip],
) -> tuple[Line, ...]:
    history = course.shown.history
    left: dict[str, list[Beside]] = {}
    right: dict[str, list[Beside]] = {}
    for row in sorted(rows, key=lambda row: row.sent_at or row.updated_at):
        at = row.sent_at or row.updated_at
        step = rules.step_at(history, at)
        if step in rules.LOOP and rules.term_at(history, at) != term:
            continue
        kind = profiles[row.partner].kind if row.partner in profiles else ""
        side = left if balls.side_of(kind) == balls.MUNICIPALITY else right
        side.setdefault(step, []).append(Beside(at=at, row=row))
    for tip in tips:
        side = left if CODE_LISTS["tip_source"][tip.source]["side"] == balls.MUNICIPALITY else right
        side.setdefault(rules.STEPS[0], []).append(Beside(at=tip.at, source=tip.source))
    for note in course.confirmations:
        if rules.term_at(history, note.at) == term:
            left.setdefault(rules.DECISION, []).append(Beside(at=note.at))
    return tuple(
        Line(stage=one, left=tuple(left.get(one.step, ())), right=tuple(right.get(one.step, ()))) for one in drawn
    )
