# SPDX-License-Identifier: Apache-2.0
"""Whose page this is, for the bar on top of it; looking is logged, and a case of another's asks for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, corrected, files, listing, marks, people, received
from connectors.casebook.files import CaseFile
from connectors.casebook.people import Person
from connectors.desk.web.visits import Role, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonBar:
    """Who a page is about: `person` is none for a partner's case; `told` is the name as the partner told it, if any.

    `corrected`: its sender has said since that something of it was wrong.
    """

    case: str
    person: Person | None
    born_on: date | None
    file: CaseFile | None
    is_ours: bool
    closed_at: datetime | None
    told: str | None = None
    corrected: bool = False


def person_bar(connection: Connection, visit: Visit, case: str) -> PersonBar:
    """Give whom a case is about, and log that this person looked (ux D7: identity bar).

    *Raises* `ConnectorError("case-unknown")`; `NeedToKnowError` where somebody who is not in charge of the case has not
    said why they look.
    """
    known = listing.case_of(connection, case)
    file = files.file_of(connection, case)
    require_reason(connection, visit, case, file)
    person = people.person_of(connection, case, staff=visit.me.id, now=visit.at)
    record = files.record_of(connection, person.id) if person else None
    told = None if person else received.names_in(connection, [case]).get(case)
    return PersonBar(
        case=case,
        person=person,
        born_on=record.born_on if record else None,
        file=file,
        is_ours=known.owner == visit.site.connector.agency,
        closed_at=known.closed_at,
        told=told,
        corrected=told is not None
        and corrected.newest_is_corrected(connection, case, "identity", visit.site.connector.agency),
    )


class NeedToKnowError(ConnectorError):
    """Somebody looks at a case that is not theirs and has not said why; `case` is its handle."""

    def __init__(self, case: str) -> None:
        """Take the case."""
        super().__init__("reason-needed")
        self.case = case


def require_reason(connection: Connection, visit: Visit, case: str, file: CaseFile | None) -> None:
    """Let through whoever is in charge, a supervisor, anyone where nobody is in charge, and who gave a reason today.

    *Raises* `NeedToKnowError` (security §1, insider: need to know and a reason).
    """
    in_charge = file is None or file.worker is None or file.worker == visit.me.id
    if in_charge or Role.SUPERVISOR in visit.me.roles:
        return
    if marks.recall(connection, _reason_mark(visit, case)) is None:
        raise NeedToKnowError(case)


def give_reason(connection: Connection, visit: Visit, case: str, reason: str) -> None:
    """Note why somebody looks at a case that is not theirs; it counts for this day and stands in the access log.

    `reason` is a code of `texts.json` (`reason-…`), never a sentence.
    """
    marks.remember(connection, _reason_mark(visit, case), reason)
    access.record(connection, staff=visit.me.id, action=f"reason:{reason}", about=case, case=case, now=visit.at)


def _reason_mark(visit: Visit, case: str) -> str:
    return f"reason:{visit.today.isoformat()}:{visit.me.id}:{case}"
