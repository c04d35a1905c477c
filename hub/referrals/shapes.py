# SPDX-License-Identifier: Apache-2.0
"""What the API takes about referrals: ids, codes, days, times, sealed things. No member can hold a sentence or a name.

What it gives is in `views`.
"""

import json
from datetime import date
from importlib.resources import files
from typing import Annotated, Any, Final

from pydantic import Field

from consent import wire
from consent.envelope.manifest import MAX_PARTS
from hub.cases.shapes import Coded
from hub.referrals.accompaniment import Going
from hub.referrals.followups import Asked
from hub.referrals.lifecycle import Role, State
from hub.referrals.opening import Envelope, Telephone
from hub.referrals.reads import Wanted
from hub.referrals.rules import Details
from hub.web.paging import PageQuery
from hub.web.shapes import Shape

_LISTS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(row["code"] for row in rows)
    for name, rows in json.loads(files("hub.referrals").joinpath("codes.json").read_text("utf-8")).items()
}


def _own(code_list: str) -> Any:
    return wire.Code(_LISTS[code_list].__contains__)


Day = date
"""A bare date; under another name, because a member is called `on` or `due`."""
Reason = Annotated[str, Coded("unusual_move_reason")]
StaffRole = Annotated[str, Coded("staff_role")]
ROLES: Final = {"sender": Role.S, "recipient": Role.R, "coordinator": Role.CO}


class TelephoneShape(Shape):
    """The call that goes with an immediate referral."""

    at: wire.Moment
    result: Annotated[str, _own("call_result")]


class NewMessage(Shape):
    """A signed manifest and the sealed parts it speaks of."""

    manifest: Annotated[str, Field(min_length=1)]
    parts: Annotated[tuple[str, ...], Field(max_length=MAX_PARTS)]

    def envelope(self) -> Envelope:
        """Give it as the service takes it."""
        return Envelope(manifest=self.manifest, parts=self.parts)


class NewReferral(NewMessage):
    """A referral to send."""

    telephone: TelephoneShape | None = None

    def envelope(self) -> Envelope:
        """Give it as the service takes it."""
        call = Telephone(at=self.telephone.at, result=self.telephone.result) if self.telephone else None
        return Envelope(manifest=self.manifest, parts=self.parts, telephone=call)


class ReferOn(NewReferral):
    """The next referral of a need."""

    def details(self) -> Details:
        """Give the words of the move."""
        return Details()


class ConferenceResult(NewReferral):
    """The next referral of a need, as a conference decided it."""

    reason: Reason

    def details(self) -> Details:
        """Give the words of the move."""
        return Details(reason=self.reason)


class Words(Shape):
    """A move that says nothing but, perhaps, which sealed message belongs to it."""

    message: wire.Id | None = None

    def details(self) -> Details:
        """Give the words of the move as the service takes them."""
        return Details(**{name: getattr(self, name) for name in type(self).model_fields})


class Receipt(Shape):
    """A recipient's signed receipt (protocol §5)."""

    receipt: Annotated[str, Field(min_length=1, max_length=64 * 1024)]


class Accept(Words):
    """Who takes the person on, and when they meet next."""

    worker: wire.Opaque
    worker_role: StaffRole
    next_on: Day


class HandOver(Shape):
    """The new worker inside the agency."""

    worker: wire.Opaque
    worker_role: StaffRole

    def details(self) -> Details:
        """Give the words of the move."""
        return Details(worker=self.worker, worker_role=self.worker_role)


class Decline(Words):
    """Why the need cannot be met here, by whose word, and what instead."""

    decline_by: Annotated[str, Coded("decline_by")]
    reason: Annotated[str, Coded("decline_reason")]
    suggestion: Annotated[str, Coded("suggestion")] | None = None
    other_agency: wire.Id | None = None
    missing: Annotated[tuple[Annotated[str, Coded("categories")], ...], Field(max_length=MAX_PARTS)] = ()


class Reasoned(Words):
    """An unusual move with its reason."""

    reason: Reason


class Cancel(Words):
    """Why the sender takes the referral back."""

    reason: Annotated[str, Coded("cancel_reason")]


class Start(Words):
    """First contact was made, or an appointment is set."""

    what: Annotated[str, _own("first_contact")]
    on: Day


class Hold(Words):
    """Why it waits, and when that is looked at again."""

    reason: Annotated[str, Coded("hold_reason")]
    review_on: Day


class Progress(Words):
    """What happened since: an appointment, a visit, nobody came."""

    what: Annotated[str, _own("progress")]
    on: Day
    next_step_on: Day | None = None


class Outcome(Words):
    """What came of the referral."""

    outcome: Annotated[str, Coded("outcome")]


class FollowUpDecision(Shape):
    """When to ask again: a day, a preset, or not and why; one of the three."""

    on: Day | None = None
    preset: Annotated[str, _own("follow_up_preset")] | None = None
    no_follow_up_reason: Annotated[str, Coded("no_follow_up_reason")] | None = None


class Acknowledge(Shape):
    """The sender agrees with the outcome and decides on follow-up."""

    follow_up: FollowUpDecision

    def details(self) -> Details:
        """Give the words of the move."""
        said = self.follow_up
        return Details(follow_up_on=said.on, follow_up_preset=said.preset, no_follow_up_reason=said.no_follow_up_reason)


class NewAccompaniment(Shape):
    """An accompaniment as the hub keeps it; the narrative, if any, is a sealed message named by `message`."""

    state: Annotated[str, Coded("accompaniment_state")]
    on: Day
    role: StaffRole
    destination: wire.Id
    purpose: Annotated[str, Coded("accompaniment_purpose")]
    minutes: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    result: Annotated[str, Coded("accompaniment_result")] | None = None
    next_step_on: Day | None = None
    message: wire.Id | None = None

    def going(self) -> Going:
        """Give it as the service takes it."""
        return Going(**{name: getattr(self, name) for name in type(self).model_fields})


class NewFollowUp(Shape):
    """A follow-up to set: a day or a preset."""

    due: Day | None = None
    preset: Annotated[str, _own("follow_up_preset")] | None = None


class FollowUpDone(Shape):
    """What came of a follow-up."""

    channel: Annotated[str, Coded("channel")]
    asked: Annotated[tuple[Annotated[str, _own("asked")], ...], Field(min_length=1, max_length=2)]
    result: Annotated[str, Coded("follow_up_result")]
    next_due: Day | None = None

    def answer(self) -> Asked:
        """Give it as the service takes it."""
        asked = tuple(dict.fromkeys(self.asked))
        return Asked(channel=self.channel, asked=asked, result=self.result, next_due_on=self.next_due)


class ReferralQuery(PageQuery):
    """Which referrals a list gives: as whom, in which state, overdue or not, changed since, of which case."""

    role: Annotated[str, Field(pattern="^(sender|recipient|coordinator)$")] | None = None
    state: State | None = None
    overdue: bool | None = None
    updated_after: wire.Moment | None = None
    case: wire.Id | None = None

    def wanted(self) -> Wanted:
        """Give it as the reads take it."""
        role = ROLES[self.role] if self.role else None
        return Wanted(
            role=role, state=self.state, overdue=self.overdue, updated_after=self.updated_after, case=self.case
        )
