# SPDX-License-Identifier: Apache-2.0
"""Check what was written into a sheet: a fault per field that cannot be taken, else the answer as it is kept.

A body maps a field's code to its answer: a text, a code, a list of codes, a day (ISO 8601, or as people write it while
it is a draft), a whole number, `yes` or `no`, the rows of a table. `CODE.other` holds the words of the option `other`,
`CODE.unasked` why there is no answer. Checking what was checked changes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from datetime import date
from typing import Any, Final

from connectors.base.dashes import has_odd_digits
from connectors.base.signs import is_too_long, is_unfit
from connectors.base.wareki import DayError, read_day
from connectors.sheets.definitions import OTHER, Column, Definition, Field, Kind, Option

OTHER_WORDS: Final = ".other"
UNASKED: Final = ".unasked"
WHY_UNASKED: Final = ("not_asked", "not_wished")
"""未聴取, 本人が希望しない: why a question has no answer."""
YES: Final = "yes"
NO: Final = "no"
LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 20_000
MOST_ROWS: Final = 60
_LONGEST_NUMBER: Final = 14
_MONTH: Final = 7

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a field cannot be taken: a code of the catalogue of sentences and what fills it, nothing that was written."""

    field: str
    code: str
    places: Mapping[str, str] = member(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answers that can be taken, and what is wrong with the others, in the order of the paper."""

    answers: Mapping[str, Any] = member(repr=False)
    faults: tuple[Fault, ...]


class _RefusedError(Exception):
    def __init__(self, code: str, **places: str) -> None:
        super().__init__(code)
        self.code, self.places = code, places


def check(definition: Definition, body: Body) -> Checked:
    """Check a sheet that is to be settled; nothing of the body is lost: it is an answer or has a fault."""
    return _checked(definition, body, definition.asked)


def check_after(definition: Definition, body: Body) -> Checked:
    """Check what is filled in once a sheet is settled."""
    return _checked(definition, body, tuple(one for one in definition.fields if one.after))


def keys_of(definition: Definition) -> frozenset[str]:
    """Name everything that a body of this definition may hold."""
    return frozenset(code + end for code in _codes(definition.fields) for end in ("", OTHER_WORDS, UNASKED))


def is_empty(said: Any) -> bool:
    """Say whether nothing was written: no text but white space, no row with anything in it."""
    if isinstance(said, Mapping):
        return all(is_empty(one) for one in said.values())
    if isinstance(said, list | tuple):
        return all(is_empty(one) for one in said)
    return said is None or (isinstance(said, str) and not said.strip())


def carried(old: Definition, new: Definition, answers: Body) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Take answers over into another version: give those that have a place there, and the fields that have none.

    An answer moves where the field is there and of the same kind; it is checked as everything else when settled.
    """
    places = {one.code for one in new.asked if (was := old.field(one.code)) is not None and was.kind is one.kind}
    kept, left = {}, []
    for key, said in answers.items():
        code = key.partition(".")[0]
        if code in places:
            kept[key] = said
        elif not is_empty(said):
            left.append(code)
    return kept, tuple(dict.fromkeys(left))


def _checked(definition: Definition, body: Body, fields: Sequence[Field]) -> Checked:
    answers: dict[str, Any] = {}
    faults: list[Fault] = []
    for one in fields:
        try:
            answers.update(_field(one, body))
        except _RefusedError as refused:
            faults.append(Fault(field=one.code, code=refused.code, places=refused.places))
    blamed = {one.field for one in faults}
    faults += [
        Fault(field=one.code, code="required") for one in fields if one.code not in blamed and _is_missing(one, answers)
    ]
    faults += _days_in_order(definition, answers)
    known = {code + end for code in _codes(fields) for end in ("", OTHER_WORDS, UNASKED)}
    faults += [
        Fault(field="", code="unknown-field") for key, said in body.items() if key not in known and not is_empty(said)
    ][:1]
    order = {code: n for n, code in enumerate(_codes(fields))}
    return Checked(answers=answers, faults=tuple(sorted(faults, key=lambda one: order.get(one.field, len(order)))))


def _codes(fields: Iterable[Field]) -> list[str]:
    return [one.code for one in fields]


def _is_missing(one: Field, answers: Body) -> bool:
    if one.code in answers or one.code + UNASKED in answers:
        return False
    return one.mandatory or (one.when is not None and _has_any(answers.get(one.when[0]), one.when[1]))


def _has_any(said: Any, codes: frozenset[str]) -> bool:
    return bool(codes.intersection(said if isinstance(said, list) else [said]))


def _days_in_order(definition: Definition, answers: Body) -> list[Fault]:
    if definition.order is None:
        return []
    first, last = (answers.get(one) for one in definition.order)
    wrong = first is not None and last is not None and first > last
    return [Fault(field=definition.order[1], code="days-order")] if wrong else []


def _field(one: Field, body: Body) -> dict[str, Any]:
    """Read a field with what belongs to it; nothing where nothing was written."""
    said, why, words = (body.get(one.code + end) for end in ("", UNASKED, OTHER_WORDS))
    if not is_empty(why):
        if why not in WHY_UNASKED or one.ours:
            raise _RefusedError("unknown-choice")
        if not is_empty(said) or not is_empty(words):
            raise _RefusedError("unasked-and-answered")
        return {one.code + UNASKED: why}
    made: dict[str, Any] = {} if is_empty(said) else {one.code: _answer(one, said)}
    chosen = made.get(one.code)
    has_other = one.other and OTHER in (chosen if isinstance(chosen, list) else [chosen])
    if not is_empty(words):
        if not has_other:
            raise _RefusedError("other-not-chosen")
        made[one.code + OTHER_WORDS] = _text(words, LONGEST_LINE, one_line=True)
    elif has_other:
        raise _RefusedError("other-words")
    return made


def _answer(one: Field, said: Any) -> Any:
    match one.kind:
        case Kind.CHOICES:
            return _choices(one, said)
        case Kind.TABLE:
            return _rows(one, said)
        case _:
            return _plain(one.kind, said, one.options, least=one.least, most=one.most)


def _plain(kind: Kind, said: Any, options: Sequence[Option], *, least: int, most: int) -> Any:
    if kind in {Kind.CHOICE, Kind.YES_NO}:
        return _choice(said, (YES, NO) if kind is Kind.YES_NO else [one.code for one in options])
    if kind is Kind.NUMBER:
        return _number(said, least=least, most=most)
    text = _text(said, LONGEST_TEXT if kind is Kind.TEXT else LONGEST_LINE, one_line=kind is not Kind.TEXT)
    if kind is Kind.DATE:
        return _day(text).isoformat()
    return _day(_with_a_day(text)).isoformat()[:_MONTH] if kind is Kind.MONTH else text


def _text(said: Any, longest: int, *, one_line: bool = False) -> str:
    if not isinstance(said, str):
        raise _RefusedError("unreadable")
    text = said.strip()
    if is_too_long(text, longest):
        raise _RefusedError("too-long", longest=str(longest))
    if any(is_unfit(sign) for sign in text):
        raise _RefusedError("unfit-sign")
    if one_line and any(sign in text for sign in "\n\r\t"):
        raise _RefusedError("one-line")
    return text


def _choice(said: Any, allowed: Iterable[str]) -> str:
    if not isinstance(said, str) or said not in allowed:
        raise _RefusedError("unknown-choice")
    return said


def _choices(one: Field, said: Any) -> list[str]:
    if not isinstance(said, list) or any(not isinstance(code, str) for code in said):
        raise _RefusedError("unreadable")
    ticked = frozenset(code for code in said if code)
    if not ticked <= {option.code for option in one.options}:
        raise _RefusedError("unknown-choice")
    if len(ticked) > 1 and any(option.alone and option.code in ticked for option in one.options):
        raise _RefusedError("none-and-some")
    return [option.code for option in one.options if option.code in ticked]


def _day(said: str) -> date:
    try:
        return read_day(said)
    except DayError as error:
        raise _RefusedError(error.code, **error.places) from None


def _with_a_day(said: str) -> str:
    """Write a month as its first day, in the way in which it was written."""
    plain = unicodedata.normalize("NFKC", said).strip()
    return f"{plain}1" if plain and not plain[-1].isdecimal() else f"{plain}-1"


def _number(said: Any, *, least: int, most: int) -> int:
    written = str(said) if isinstance(said, int) and not isinstance(said, bool) else said
    if not isinstance(written, str):
        raise _RefusedError("unreadable")
    plain = unicodedata.normalize("NFKC", written).strip().replace(",", "")
    # ² and ① would become digits above, and nobody means a number by them
    digits = not has_odd_digits(written) and plain.isascii() and plain.isdigit() and len(plain) <= _LONGEST_NUMBER
    if not digits or not least <= int(plain) <= most:
        raise _RefusedError("number", least=str(least), most=str(most))
    return int(plain)


def _rows(one: Field, said: Any) -> list[dict[str, Any]]:
    if not isinstance(said, list) or any(not isinstance(row, Mapping) for row in said):
        raise _RefusedError("unreadable")
    rows = [row for row in said if not is_empty(row)]
    if len(rows) > MOST_ROWS:
        raise _RefusedError("too-many-rows", most=str(MOST_ROWS))
    return [_row(one.columns, row, n) for n, row in enumerate(rows, start=1)]


def _row(columns: Sequence[Column], row: Mapping[str, Any], n: int) -> dict[str, Any]:
    if any(key not in {one.code for one in columns} and not is_empty(said) for key, said in row.items()):
        raise _RefusedError("unreadable")
    made = {}
    for one in columns:
        said = row.get(one.code)
        if is_empty(said):
            if one.mandatory:
                raise _RefusedError("row-incomplete", row=str(n))
            continue
        try:
            made[one.code] = _plain(one.kind, said, one.options, least=one.least, most=one.most)
        except _RefusedError:
            raise _RefusedError("row-unreadable", row=str(n)) from None
    return made
