# SPDX-License-Identifier: Apache-2.0
"""The one thing to do at each row of the board: its sentence, the words of its button and the page behind it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.desk.board.rows import Row

_UNANSWERED = frozenset({"requested", "received"})
_OWN_WORDS = frozenset(
    {"accepted", "in_progress", "on_hold", "cancel_requested", "outcome_reported", "declined", "reroute_review"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`what` and `do` are keys of texts; `endpoint` with its `places`; `is_deed`: a button of the board itself."""

    what: str
    do: str
    endpoint: str
    places: Mapping[str, str | int] = field(default_factory=dict)
    icon: str = ""
    named: str = ""
    is_deed: bool = False


_NONE = Action(what="task", do="open", endpoint="board.board")
_ACTIONS = {
    "follow-up": Action(what="follow-up", do="follow-up", endpoint="followups.record", icon="pen"),
    "outing": Action(what="outing", do="outing", endpoint="outings.outing", named="outing", icon="walk"),
    "walk": Action(what="outing", do="open", endpoint="referrals.referral", icon="walk"),
    "notice": Action(what="notice", do="notice", endpoint="consents.notice", named="notice", icon="stop"),
    "sample": Action(what="sample", do="sample", endpoint="consents.sample", named="sample", icon="file"),
    "reply": Action(what="reply", do="read", endpoint="referrals.referral"),
    "emergency": Action(what="emergency", do="emergency", endpoint="emergencies.emergency", named="emergency"),
    "escalation": Action(what="escalation", do="seen", endpoint="board.seen", named="line", is_deed=True),
    "urgency": Action(what="urgency", do="urgency", endpoint="cases.case", icon="warn"),
    "look": Action(what="look", do="look", endpoint="cases.case", icon="pen"),
    "task-of-referral": Action(what="task", do="open", endpoint="referrals.referral"),
    "task": Action(what="task", do="done", endpoint="board.task_done", named="task", is_deed=True),
}
"""What is to be done at each kind of row; `named`: what the row's own id is called in the page's address."""


def action_of(row: Row) -> Action:
    """Give what is to be done at a row."""
    referral: dict[str, str | int] = {"referral": row.referral or ""}
    if row.kind in {"referral", "appointment"}:
        return _at_referral(row, referral)
    kind = "task-of-referral" if row.kind == "task" and row.referral else row.kind
    action = _ACTIONS.get(kind, _NONE)
    own: dict[str, str | int] = {action.named: row.about.partition(":")[2]} if action.named else referral
    places = {**own, "n": row.n or 0} if kind == "follow-up" else own
    if action.endpoint == "cases.case":
        places = {"case": row.case or ""}
    what = f"reply-{row.detail}" if kind == "reply" else action.what
    do = "outing-open" if kind == "outing" and row.is_over else action.do
    return replace(action, what=what, do=do, places=places)


def _at_referral(row: Row, referral: Mapping[str, str | int]) -> Action:
    if row.state in _UNANSWERED and row.detail == "came":
        return Action(what="came", do="answer", endpoint="inbox.item", places=referral, icon="inbox")
    if row.state in _UNANSWERED:
        return Action(what="no-answer", do="call", endpoint="referrals.referral", places=referral, icon="phone")
    state = row.state if row.state in _OWN_WORDS else "other"
    do = f"at-{state}"
    return Action(what=f"at-{state}", do=do, endpoint="referrals.referral", places=referral)
