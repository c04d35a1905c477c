# SPDX-License-Identifier: Apache-2.0
"""What the API takes and gives about cases: handles, codes, times. No member can hold a sentence."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from consent import wire
from consent.vocabulary.codes import CODE_LISTS, is_known
from hub.cases import process, reads, rules, service
from hub.web.paging import Page
from hub.web.shapes import Shape


@dataclass(frozen=True, slots=True)
class Coded:
    """Annotate a text that must be a code of one list of the vocabulary; another is refused as `unknown-code`."""

    code_list: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the code after the text."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Tell readers of the description the codes there are."""
        return {**handler(schema), "enum": sorted(CODE_LISTS[self.code_list])}

    def _check(self, code: str) -> str:
        if not is_known(self.code_list, code):
            wire.refuse_value("unknown-code")
        return code


Day = date
"""A bare date; under another name, because a member is called `date`."""
Token = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]


class NewCase(Shape):
    """A case to open: the agency's own random handle."""

    case: wire.Id


class FollowUp(Shape):
    """The decision on follow-up: a date, or none and why not."""

    date: Day | None = None
    none: Literal[True] | None = None
    no_follow_up_reason: Annotated[str, Coded("no_follow_up_reason")] | None = None


class ClosureShape(Shape):
    """How a case ends (guideline step ⑬)."""

    ground: Annotated[str, Coded("closure_reason")]
    follow_up: FollowUp


class NewStep(Shape):
    """A move; `reason` for one beside the guideline's order, `closure` with the state `closed` only."""

    step: Annotated[str, Coded("step")]
    state: Annotated[str, Coded("case_state")] | None = None
    reason: Annotated[str, Coded("unusual_move_reason")] | None = None
    closure: ClosureShape | None = None

    def move(self, seen_version: int) -> service.Move:
        """Give the move that this asks for."""
        closure = self.closure
        return service.Move(
            step=self.step,
            # a closure says by itself which state is meant
            state=self.state or (process.CLOSED if closure is not None else None),
            reason=self.reason,
            closure=None
            if closure is None
            else rules.Closure(
                ground=closure.ground,
                follow_up_on=closure.follow_up.date,
                no_follow_up_reason=closure.follow_up.no_follow_up_reason,
            ),
            seen_version=seen_version,
        )


class TaskShape(Shape):
    """A task to raise for an agency."""

    agency: wire.Id
    due: wire.Moment | None = None


class NewNote(Shape):
    """A note's kind; `channel` for a contact attempt; `digest`: SHA-256(salt ‖ text) of a text kept elsewhere."""

    kind: Token
    channel: Annotated[str, Coded("channel")] | None = None
    digest: wire.Digest | None = None
    task: TaskShape | None = None

    def note(self) -> service.NewNote:
        """Give the note that this asks for."""
        task = None if self.task is None else service.TaskWanted(agency=self.task.agency, due=self.task.due)
        return service.NewNote(kind=self.kind, channel=self.channel, digest=self.digest, task=task)


class NotedShape(Shape):
    """What a note became; `entry` is its entry in the log."""

    id: str
    entry: str
    task: str | None

    @classmethod
    def of(cls, noted: service.Noted) -> "NotedShape":
        """Show what a note became."""
        return cls(id=noted.id, entry=noted.entry, task=noted.task)


class StepShape(Shape):
    """One move of the history."""

    step: str
    state: str
    reason: str | None
    at: wire.Moment
    closure_ground: str | None
    follow_up_on: date | None
    no_follow_up_reason: str | None

    @classmethod
    def of(cls, step: reads.Step) -> "StepShape":
        """Show one move."""
        return cls(**{name: getattr(step, name) for name in reads.Step.__slots__})


class NoteShape(Shape):
    """That something was noted."""

    id: str
    author: str
    kind: str
    channel: str | None
    digest: str | None
    at: wire.Moment

    @classmethod
    def of(cls, note: reads.Note) -> "NoteShape":
        """Show one note."""
        return cls(**{name: getattr(note, name) for name in reads.Note.__slots__})


class CaseShape(Shape):
    """A case as this caller may see it: a partner sees that it exists and where it stands, not how it came there."""

    id: str
    case: str
    owner: str
    step: str
    state: str
    version: int
    opened_at: wire.Moment
    moved_at: wire.Moment
    closed_at: wire.Moment | None
    next_steps: tuple[str, ...]
    actions: tuple[str, ...]

    @classmethod
    def of(cls, case: reads.Case, agency: str) -> "CaseShape":
        """Show a case to an agency."""
        return cls(**_members(case, agency))


class CaseDetail(CaseShape):
    """A case with its history, which is the owner's alone, and the notes that this caller may see."""

    history: tuple[StepShape, ...]
    notes: tuple[NoteShape, ...]

    @classmethod
    def with_history(
        cls, case: reads.Case, agency: str, history: tuple[reads.Step, ...], notes: tuple[reads.Note, ...]
    ) -> "CaseDetail":
        """Show a case with what happened."""
        return cls(
            **_members(case, agency),
            history=tuple(StepShape.of(step) for step in history),
            notes=tuple(NoteShape.of(note) for note in notes),
        )


class CasePage(Page[CaseShape]):
    """One page of cases."""


def _members(case: reads.Case, agency: str) -> dict[str, Any]:
    is_owner = case.owner == agency
    return {
        "id": case.id,
        "case": case.handle,
        "owner": case.owner,
        "step": case.step,
        "state": case.state,
        "version": case.version,
        "opened_at": case.opened_at,
        "moved_at": case.moved_at,
        "closed_at": case.closed_at,
        "next_steps": process.usual_steps(case.position) if is_owner else (),
        "actions": rules.actions(case.position, is_owner=is_owner),
    }
