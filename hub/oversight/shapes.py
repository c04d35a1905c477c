# SPDX-License-Identifier: Apache-2.0
"""What agencies see of oversight: how their emergency uses were judged, which paper is to be shown, the statement of
what was disclosed of a case.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.oversight.ledger import Disclosure
from hub.oversight.reads import Review, Sample
from hub.web.shapes import Shape


class ReviewShape(Shape):
    """One judgement on an emergency use; answer and remark are codes, the reference is the number of a paper file."""

    answer: str
    remark: str
    reference: str | None
    at: datetime

    @classmethod
    def of(cls, one: Review) -> "ReviewShape":
        """Show a judgement; who judged stays the hub's."""
        return cls(answer=one.answer.value, remark=one.remark.value, reference=one.reference, at=one.at)


class ReviewList(Shape):
    """The judgements on one use, oldest first; none yet while it waits."""

    message: str
    items: tuple[ReviewShape, ...]


class SampleShape(Shape):
    """A paper form that was drawn and is to be shown."""

    id: str
    consent: str = Field(description="the signer's id of the consent")
    case: str
    due_at: datetime
    outcome: str | None
    answered_at: datetime | None
    actions: tuple[str, ...]

    @classmethod
    def of(cls, one: Sample) -> "SampleShape":
        """Show a form as it stands."""
        return cls(
            id=one.id,
            consent=one.record,
            case=one.case_handle,
            due_at=one.due_at,
            outcome=None if one.outcome is None else one.outcome.value,
            answered_at=one.answered_at,
            actions=("answer",) if one.outcome is None else (),
        )


class SampleAnswer(Shape):
    """What the agency computes anew from scan and key (HMAC-SHA-256, 64 hex digits); null: there is no paper."""

    evidence: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None


class SharedShape(Shape):
    """One category that went, and the consent it rested on (null for the other bases)."""

    category: str
    consent: str | None


class DisclosureShape(Shape):
    """One disclosure; `decision` is the entry of the log that holds the decision."""

    message: str
    at: datetime
    sender: str
    recipient: str
    purpose: str
    kind: str
    basis: str
    shared: tuple[SharedShape, ...]
    decision: str
    state: str
    handed_over_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None

    @classmethod
    def of(cls, one: Disclosure) -> "DisclosureShape":
        """Show a disclosure."""
        return cls(
            message=one.id,
            at=one.at,
            sender=one.sender,
            recipient=one.recipient,
            purpose=one.purpose,
            kind=one.kind,
            basis=one.basis,
            shared=tuple(SharedShape(category=part.category, consent=part.consent) for part in one.shared),
            decision=one.decision,
            state=one.state,
            handed_over_at=one.handed_over_at,
            delivered_at=one.delivered_at,
            opened_at=one.opened_at,
        )


class StatementShape(Shape):
    """Every disclosure of a case, oldest first, by pseudonym; the name is joined at the agency alone."""

    case: str
    made_at: datetime
    items: tuple[DisclosureShape, ...]
