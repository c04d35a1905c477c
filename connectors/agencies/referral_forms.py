# SPDX-License-Identifier: Apache-2.0
"""The referral form each kind of agency asks for, as data, and how answers become parts (domain §5).

A kind without a form of its own gets the general one: every field, none required. A form says what a recipient
usually needs; what may be sent is decided by consent alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

KINDS_WITH_A_FORM: Final = ("jiritsu", "fukushi_jimusho", "shakyo", "houterasu", "jichitai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question of a form and the consent category its answer belongs to."""

    code: str
    category: str
    ja: str
    en: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralForm:
    """What one kind of agency asks for. `purposes` are those it usually takes."""

    kind: str
    version: str
    ja: str
    en: str
    purposes: tuple[str, ...]
    fields: tuple[Field, ...]


@cache
def referral_form(kind: str) -> ReferralForm:
    """Give the form of a kind of agency (a recipient code of the vocabulary)."""
    known = {item["code"]: item for item in _data("fields")["fields"]}
    if kind not in KINDS_WITH_A_FORM:
        codes = [(code, False) for code in known]
        return _form(_data("general") | {"kind": kind}, codes, known)
    own = _data(kind)
    codes = [(code, True) for code in own["required"]] + [(code, False) for code in own["optional"]]
    return _form(own, codes, known)


def fill(form: ReferralForm, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Fill a form from what is known by category: one body per category that has at least one answer.

    A body is UTF-8 JSON `{form, version, answers: [{field, ja, value}]}`; values stay byte for byte as written.
    """
    bodies: dict[str, bytes] = {}
    for category in dict.fromkeys(field.category for field in form.fields):
        told = answers.get(category, {})
        given = [
            {"field": field.code, "ja": field.ja, "en": field.en, "value": told[field.code]}
            for field in form.fields
            if field.category == category and told.get(field.code) not in (None, "")
        ]
        if given:
            body = {"form": form.kind, "version": form.version, "answers": given}
            bodies[category] = json.dumps(body, ensure_ascii=False).encode("utf-8")
    return bodies


def missing(form: ReferralForm, answers: Mapping[str, Mapping[str, Any]]) -> tuple[Field, ...]:
    """Give the fields the recipient cannot do without and that nobody has answered yet."""
    return tuple(
        field
        for field in form.fields
        if field.required and answers.get(field.category, {}).get(field.code) in (None, "")
    )


def _form(own: Mapping[str, Any], codes: list[tuple[str, bool]], known: Mapping[str, Any]) -> ReferralForm:
    fields = tuple(
        Field(
            code=code,
            category=known[code]["category"],
            ja=known[code]["ja"],
            en=known[code]["en"],
            required=required,
        )
        for code, required in codes
    )
    return ReferralForm(
        kind=own["kind"],
        version=own["version"],
        ja=own["ja"],
        en=own["en"],
        purposes=tuple(own.get("purposes", ())),
        fields=fields,
    )


def _data(name: str) -> Any:
    return json.loads(files("connectors.agencies").joinpath(f"{name}.json").read_text(encoding="utf-8"))
