# SPDX-License-Identifier: Apache-2.0
"""What the event feed looks like from outside."""

from datetime import datetime

from hub.outbox.reads import Event
from hub.web.shapes import Shape


class EventShape(Shape):
    """One change that concerns the caller: its kind, and the id of the thing to ask for. No content."""

    id: str
    event: str
    about: str
    at: datetime

    @classmethod
    def of(cls, event: Event) -> "EventShape":
        """Show an event."""
        return cls(id=event.id, event=event.event, about=event.about, at=event.at)


class EventPage(Shape):
    """What is new. `next_cursor` is where to go on, also when nothing is there yet; null only at the very
    beginning.
    """

    items: tuple[EventShape, ...]
    next_cursor: str | None
