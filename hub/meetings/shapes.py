# SPDX-License-Identifier: Apache-2.0
"""What the API takes and gives about meetings: kinds, members, codes."""

from typing import Annotated, Any

from pydantic import Field

from consent import wire
from hub.cases.shapes import Coded, Token
from hub.meetings import reads, service
from hub.meetings.rules import ItemList, MeetingKind
from hub.web.paging import Page
from hub.web.shapes import Shape

MOST_MEMBERS = 64


class NewMeeting(Shape):
    """A meeting to convene; `case` by the handle that the convenor knows it by."""

    kind: Annotated[str, Coded("meeting_kind")]
    members: Annotated[tuple[wire.Id, ...], Field(max_length=MOST_MEMBERS)]
    until: wire.Moment
    case: wire.Id | None = None

    def meeting(self) -> service.NewMeeting:
        """Give the meeting that this asks for."""
        return service.NewMeeting(kind=MeetingKind(self.kind), members=self.members, until=self.until, case=self.case)


class NewItem(Shape):
    """A point of the agenda: a case, a code or both."""

    code: Token | None = None
    case: wire.Id | None = None


class NewDecision(Shape):
    """What was decided, as a code, and about which case."""

    code: Token
    case: wire.Id | None = None


class ItemShape(Shape):
    """One entry of the agenda or of the decisions."""

    id: str
    code: str | None
    case: str | None
    author: str
    at: wire.Moment

    @classmethod
    def of(cls, item: reads.Item) -> "ItemShape":
        """Show one entry."""
        return cls(id=item.id, code=item.code, case=item.case, author=item.author, at=item.at)


class MeetingShape(Shape):
    """A meeting as those who were invited see it."""

    id: str
    kind: str
    convenor: str
    case: str | None
    members: tuple[str, ...]
    accepted: tuple[str, ...]
    until: wire.Moment
    convened_at: wire.Moment
    ended_at: wire.Moment | None
    version: int
    actions: tuple[str, ...]

    @classmethod
    def of(cls, meeting: reads.Meeting, actions: tuple[str, ...]) -> "MeetingShape":
        """Show a meeting and what the caller may do with it now."""
        return cls(**_members(meeting, actions))


class MeetingDetail(MeetingShape):
    """A meeting with its agenda and its decisions."""

    agenda: tuple[ItemShape, ...]
    decisions: tuple[ItemShape, ...]

    @classmethod
    def with_items(
        cls, meeting: reads.Meeting, actions: tuple[str, ...], items: tuple[reads.Item, ...]
    ) -> "MeetingDetail":
        """Show a meeting with what stands on its two lists."""
        return cls(
            **_members(meeting, actions),
            agenda=tuple(ItemShape.of(item) for item in items if item.list == ItemList.AGENDA),
            decisions=tuple(ItemShape.of(item) for item in items if item.list == ItemList.DECISION),
        )


class MeetingPage(Page[MeetingShape]):
    """One page of meetings."""


def _members(meeting: reads.Meeting, actions: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": meeting.id,
        "kind": meeting.kind.value,
        "convenor": meeting.convenor,
        "case": meeting.case,
        "members": meeting.members,
        "accepted": tuple(sorted(meeting.accepted)),
        "until": meeting.until,
        "convened_at": meeting.convened_at,
        "ended_at": meeting.ended_at,
        "version": meeting.version,
        "actions": actions,
    }
