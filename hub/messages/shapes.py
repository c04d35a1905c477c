# SPDX-License-Identifier: Apache-2.0
"""What the API takes and gives about messages: labels, states, signed tokens and sealed parts, never a text."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from consent import wire
from consent.envelope.manifest import MAX_PARTS, ByConsent, ManifestBasis, basis_from
from hub.messages.deciding import Asked
from hub.messages.handing_over import HandedOver
from hub.messages.reads import Label, Labelled, Notice, NoticeItem
from hub.web.paging import Page, PageQuery
from hub.web.shapes import Shape

LONGEST_TOKEN = 128 * 1024


class AskShape(Shape):
    """What would be allowed? `basis` is as in a manifest; consent unless told otherwise."""

    case: wire.Id
    to: wire.Id
    purpose: Annotated[str, Field(max_length=64)]
    categories: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(min_length=1, max_length=MAX_PARTS, strict=False),
    ]
    basis: Annotated[ManifestBasis, Field(discriminator="kind")] = ByConsent()

    def asked(self, *, sender: str) -> Asked:
        """Give the question in the caller's name."""
        return Asked(
            sender=sender,
            recipient=self.to,
            case=self.case,
            purpose=self.purpose,
            basis=basis_from(self.basis),
            categories=self.categories,
        )


class DecisionShape(Shape):
    """One category's decision: `permitted` on a basis, or `refused` for a reason with what would remedy it."""

    category: str
    outcome: str
    basis: str | None
    reason: str | None
    remedy: str | None
    consent: str | None
    version: str | None


class DecisionsShape(Shape):
    """The decisions asked for; `decision_id` is the log entry of the question."""

    decision_id: str
    decisions: tuple[DecisionShape, ...]

    @classmethod
    def of(cls, decision_id: str, decisions: list[dict[str, Any]]) -> "DecisionsShape":
        """Show decisions as the service gives them."""
        return cls(decision_id=decision_id, decisions=tuple(DecisionShape(**one) for one in decisions))


class LabelShape(Shape):
    """What may be read of one part: its padded size in bytes, and the result that its receiver reported."""

    n: int
    category: str
    media: str
    size_bucket: int
    result: str | None

    @classmethod
    def of(cls, label: Label) -> "LabelShape":
        """Show a label."""
        return cls(
            n=label.n,
            category=label.category,
            media=label.media,
            size_bucket=label.size_bucket,
            result=label.result,
        )


class WaitingShape(Shape):
    """One message that waits for the caller; it is decided on again when it is collected."""

    id: str
    message: str
    thread: str
    seq: int
    sender: str
    kind: str
    urgency: str
    size: int = Field(description="Padded bytes of all parts")
    accepted_at: datetime
    not_after: datetime
    delivery: str
    actions: tuple[str, ...]

    @classmethod
    def of(cls, waiting: Labelled) -> "WaitingShape":
        """Show what waits."""
        message = waiting.message
        return cls(
            id=message.id,
            message=message.message,
            thread=message.thread,
            seq=message.seq,
            sender=message.sender,
            kind=message.kind,
            urgency=message.urgency,
            size=sum(label.size_bucket for label in waiting.labels),
            accepted_at=message.accepted_at,
            not_after=message.not_after,
            delivery="offered",
            actions=("collect",),
        )


class InboxPage(Page[WaitingShape]):
    """A page of the inbox, a thread in its own order."""


class MessageShape(Shape):
    """A message as its parties see it; `parts` are sealed and for its recipient alone.

    `receipt` is the hub's signed word: it names the log entry of the disclosure, whose proof the recipient checks
    before it opens.
    """

    id: str
    message: str
    thread: str
    seq: int
    sender: str
    recipient: str
    case: str
    kind: str
    purpose: str
    urgency: str
    request_kind: str | None
    accepted_at: datetime
    not_after: datetime
    delivery: str
    delivered_at: datetime | None
    opened_at: datetime | None
    labels: tuple[LabelShape, ...]
    manifest: str
    receipt: str
    parts: tuple[str, ...] | None
    actions: tuple[str, ...]

    @classmethod
    def of(cls, handed: HandedOver) -> "MessageShape":
        """Show a message that was handed over, or how one's own stands."""
        message = handed.labelled.message
        return cls(
            id=message.id,
            message=message.message,
            thread=message.thread,
            seq=message.seq,
            sender=message.sender,
            recipient=message.recipient,
            case=message.case_handle,
            kind=message.kind,
            purpose=message.purpose,
            urgency=message.urgency,
            request_kind=message.request_kind,
            accepted_at=message.accepted_at,
            not_after=message.not_after,
            delivery=message.delivery.value,
            delivered_at=message.delivered_at,
            opened_at=message.opened_at,
            labels=tuple(LabelShape.of(label) for label in handed.labelled.labels),
            manifest=message.manifest,
            receipt=message.receipt,
            parts=handed.parts,
            actions=() if handed.parts is None else ("acknowledge",),
        )


class NoticeQuery(PageQuery):
    """`?limit=&cursor=&open=`: with `open=true` only those that wait for an answer."""

    open: bool = False


class NoticeItemShape(Shape):
    """One message, by its sender's id, and the categories of it to stop using."""

    message: str
    sender: str
    categories: tuple[str, ...]

    @classmethod
    def of(cls, item: NoticeItem) -> "NoticeItemShape":
        """Show one item."""
        return cls(message=item.message, sender=item.sender, categories=item.categories)


class NoticeShape(Shape):
    """A request to stop using what was handed over before its consent was taken back; answered by a signed word."""

    id: str
    case: str
    withdrawal: str
    items: tuple[NoticeItemShape, ...]
    raised_at: datetime
    due_at: datetime
    answer: str | None
    answered_at: datetime | None
    actions: tuple[str, ...]

    @classmethod
    def of(cls, notice: Notice) -> "NoticeShape":
        """Show a notice."""
        return cls(
            id=notice.id,
            case=notice.case_handle,
            withdrawal=notice.withdrawal,
            items=tuple(NoticeItemShape.of(item) for item in notice.items),
            raised_at=notice.raised_at,
            due_at=notice.due_at,
            answer=notice.answer,
            answered_at=notice.answered_at,
            actions=() if notice.answered_at else ("answer",),
        )


class NoticePage(Page[NoticeShape]):
    """A page of notices."""


class AnswerShape(Shape):
    """The agency's signed answer to a notice (`tsn-purge+jws`)."""

    record: Annotated[str, Field(max_length=LONGEST_TOKEN)]
