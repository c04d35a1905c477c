# SPDX-License-Identifier: Apache-2.0
"""What tasks look like from outside."""

from datetime import datetime

from pydantic import Field

from hub.tasks.reads import Task, label
from hub.web.paging import Page, PageQuery
from hub.web.shapes import Shape


class TaskQuery(PageQuery):
    """`?limit=&cursor=&done=`: with `done=true` those that are done are listed too."""

    done: bool = False


class TaskShape(Shape):
    """What somebody at the caller's agency has to do, about which thing, and by when."""

    id: str
    kind: str
    label: str = Field(description="`kind` in the caller's language")
    about: str
    case: str | None
    due_at: datetime | None
    raised_at: datetime
    done_at: datetime | None
    overdue: bool
    actions: tuple[str, ...]

    @classmethod
    def of(cls, task: Task, *, language: str, now: datetime) -> "TaskShape":
        """Show a task as it stands at *now*."""
        is_open = task.done_at is None
        return cls(
            id=task.id,
            kind=task.kind.value,
            label=label(task.kind, language),
            about=task.about,
            case=task.case,
            due_at=task.due,
            raised_at=task.raised_at,
            done_at=task.done_at,
            overdue=is_open and task.due is not None and task.due < now,
            actions=("done",) if is_open else (),
        )


class TaskPage(Page[TaskShape]):
    """A page of tasks."""
