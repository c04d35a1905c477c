# SPDX-License-Identifier: Apache-2.0
"""What stands around the wizard: what became of a referral, what its recipient will not see, what is half written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection

from connectors.agencies import referral_forms
from connectors.base.errors import ConnectorError
from connectors.casebook import access, deeds, directory, drafts, files, outgoing, referral_files, referrals
from connectors.casebook.deeds import Deed
from connectors.casebook.directory import KnownAgency
from connectors.casebook.drafts import Draft
from connectors.casebook.referral_files import ReferralFile
from connectors.casebook.referrals import KnownReferral
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.sending import fields, rules
from connectors.desk.sending.reads import KIND, Sheet
from connectors.desk.staff.reads import names_of
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Visit

_LONGEST_QUEUE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a referral that was sent from here. `place`: which one it is in the queue, 0 when it is not."""

    file: ReferralFile
    bar: PersonBar
    deed: Deed
    place: int
    recipient: KnownAgency
    referral: KnownReferral | None
    worker: str
    answer_on: date | None


def outcome(connection: Connection, visit: Visit, message: str) -> Outcome:
    """Give what became of a referral that was sent from here.

    *Raises* `ConnectorError("referral-unknown")`; as `person_bar`.
    """
    own = visit.site.connector.agency
    file = referral_files.file_of(connection, message, own)
    deed = deeds.find(connection, str(file.document.get("key"))) if file else None
    if file is None or deed is None:
        raise ConnectorError("referral-unknown")
    bar = person_bar(connection, visit, file.case)
    recipient = directory.agency(connection, str(file.document["recipient"]))
    queue = [one.key for one in outgoing.waiting(connection, limit=_LONGEST_QUEUE)]
    return Outcome(
        file=file,
        bar=bar,
        deed=deed,
        place=queue.index(deed.key) + 1 if deed.key in queue else 0,
        recipient=recipient,
        referral=referrals.of_thread(connection, message, between=frozenset({own, recipient.id})),
        worker=names_of(connection, [file.worker or ""]).get(file.worker or "", ""),
        answer_on=fields.answer_on(Filled(values=fields.as_form(file.document.get("fields", {})))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A category that the recipient will not see, and why: a reason of the decision, or a key of our own."""

    category: str
    reason: str | None
    key: str


def unseen(sheet_: Sheet, seen: Collection[str]) -> list[Unseen]:
    """Give what a recipient will not see, each with its reason."""
    ticked = fields.chosen(sheet_.filled)
    made = []
    for row in sheet_.rows:
        if row.category in seen:
            continue
        key = "empty" if row.category in ticked else "not-picked"
        reason = row.refused.reason.value if row.refused else None
        made.append(Unseen(category=row.category, reason=reason, key="refused" if reason else key))
    return made + [Unseen(category=one, reason=None, key="unused") for one in sheet_.unused]


def barred(sheet_: Sheet) -> list[str]:
    """Name the categories that are not to go: refused, or not used by this kind of recipient."""
    return [*(row.category for row in sheet_.rows if row.refused), *sheet_.unused]


def missing(sheet_: Sheet) -> list[str]:
    """Name what the recipient's form asks for and nobody has answered, among what may go there."""
    if sheet_.recipient is None:
        return []
    left = referral_forms.missing(referral_forms.referral_form(sheet_.recipient.kind), sheet_.answers)
    language = sheet_.language
    return [one.ja if language == "ja" else one.en for one in left if one.category in sheet_.around.permitted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A draft for a list: whose, for whom, how far."""

    id: str
    name: str
    number: str
    purpose: str | None
    step: str
    saved_at: datetime


def begun(connection: Connection, visit: Visit) -> list[Begun]:
    """Give what this person has begun, newest first; the list is logged as one look."""
    found = [one for one in drafts.drafts_of(connection, visit.me.id) if one.kind == KIND and one.case]
    cases = [str(one.case) for one in found]
    known, numbered = files.people_of(connection, cases), files.files_of(connection, cases)
    access.record(connection, staff=visit.me.id, action="drafts:listed", about=str(len(found)), now=visit.at)
    return [
        Begun(
            id=one.id,
            name=known[case].name if case in known else "",
            number=numbered[case].number if case in numbered else case[:8],
            purpose=str(one.fields["purpose"]) if one.fields.get("purpose") in rules.purposes() else None,
            step=_furthest(one),
            saved_at=one.saved_at,
        )
        for one, case in zip(found, cases, strict=True)
    ]


def _furthest(draft: Draft) -> str:
    """Name the page with which to go on."""
    said = draft.fields
    if said.get("purpose") not in rules.purposes():
        return "purpose"
    if not said.get("recipient"):
        return "recipient"
    if "categories" not in said:
        return "categories"
    return "dates" if "answer_on" in said else "content"
