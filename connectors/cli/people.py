# SPDX-License-Identifier: Apache-2.0
"""`tsunagi person` and `tsunagi answers`: who the agency accompanies, and what they told, field by field."""

from __future__ import annotations

from typing import Any, Final

from connectors.agencies.referral_forms import Field, referral_form
from connectors.casebook import listing
from connectors.casebook import people as casebook
from connectors.casebook.people import Person
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, argument, option, verb
from connectors.cli.kinds import Id, Pair, content
from connectors.cli.saying import Said

person: Final = Noun("person")
answers: Final = Noun("answers")
_EVERY_FIELD: Final = "general"
"""A kind without a form of its own gets the general one, which has every field."""


@verb(person, "add", option("--name", required=True), option("--kana", default=""))
def add(desk: Desk, *, name: str, kana: str) -> Said:
    """Write a person into the casebook; the name stays as it was typed."""
    if not name.strip():
        raise CliError("name-empty")
    with desk.open() as connector, connector.casebook.transaction() as connection:
        pen = connector.pen(desk.staff)
        new = casebook.register_person(
            connection, person=pen.new_id(), name=name, kana=kana, staff=pen.staff, now=pen.now
        )
    return Said(document=new, lines=[desk.text("person-added", name=new.name, id=new.id)])


@verb(person, "find", argument("text"))
def find(desk: Desk, *, text: str) -> Said:
    """Find persons by name or reading, however typed, with their cases."""
    with desk.open() as connector, connector.casebook.transaction() as connection:
        found = casebook.find_people(connection, text, staff=desk.staff, now=connector.now())
        cases = listing.cases_of(connection, [one.id for one in found])
    shown = [{**saying.plain(one), "cases": cases[one.id]} for one in found]
    rows = [(one.id, one.name, one.kana, " ".join(cases[one.id])) for one in found]
    lines = saying.table(desk.head("id", "name", "kana", "cases"), rows) if found else [desk.text("nobody-found")]
    return Said(document={"people": shown}, lines=lines)


@verb(answers, "set", argument("case", Id()), argument("told", Pair(), many=True))
def set_answers(desk: Desk, *, case: str, told: tuple[tuple[str, str], ...]) -> Said:
    """Keep what the person told, `FIELD=VALUE`; a later word replaces the earlier."""
    known = {field.code: field for field in referral_form(_EVERY_FIELD).fields}
    unknown = [code for code, _ in told if code not in known]
    if unknown:
        raise CliError("field-unknown", known=", ".join(known))
    values = {code: _words(value) for code, value in told}
    with desk.open() as connector, connector.casebook.transaction() as connection:
        listing.case_of(connection, case)
        before = casebook.answers_of(connection, case)
        changed = {known[code].category for code in values}
        for category in sorted(changed):
            new = {code: value for code, value in values.items() if known[code].category == category}
            body = {**before.get(category, {}), **new}
            casebook.write_answers(connection, case, category, body, staff=desk.staff, now=connector.now())
        after = casebook.answers_of(connection, case)
    return Said(document={"case": case, "answers": after}, lines=lines_of(desk, after))


@verb(answers, "show", argument("case", Id()))
def show(desk: Desk, *, case: str) -> Said:
    """Show what is known of a case, by category."""
    with desk.open() as connector, connector.casebook.transaction() as connection:
        listing.case_of(connection, case)
        casebook.person_of(connection, case, staff=desk.staff, now=connector.now())
        told = casebook.answers_of(connection, case)
    return Said(document={"case": case, "answers": told}, lines=lines_of(desk, told))


def lines_of(desk: Desk, told: dict[str, dict[str, Any]]) -> list[str]:
    """Write answers under their categories."""
    fields = referral_form(_EVERY_FIELD).fields
    lines: list[str] = []
    for category, values in told.items():
        lines.append(f"[{desk.label('categories', category)}]")
        lines += [f"  {_label(desk, field)}: {values[field.code]}" for field in fields if field.code in values]
    return lines or [desk.text("no-answers")]


def titled(desk: Desk, who: Person | None) -> str:
    """Give a person's name with its reading; a partner's case has none here."""
    if who is None:
        return desk.text("person-elsewhere")
    return f"{who.name} ({who.kana})" if who.kana else who.name


def _label(desk: Desk, field: Field) -> str:
    return field.ja if desk.language == "ja" else field.en


def _words(value: str) -> str:
    try:
        return content(value).body.decode("utf-8")
    except UnicodeDecodeError:
        raise CliError("file-not-text", file=value.removeprefix("@")) from None
