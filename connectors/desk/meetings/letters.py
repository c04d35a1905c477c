# SPDX-License-Identifier: Apache-2.0
"""Write the papers of a line for one member: only the parts that this member may see, each sealed as its category."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.agencies.referral_forms import fill, referral_form
from connectors.base.labels import label
from connectors.base.wareki import say_day
from connectors.casebook import compose, meeting_papers
from connectors.casebook.agenda import Line
from connectors.casebook.compose import WrittenPart
from connectors.casebook.meeting_papers import AGENDA, CARRIER, MEDIA, MINUTES, WORD, Answer, Slip
from connectors.casebook.meetings import Meeting
from connectors.casebook.seating import Seat
from connectors.desk.web.texts import text
from connectors.desk.web.when import say_moment
from connectors.sheets import parts
from connectors.sheets.definitions import Definition
from connectors.sheets.parts import Item
from consent.vocabulary.codes import CODE_LISTS

_GENERAL: Final = "general"
_WHO: Final = frozenset({"name", "kana"})
Content = Mapping[str, Sequence[Answer]]
PlanSaid = tuple[Definition, Mapping[str, Any]]
"""A plan: by which definition it was filled in, and what it says."""


def content_of(answers: Mapping[str, Mapping[str, Any]], plan: PlanSaid | None) -> dict[str, tuple[Answer, ...]]:
    """Give what is known of a case by category, question by question; what its plan says comes first."""
    known: dict[str, tuple[Answer, ...]] = {}
    if plan is not None:
        for category, items in parts.split(plan[0], plan[1]).items():
            known[category] = tuple(_of_sheet(item) for item in items)
    for category, body in fill(referral_form(_GENERAL), answers).items():
        told = tuple(_of_form(json.loads(body)["answers"]))
        known[category] = (*known.get(category, ()), *told)
    return known


def _of_sheet(item: Item) -> Answer:
    words = item.field.words
    return Answer(field=item.field.code, ja=words.ja, en=words.en, value=item.said("ja"))


def _of_form(answers: Iterable[Mapping[str, Any]]) -> Iterable[Answer]:
    for one in answers:
        yield Answer(field=one["field"], ja=one["ja"], en=one["en"], value=_plain(one["value"]))


def agenda_parts(held: Meeting, line: Line, seat: Seat, content: Content, convenor: str) -> list[WrittenPart]:
    """Write what is on the table of a line for a member, before the meeting."""
    where = [
        _ask("date", say_moment(held.held_at, "ja", "full")),
        _ask("place", held.place),
        _ask("convenor", convenor),
    ]
    carrier = [*_said(where), *content.get(CARRIER, ())]
    told = {one: content[one] for one in _seen(line, seat) if content.get(one)}
    return _parts(AGENDA, told, _slip(AGENDA, held, line), carrier)


def minutes_parts(
    held: Meeting, line: Line, seat: Seat, content: Content, *, present: Sequence[str], convenor: str
) -> list[WrittenPart]:
    """Write the minutes of a line for a member: who it was, what was decided, and the words of what it may see.

    A service is told as the category that it tells something of, and only to whom that category may be told.
    """
    told: dict[str, list[Answer]] = {
        one: [_ask("minutes", said)]
        for one in _seen(line, seat)
        if one != CARRIER and (said := line.outcome.minutes.get(one, "").strip())
    }
    who = [one for one in content.get("identity", ()) if one.field in _WHO]
    if who and "identity" in seat.permitted:
        told["identity"] = who
    services = _services(line, seat)
    for category, those in services.items():
        if category != CARRIER:
            told.setdefault(category, []).append(_ask("services", _names(those)))
    slips = {one: replace(_slip(MINUTES, held, line), services=those) for one, those in services.items()}
    facts = _facts(held, line, present, convenor, services=_names(services.get(CARRIER, {})))
    return _parts(MINUTES, told, slips.pop(CARRIER, _slip(MINUTES, held, line)), facts, slips)


def word_parts(meeting: str, kind: str, category: str, said: str) -> list[WrittenPart]:
    """Write what a member of a conference tells another one there, as its category."""
    told = [_ask("word", said)]
    slip = Slip(form=WORD, meeting=meeting, kind=kind, line="")
    return _parts(WORD, {category: told}, slip, told if category == CARRIER else ())


def print_of(written: Sequence[WrittenPart]) -> str:
    """Give a digest of all that a paper says."""
    digest = hashlib.sha256()
    for part in written:
        digest.update(json.dumps([part.category, part.media, hashlib.sha256(part.body).hexdigest()]).encode())
    return digest.hexdigest()


def _seen(line: Line, seat: Seat) -> list[str]:
    wanted = frozenset(line.categories) & seat.permitted
    return [one for one in CODE_LISTS["categories"] if one in wanted]


def _slip(form: str, held: Meeting, line: Line) -> Slip:
    return Slip(
        form=form,
        meeting=held.hub_id or held.id,
        kind=held.kind,
        line=line.id,
        decision=line.outcome.decision or "" if form == MINUTES else "",
    )


def _services(line: Line, seat: Seat) -> dict[str, dict[str, str]]:
    """Give the services of a line by category, as far as a member may know of them."""
    found: dict[str, dict[str, str]] = {}
    for service, how in line.outcome.services.items():
        category = meeting_papers.category_of(service, how)
        if category in seat.permitted:
            found.setdefault(category, {})[service] = how
    return found


def _names(services: Mapping[str, str]) -> str:
    return "\n".join(
        label("service_by_law" if how == "law" else "service_beside_law", one, "ja") for one, how in services.items()
    )


def _facts(held: Meeting, line: Line, present: Sequence[str], convenor: str, *, services: str) -> list[Answer]:
    out = line.outcome
    checks = [
        _ask(f"check-{one}", label("check_result", out.checks[one], "ja"))
        for one in CODE_LISTS["meeting_check"]
        if one in out.checks
    ]
    return _said(
        [
            _ask("date", say_moment(held.held_at, "ja", "full")),
            _ask("place", held.place),
            _ask("convenor", convenor),
            _ask("present", "\n".join(present)),
            *checks,
            _ask("missing", out.missing),
            _ask("decision", label("meeting_decision", out.decision, "ja")),
            _ask("services", services),
            _ask("next", say_day(out.next_on, "ja") if out.next_on else ""),
            _ask("indicator", out.indicator),
            _ask("minutes", out.minutes.get(CARRIER, "")),
        ]
    )


def _parts(
    form: str, told: Content, slip: Slip, carrier: Sequence[Answer], slips: Mapping[str, Slip] | None = None
) -> list[WrittenPart]:
    more = slips or {}
    bodies = {
        one: meeting_papers.write(more[one], said) if one in more else meeting_papers.write_more(form, said)
        for one, said in told.items()
        if one != CARRIER
    }
    bodies[CARRIER] = meeting_papers.write(slip, carrier)
    return [compose.plain_part(one, MEDIA, bodies[one]) for one in CODE_LISTS["categories"] if one in bodies]


def _ask(code: str, value: str) -> Answer:
    key = f"meetings.q-{code}"
    return Answer(field=code, ja=text(key, "ja"), en=text(key, "en"), value=value)


def _said(asked: Sequence[Answer]) -> list[Answer]:
    return [one for one in asked if one.value.strip()]


def _plain(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
