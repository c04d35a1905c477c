# SPDX-License-Identifier: Apache-2.0
"""From what a draft holds to a letter: one text per category, its files, and what is asked of the recipient.

A text that nobody changed goes as the recipient's own form, field by field, so that it can be taken over there; one
that was written goes as it was written. What is asked (answer by when, accompaniment, who asks) is sealed too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.agencies.referral_forms import fill, referral_form
from connectors.base.labels import label
from connectors.base.wareki import say_day
from connectors.casebook import compose
from connectors.casebook.compose import Letter, WrittenPart
from connectors.casebook.drafts import DraftFile
from connectors.desk.sending import fields
from connectors.desk.web.contents import FORM_MEDIA, TEXT_MEDIA, lines_of
from connectors.desk.web.filling import Filled
from connectors.desk.web.texts import text
from connectors.desk.web.when import say_moment
from consent.envelope.manifest import MAX_PARTS
from consent.vocabulary.codes import Language
from consent.wire import write_moment

_LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en")
_ASKED_IN: Final = ("consultation", "identity", "contact")
_REQUEST: Final = "request"
_GENERAL: Final = "general"
_REQUEST_VERSION: Final = "2026-11"

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes, as the recipient reads it."""

    worker: str
    colleagues: Mapping[str, str] = field(repr=False)


def prefilled(kind: str, answers: Answers) -> dict[str, bytes]:
    """Give the recipient's form as far as the casebook fills it, by category; the general one where it asks less."""
    return {**fill(referral_form(_GENERAL), answers), **fill(referral_form(kind), answers)}


def with_troubles(answers: Answers, troubles: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give what is known with the troubles that were ticked for this referral in place of those of the form."""
    told = {category: dict(said) for category, said in answers.items()}
    if troubles:
        told.setdefault("consultation", {})["topics"] = "、".join(label("trouble", one, "ja") for one in troubles)
    return told


def questions_known(category: str, told: Mapping[str, Any], language: Language) -> tuple[str, ...]:
    """Name the questions of a category that the casebook can answer."""
    return tuple(
        one.ja if language == "ja" else one.en
        for one in referral_form(_GENERAL).fields
        if one.category == category and told.get(one.code) not in (None, "")
    )


def parts_of(
    filled: Filled, *, kind: str, answers: Answers, files: Sequence[DraftFile], sender: Sender
) -> list[WrittenPart]:
    """Write the parts of a letter, in the vocabulary's order of their categories, what is asked first."""
    known = prefilled(kind, answers)
    made = []
    sent = fields.with_content(filled, [one.belongs_to for one in files])
    if sent:
        made.append(_request(filled, sent, sender))
    for category in sent:
        said = fields.text_of(filled, category)
        if said:
            made.append(_text_part(category, said, known.get(category)))
        made += [compose.plain_part(category, one.media, one.body) for one in files if one.belongs_to == category]
    return made


def letter(
    filled: Filled,
    *,
    case: str,
    parts: Sequence[WrittenPart],
    acknowledged: bool,
    basis: Mapping[str, Any] | None = None,
) -> Letter:
    """Write the letter to the chosen recipient for the chosen purpose."""
    at = fields.called(filled)
    call = {"at": write_moment(at), "result": filled.values["call_result"]} if at is not None else None
    return Letter(
        case=case,
        recipient=filled.values["recipient"],
        purpose=filled.values["purpose"],
        parts=tuple(parts),
        urgency=filled.values["urgency"],
        request_kind=filled.values["request_kind"],
        telephone=call if filled.values["urgency"] == "immediate" else None,
        acknowledged=acknowledged,
        **(basis or {}),
    )


def too_many(parts: Sequence[WrittenPart]) -> bool:
    """Say whether a message cannot hold so many parts (protocol §2)."""
    return len(parts) > MAX_PARTS


def print_of(written: Letter) -> str:
    """Give a digest of all that a letter says, so that what is sent is what was looked at."""
    digest = hashlib.sha256()
    call = sorted((written.telephone or {}).items())
    head = [written.case, written.recipient, written.purpose, written.urgency, written.request_kind, call]
    digest.update(json.dumps(head).encode())
    for part in written.parts:
        digest.update(json.dumps([part.category, part.media, hashlib.sha256(part.body).hexdigest()]).encode())
    return digest.hexdigest()


def denied_digest(number: str) -> str:
    """Give what is kept of digits of which a person said that they are no My Number."""
    return hashlib.sha256("".join(sign for sign in number if sign.isdecimal()).encode()).hexdigest()


def unacknowledged(parts: Sequence[WrittenPart], denied: Iterable[str]) -> list[tuple[str, str]]:
    """Give what looks like a My Number and of which nobody has said that it is none: category, and as written."""
    known = frozenset(denied)
    return [
        (parts[n - 1].category, number) for n, number in compose.numbers_in(parts) if denied_digest(number) not in known
    ]


def _text_part(category: str, said: str, known: bytes | None) -> WrittenPart:
    if known is not None and said in {lines_of(known, language).strip() for language in _LANGUAGES}:
        return compose.plain_part(category, FORM_MEDIA, known)
    return compose.plain_part(category, TEXT_MEDIA, said.encode("utf-8"))


def _request(filled: Filled, sent: Sequence[str], sender: Sender) -> WrittenPart:
    """Write what is asked, as answers that every desk shows like those of a form."""
    day = fields.answer_on(filled)
    asked = [
        ("request_kind", label("request_kind", filled.values["request_kind"], "ja")),
        *([("answer_by", say_day(day, "ja"))] if day is not None else []),
        ("accompany", _accompaniment(filled, sender)),
        ("worker", sender.worker),
    ]
    answers = [
        {
            "field": code,
            **{one: text(f"sending.asked-{code.replace('_', '-')}", one) for one in _LANGUAGES},
            "value": said,
        }
        for code, said in asked
    ]
    category = next((one for one in _ASKED_IN if one in sent), sent[0])
    body = {"form": _REQUEST, "version": _REQUEST_VERSION, "answers": answers}
    return compose.plain_part(category, FORM_MEDIA, json.dumps(body, ensure_ascii=False).encode("utf-8"))


def _accompaniment(filled: Filled, sender: Sender) -> str:
    if filled.values.get("accompany") != "yes":
        return text("sending.going-no", "ja")
    at = fields.going(filled)
    if at is None:
        return text("sending.going-open", "ja")
    when = say_moment(at, "ja", "full") if isinstance(at, datetime) else say_day(at, "ja")
    who = sender.colleagues.get(filled.values.get("going_with", ""), "")
    return " ".join(one for one in (when, filled.values.get("going_place", "").strip(), who) if one)
