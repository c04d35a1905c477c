# SPDX-License-Identifier: Apache-2.0
"""`tsunagi case`: a person's case under a random handle, its place among the thirteen steps, notes of what happened."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from connectors.base.errors import HubAwayError
from connectors.casebook import listing, people, referrals, statements
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import LATER, Noun, argument, option, verb
from connectors.cli.kinds import At, Code, Day, Id
from connectors.cli.people import titled
from connectors.cli.saying import Said
from connectors.sdk.answers import Case, CaseDetail
from connectors.sdk.problems import ProblemError
from connectors.sync.connector import Connector
from connectors.sync.station import NOT_FOUND

case: Final = Noun("case")


@verb(case, "open", argument("person", Id()), LATER)
def open_case(desk: Desk, *, person: str) -> Said:
    """Open a case under a new random handle, the only thing that the hub learns of it."""
    with desk.open() as connector:
        handle = str(uuid.uuid4())
        with connector.casebook.transaction() as connection:
            if not people.is_person(connection, person):
                raise CliError("person-unknown")
            people.open_case(
                connection,
                handle=handle,
                person=person,
                owner=connector.agency,
                staff=desk.staff,
                now=connector.now(),
            )
        sent = desk.deliver(connector, handle)
    return Said(
        document={"case": handle, "person": person, "sent": sent}, lines=[desk.text("case-opened", case=handle)]
    )


@verb(case, "show", argument("case", Id()), LATER)
def show(desk: Desk, *, case: str) -> Said:
    """Show a case: whose it is, where it stands, its consents and referrals."""
    with desk.open() as connector:
        seen = None if desk.later else _seen(desk, connector, case)
        with connector.casebook.transaction() as connection:
            known = listing.case_of(connection, case)
            who = people.person_of(connection, case, staff=desk.staff, now=connector.now())
            consents = len(statements.consents_of(connection, case))
            threads = referrals.of_case(connection, case)
        lines = [
            titled(desk, who),
            desk.text("case-kept-by", agency=desk.name_of(connector, known.owner)),
            *([] if seen is None else _where(desk, seen)),
            desk.text("case-consents", count=consents),
            *(
                desk.text(
                    "case-referral",
                    id=one.id,
                    to=desk.name_of(connector, one.recipient),
                    state=desk.label("referral_state", one.state),
                )
                for one in threads
            ),
        ]
    document = {
        "case": known,
        "person": who,
        "standing": seen,
        "consents": consents,
        "referrals": threads,
    }
    return Said(document=document, lines=lines)


@verb(
    case,
    "step",
    argument("case", Id()),
    argument("step", Code("step")),
    option("--state", Code("case_state")),
    option("--reason", Code("unusual_move_reason")),
    option("--ground", Code("closure_reason")),
    option("--follow-up-on", Day()),
    option("--no-follow-up-reason", Code("no_follow_up_reason")),
)
def step(  # what a step may say, each by name
    desk: Desk,
    *,
    case: str,
    step: str,
    state: str | None,
    reason: str | None,
    ground: str | None,
    follow_up_on: date | None,
    no_follow_up_reason: str | None,
) -> Said:
    """Move a case to a step; with a ground it is closed, and the follow-up is decided."""
    move: dict[str, Any] = {"step": step, **_given(state=state, reason=reason)}
    if ground is not None:
        none = {} if no_follow_up_reason is None else {"none": True, "no_follow_up_reason": no_follow_up_reason}
        move["closure"] = {"ground": ground, "follow_up": {**_given(date=follow_up_on), **none}}
    elif follow_up_on or no_follow_up_reason:
        raise CliError("follow-up-needs-ground")
    with desk.open() as connector:
        _announce(connector, case)
        moved = connector.hub.move_case(case, move, version=connector.hub.case(case).version)
        with connector.casebook.transaction() as connection:
            people.keep_case(connection, handle=case, owner=moved.owner, closed_at=moved.closed_at, now=connector.now())
    return Said(document=moved, lines=_where(desk, moved))


@verb(
    case,
    "note",
    argument("case", Id()),
    argument("kind"),
    option("--channel", Code("channel")),
    option("--task-for"),
    option("--due", At()),
)
def note(desk: Desk, *, case: str, kind: str, channel: str | None, task_for: str | None, due: datetime | None) -> Said:
    """Note that something happened, by a code word; the words themselves stay at the agency."""
    body: dict[str, Any] = {"kind": kind, **_given(channel=channel)}
    with desk.open() as connector:
        if task_for is not None:
            body["task"] = {"agency": desk.agency(connector, task_for).id, **_given(due=due)}
        _announce(connector, case)
        noted = connector.hub.note(case, body)
    return Said(document=noted, lines=[desk.text("noted", entry=noted.entry)])


def _announce(connector: Connector, case: str) -> None:
    """Have the hub know of the case, if it came by an import, and of all that waits before this."""
    with connector.casebook.transaction() as connection:
        people.announce(connection, case, now=connector.now())
    connector.push()


def _seen(desk: Desk, connector: Connector, case: str) -> CaseDetail | None:
    """Give the case as the hub shows it; a partner named by kind only is shown nothing."""
    try:
        connector.refresh_case(case)
        return connector.hub.case(case)
    except HubAwayError:
        desk.note("hub-away-shown-as-known")
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
    return None


def _where(desk: Desk, seen: Case) -> list[str]:
    lines = [
        desk.text(
            "case-stands",
            step=desk.label("step", seen.step),
            state=desk.label("case_state", seen.state),
            at=saying.moment(seen.moved_at),
        )
    ]
    if seen.next_steps:
        lines.append(desk.text("case-next", steps=", ".join(desk.label("step", one) for one in seen.next_steps)))
    return lines


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
