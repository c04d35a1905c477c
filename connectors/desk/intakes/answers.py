# SPDX-License-Identifier: Apache-2.0
"""Sections 1 and 2 of the form, read: who came, who the person is, what it is about. As far as they wish to say.

Text stays as it was written, byte for byte; only numbers are folded. An empty field is never just empty: the person
did not wish to say, or nobody has asked yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.base.labels import label
from connectors.desk.intakes import rules
from connectors.desk.web.filling import Filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was written down of a person. `untold`: per open field `declined` or `not_asked`."""

    received_on: date | None
    received_by: str
    kana: str
    name: str
    sex: str | None
    sex_words: str
    born_on: date | None
    postal: str
    address: str
    address_facts: tuple[str, ...]
    phone_home: str
    phone_mobile: str
    email: str
    safe_contact: str
    visitor_name: str
    visitor_phone: str
    visitor_relation: str | None
    visitor_kinship: str
    topics: tuple[str, ...]
    worst: str | None
    other_topic: str
    words: str
    untold: Mapping[str, str]

    @property
    def is_protected(self) -> bool:
        """Say whether the address must not be known to others (支援措置)."""
        return "protected" in self.address_facts

    @property
    def phones(self) -> tuple[str, ...]:
        """Give the person's numbers, the one they carry first."""
        return tuple(one for one in (self.phone_mobile, self.phone_home) if one)

    def record(self) -> dict[str, Any]:
        """Give what the person's own record keeps, field by field; what is empty is not in it."""
        said: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "sex", "sex_words", "postal", "address", "phone_home", "phone_mobile", "email", "safe_contact",
                "visitor_name", "visitor_phone", "visitor_relation", "visitor_kinship",
            )
        }  # fmt: skip
        said |= {"telephone": self.phones[0] if self.phones else "", "address_facts": list(self.address_facts)}
        return {name: value for name, value in said.items() if value} | {"untold": dict(self.untold)}


def read_told(filled: Filled, *, colleagues: Collection[str], today: date) -> Told:
    """Read both sections; what cannot be taken is blamed."""
    told = Told(
        received_on=filled.day("received_on", required=True, last=today),
        received_by=filled.code("received_by", colleagues, required=True) or "",
        kana=rules.read_kana(filled.line("kana")),
        name=filled.line("name"),
        sex=filled.code("sex", rules.SEXES),
        sex_words=filled.line("sex_words"),
        born_on=filled.day("born_on", last=today),
        postal=_number(filled, "postal", rules.read_postal),
        address=filled.text("address", longest=500),
        address_facts=filled.several("address_facts", rules.ADDRESS_FACTS),
        phone_home=_number(filled, "phone_home", rules.read_phone),
        phone_mobile=_number(filled, "phone_mobile", rules.read_phone),
        email=_number(filled, "email", rules.read_email),
        safe_contact=filled.line("safe_contact"),
        visitor_name=filled.line("visitor_name"),
        visitor_phone=_number(filled, "visitor_phone", rules.read_phone),
        visitor_relation=filled.code("visitor_relation", rules.RELATIONS),
        visitor_kinship=filled.line("visitor_kinship"),
        topics=_topics(filled),
        worst=filled.code("worst", rules.TOPICS),
        other_topic=filled.line("other_topic"),
        words=filled.text("words"),
        untold=_untold(filled),
    )
    if not (told.name or told.kana or told.phones or told.email):
        filled.blame("name", "intakes.fault-identifier")
    return told


def by_category(told: Told, say: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """Give the answers by consent category and field code (`agencies/fields.json`); `say` gives a text by its key.

    A protected address is in none of them: nobody passes it on by filling in a form. Topics are written in the words
    of the paper, which is Japanese.
    """
    topics = [label("trouble", one, "ja") for one in told.topics if one != told.worst]
    if told.worst:
        topics.insert(0, say("intakes.topic-worst").replace("{topic}", label("trouble", told.worst, "ja")))
    if told.other_topic:
        topics.append(told.other_topic)
    where = " ".join(one for one in (told.postal, told.address) if one)
    if not where and "no_fixed" in told.address_facts:
        where = say("intakes.address-no_fixed")
    made = {
        "identity": {
            "name": told.name,
            "kana": told.kana,
            "birth_date": told.born_on.isoformat() if told.born_on else "",
            "sex": told.sex_words or (say(f"intakes.sex-{told.sex}") if told.sex not in {None, "unsaid"} else ""),
        },
        "contact": {
            "address": "" if told.is_protected else where,
            "telephone": " / ".join(told.phones),
            "safe_contact": told.safe_contact,
        },
        "consultation": {"topics": say("intakes.topic-comma").join(topics), "wish": told.words},
    }
    return {
        category: {field: value for field, value in fields.items() if value}
        for category, fields in made.items()
        if any(fields.values())
    }


def _topics(filled: Filled) -> tuple[str, ...]:
    """Read what was marked ○; ◎ says it too."""
    marked = {*filled.several("topics", rules.TOPICS), filled.values.get("worst")}
    return tuple(one for one in rules.TOPICS if one in marked)


def _untold(filled: Filled) -> dict[str, str]:
    declined = filled.several("declined", rules.ASKED)
    return {one: "declined" if one in declined else "not_asked" for one in rules.ASKED if not filled.has(one)}


def _number(filled: Filled, name: str, read: Callable[[str], str | None]) -> str:
    written = filled.line(name, longest=100)
    if not written:
        return ""
    plain = read(written)
    if plain is None:
        filled.blame(
            name, f"intakes.fault-{name.removeprefix('visitor_').removesuffix('_home').removesuffix('_mobile')}"
        )
    return plain or ""
