# SPDX-License-Identifier: Apache-2.0
"""Section 3 of the form, read: what may be passed on to whom, cell by cell, and what the person refuses in own words.

The columns are the agencies that serve the purposes, by the template that was explained; a kind of which none is known
yet stands for itself. A template proposes, the person decides: a new column comes with what that kind usually needs,
never with anything sensitive, and the form is not taken before somebody has seen it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from werkzeug.datastructures import MultiDict

from connectors.casebook.directory import KnownAgency
from connectors.casebook.templates import NamedTemplate
from connectors.desk.web.filling import Filled
from consent.calendar import day_of, end_of_day, start_of_day
from consent.forms import Row, Template, default_end
from consent.scopes import ANY
from consent.vocabulary.codes import CODE_LISTS, MATRIX, SENSITIVE, Language

CLASSES = tuple(CODE_LISTS["category_class"])
REFUSALS = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A partner as the table shows it: an agency, or a kind (`partner` is the kind then)."""

    partner: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place of the table: `state` is `none` (not offered), `never` (refused by the person) or `open`."""

    column: Column
    category: str
    state: str
    ticked: bool

    @property
    def value(self) -> str:
        """Give what the box sends."""
        return f"{self.column.partner}:{self.category}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the person refuses: never these categories to these, and how they said it."""

    words: str
    to: frozenset[str]
    categories: frozenset[str]

    def names(self, column: Column, category: str) -> bool:
        """Say whether it bars a cell."""
        return bool(self.to & {ANY, column.partner, column.kind} and self.categories & {ANY, category})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person chose."""

    template: Template
    purposes: frozenset[str]
    columns: tuple[Column, ...]
    ticked: frozenset[str]
    until: date | None
    refusals: tuple[Refusal, ...]

    def cell(self, column: Column, category: str) -> Cell:
        """Give one place of the table as it stands."""
        state = "open" if category in offered(self.template, column.kind) else "none"
        if any(one.names(column, category) for one in self.refusals):
            state = "never"
        value = f"{column.partner}:{category}"
        return Cell(column=column, category=category, state=state, ticked=state == "open" and value in self.ticked)

    def given(self, column: Column) -> tuple[str, ...]:
        """Give what a partner may have, in the vocabulary's order."""
        return tuple(one for one in CODE_LISTS["categories"] if self.cell(column, one).ticked)

    def kept(self, column: Column) -> tuple[str, ...]:
        """Give what a partner could have had and gets not, and what the person refuses it."""
        cells = [self.cell(column, one) for one in CODE_LISTS["categories"]]
        return tuple(one.category for one in cells if one.state != "none" and not one.ticked)

    def purposes_of(self, column: Column) -> tuple[str, ...]:
        """Give for what a partner may have it, by the template."""
        fit = [one for one in self.purposes if column.kind in self.template.purposes.get(one, ())]
        return tuple(sorted(fit, key=list(CODE_LISTS["purposes"]).index))

    def table(self) -> list[tuple[str, list[tuple[str, list[Cell]]]]]:
        """Give the table: class of categories, then category, then its cells."""
        return [
            (
                klass,
                [
                    (category, [self.cell(column, category) for column in self.columns])
                    for category, row in CODE_LISTS["categories"].items()
                    if row["klass"] == klass
                ],
            )
            for klass in CLASSES
        ]

    def rows(self) -> tuple[Row, ...]:
        """Give the form's rows: one per partner that may have anything."""
        return tuple(
            Row(
                partner=column.partner,
                kind=column.kind,
                categories=frozenset(self.given(column)) - SENSITIVE,
                ticked=frozenset(self.given(column)) & SENSITIVE,
            )
            for column in self.columns
            if self.given(column) and self.purposes_of(column)
        )

    def ends(self, begins: date) -> datetime:
        """Give when the consent ends (exclusive)."""
        return end_of_day(self.until) if self.until else default_end(start_of_day(begins))


def offered(template: Template, kind: str) -> frozenset[str]:
    """Give what a template offers for a kind of partner; what is sensitive by its own tick alone."""
    return template.usual.get(kind, frozenset()) | template.ticked.get(kind, frozenset())


def columns(
    template: Template, purposes: Collection[str], agencies: Iterable[KnownAgency], *, own: str, language: Language
) -> tuple[Column, ...]:
    """Give who serves the purposes, in the vocabulary's order. A purpose of everybody's brings nobody in by itself."""
    everybody = frozenset(template.usual)
    named = [template.purposes.get(one, frozenset()) for one in purposes]
    narrow = [kinds for kinds in named if kinds < everybody and len(kinds) < len(everybody)]
    kinds = frozenset().union(*(narrow or named))
    known = [one for one in agencies if one.id != own and one.state == "active"]
    made = []
    for kind, row in CODE_LISTS["recipients"].items():
        if kind not in kinds:
            continue
        here = [one for one in known if one.kind == kind]
        made += [
            Column(partner=one.id, kind=kind, name=one.name_ja if language == "ja" else one.name_en) for one in here
        ]
        if not here:
            made.append(Column(partner=kind, kind=kind, name=row[language]))
    return tuple(made)


def propose(values: MultiDict[str, str], template: Template, shown: Iterable[Column]) -> bool:
    """Tick what a partner of its kind usually needs where a column is new; say whether any is new.

    `values` is changed; its `columns` names those that were proposed before, whose boxes nobody touches again.
    """
    before = frozenset(values.getlist("columns"))
    new = [one for one in shown if one.partner not in before]
    usual = [
        f"{one.partner}:{category}"
        for one in new
        for category in template.usual.get(one.kind, ())
        if MATRIX[one.kind].get(category) == "R"
    ]
    values.setlist("m", [*values.getlist("m"), *usual])
    values.setlist("columns", [*before, *(one.partner for one in new)])
    return bool(new)


def read_choice(
    filled: Filled, named: NamedTemplate, shown: tuple[Column, ...], *, known: Collection[str], begins: date
) -> Choice:
    """Read the section; what cannot be taken is blamed. `known` is whom a refusal may name."""
    template = named.template
    boxes = {f"{one.partner}:{category}" for one in shown for category in offered(template, one.kind)}
    return Choice(
        template=template,
        purposes=frozenset(filled.several("purposes", template.purposes)),
        columns=shown,
        ticked=frozenset(filled.values.getlist("m")) & boxes,
        until=filled.day("until", first=begins, last=_last_day(begins)),
        refusals=tuple(one for n in REFUSALS if (one := _refusal(filled, n, known)) is not None),
    )


def require_something(filled: Filled, choice: Choice) -> None:
    """Blame a form that asks for a signature and passes nothing on."""
    if not choice.purposes:
        filled.blame("purposes", "intakes.fault-purpose")
    elif not choice.rows():
        filled.blame("m", "intakes.fault-nothing-chosen")


def count(choice: Choice) -> Mapping[str, int]:
    """Count partners and cells, as the bar at the foot says them."""
    return {"partners": len(choice.rows()), "places": sum(len(choice.given(one)) for one in choice.columns)}


def _last_day(begins: date) -> date:
    """Give the last whole day of the longest term (12 months)."""
    return day_of(default_end(start_of_day(begins))) - (end_of_day(begins) - start_of_day(begins))


def _refusal(filled: Filled, n: int, known: Collection[str]) -> Refusal | None:
    words = filled.text(f"no{n}_words", longest=2000)
    to = filled.several(f"no{n}_to", {ANY, *known})
    categories = filled.several(f"no{n}_what", {ANY, *CODE_LISTS["categories"]})
    if not (words or to or categories):
        return None
    for name, given in (("words", words), ("to", to), ("what", categories)):
        if not given:
            filled.blame(f"no{n}_{name}", f"intakes.fault-no-{name}")
    return Refusal(words=words, to=frozenset(to), categories=frozenset(categories))
