# SPDX-License-Identifier: Apache-2.0
"""`tsunagi accompany` and `tsunagi follow-up`: going along, and asking later whether the person has arrived."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.frame import Noun, argument, option, verb
from connectors.cli.kinds import Code, Day, Id, Number
from connectors.cli.referrals import follow_up_lines, going_lines
from connectors.cli.saying import Said
from connectors.sync.connector import Connector

accompany: Final = Noun("accompany")
follow_up: Final = Noun("follow-up")
_GOING: Final = (
    option("--state", Code("accompaniment_state"), default="done"),
    option("--on", Day(), required=True),
    option("--role", Code("staff_role"), required=True),
    option("--destination", required=True),
    option("--purpose", Code("accompaniment_purpose"), required=True),
    option("--minutes", Number()),
    option("--result", Code("accompaniment_result")),
    option("--next-step-on", Day()),
)


@verb(accompany, "record", argument("referral", Id()), *_GOING)
def record(desk: Desk, *, referral: str, **going: Any) -> Said:
    """Write an accompaniment down, planned or past; the hub keeps day, role, destination and result, no words."""
    with desk.open() as connector:
        one = connector.hub.record_accompaniment(referral, _going(desk, connector, going))
    return Said(document=one, lines=[desk.text("going-recorded", n=one.n)])


@verb(accompany, "change", argument("referral", Id()), argument("n", Number()), *_GOING)
def change(desk: Desk, *, referral: str, n: int, **going: Any) -> Said:
    """Carry an accompaniment on: agreed, done, nobody came, called off."""
    with desk.open() as connector:
        known = {one.n: one.version for one in connector.hub.referral(referral).accompaniments}
        one = connector.hub.change_accompaniment(referral, n, _going(desk, connector, going), version=known.get(n, 0))
    return Said(document=one, lines=[desk.text("going-recorded", n=one.n)])


@verb(accompany, "list", argument("referral", Id()))
def list_goings(desk: Desk, *, referral: str) -> Said:
    """List a referral's accompaniments."""
    with desk.open() as connector:
        seen = connector.hub.referral(referral)
    lines = going_lines(desk, seen) or [desk.text("none-yet")]
    return Said(document={"accompaniments": seen.accompaniments}, lines=lines)


@verb(
    follow_up,
    "set",
    argument("referral", Id()),
    option("--on", Day()),
    option("--preset", Code("follow_up_preset")),
)
def set_follow_up(desk: Desk, *, referral: str, on: date | None, preset: str | None) -> Said:
    """Set a follow-up for a day or by a preset."""
    with desk.open() as connector:
        one = connector.hub.set_follow_up(referral, due=on, preset=preset)
    return Said(document=one, lines=[desk.text("follow-up-set", n=one.n, due=one.due_on)])


@verb(
    follow_up,
    "done",
    argument("referral", Id()),
    argument("n", Number()),
    option("--channel", Code("channel"), required=True),
    option("--asked", Code("asked"), many=True, required=True),
    option("--result", Code("follow_up_result"), required=True),
    option("--next-on", Day()),
)
def done(
    desk: Desk, *, referral: str, n: int, channel: str, asked: tuple[str, ...], result: str, next_on: date | None
) -> Said:
    """Write down who was asked and what came of it; with a next day, that is set as well."""
    answer: dict[str, Any] = {"channel": channel, "asked": list(asked), "result": result}
    if next_on is not None:
        answer["next_due"] = next_on
    with desk.open() as connector:
        finished = connector.hub.finish_follow_up(referral, n, answer)
    lines = [desk.text("follow-up-done", n=n, result=desk.label("follow_up_result", result))]
    lines += [desk.text("follow-up-set", n=one.n, due=one.due_on) for one in finished if one.done_at is None]
    return Said(document={"follow_ups": finished}, lines=lines)


@verb(follow_up, "list", option("--referral", Id()))
def list_follow_ups(desk: Desk, *, referral: str | None) -> Said:
    """List a referral's follow-ups, or what is still to be done in all of ours, the most urgent first."""
    with desk.open() as connector:
        if referral is not None:
            seen = connector.hub.referral(referral)
            lines = follow_up_lines(desk, seen) or [desk.text("none-yet")]
            return Said(document={"follow_ups": seen.follow_ups}, lines=lines)
        details = [connector.hub.referral(one.id) for one in connector.hub.referrals()]
    waiting = [(one, seen.id) for seen in details for one in seen.follow_ups if one.done_at is None]
    waiting.sort(key=lambda pair: pair[0].due_on)
    rows = [(one.due_on.isoformat(), in_referral, str(one.n)) for one, in_referral in waiting]
    shown = [{**saying.plain(one), "referral": in_referral} for one, in_referral in waiting]
    return Said(document={"follow_ups": shown}, lines=saying.table(desk.head("due", "referral", "n"), rows))


def _going(desk: Desk, connector: Connector, said: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in said.items() if value is not None}
    return {**given, "destination": desk.agency(connector, said["destination"]).id}
