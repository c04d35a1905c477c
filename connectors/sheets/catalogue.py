# SPDX-License-Identifier: Apache-2.0
"""Which sheets there are: the national ones that come with the program, further versions, a municipality's own fields.

An overlay is data too: `{sheet, id, version, fields: [{section, …}], options: [{field, …}]}`. What it adds is named
`own_…`, so that no later national version can mean something else by the same code. A sheet keeps the name of the
definition it was filled in by, overlay included, and is read by that one for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.base.errors import ConnectorError
from connectors.sheets.definitions import (
    OTHER,
    Definition,
    DefinitionError,
    Field,
    Kind,
    Option,
    checked_code,
    checked_version,
    read_definition,
    read_field,
    read_option,
)

ORDER: Final = ("tip", "triage", "assessment", "progress", "plan", "monitoring", "review")
"""The national sheets in the order of the thirteen steps; what else comes stands after them."""
OWN: Final = "own_"
"""How the codes begin that a municipality adds."""
_PLUS: Final = "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A municipality's own fields and options of one sheet. `fields`: by section; `options`: by field."""

    sheet: str
    id: str
    version: str
    fields: tuple[tuple[str, Field], ...]
    options: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def name(self) -> str:
        """How a definition names it."""
        return f"{self.id}-{self.version}"


class Catalogue:
    """Every definition that this agency knows, those it may fill in and those it has filled in before."""

    def __init__(self, definitions: Iterable[Definition], overlays: Iterable[Overlay] = ()) -> None:
        """Take definitions and overlays, the newest last."""
        self._definitions = {(one.code, one.version): one for one in definitions}
        self._overlays = {(one.sheet, one.name): one for one in overlays}

    def codes(self) -> list[str]:
        """Name the sheets in their order."""
        known = dict.fromkeys(code for code, _ in self._definitions)
        return [code for code in ORDER if code in known] + [code for code in known if code not in ORDER]

    def newest(self, code: str) -> Definition:
        """Give the version of a sheet that is filled in from now on, with the municipality's newest own fields.

        *Raises* `ConnectorError("sheet-definition-unknown")`.
        """
        found = [one for one in self._definitions.values() if one.code == code]
        if not found:
            raise ConnectorError("sheet-definition-unknown")
        base = max(found, key=lambda one: one.version)
        own = self.newest_overlay(code)
        return applied(base, own) if own else base

    def newest_overlay(self, code: str) -> Overlay | None:
        """Give the own fields of a sheet that are in use."""
        return next((one for one in reversed(self._overlays.values()) if one.sheet == code), None)

    def find(self, code: str, version: str) -> Definition:
        """Give the version by which a sheet was filled in.

        *Raises* `ConnectorError("sheet-definition-unknown")`.
        """
        base_version, _, overlay = version.partition(_PLUS)
        base = self._definitions.get((code, base_version))
        own = self._overlays.get((code, overlay)) if overlay else None
        if base is None or (overlay and own is None):
            raise ConnectorError("sheet-definition-unknown")
        return applied(base, own) if own else base


@cache
def national() -> tuple[Definition, ...]:
    """Give the definitions that come with the program."""
    folder = files("connectors.sheets").joinpath("definitions")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".json")), key=lambda one: one.name)
    return tuple(read_definition(json.loads(one.read_text(encoding="utf-8"))) for one in found)


def read_overlay(data: Any) -> Overlay:
    """Read a municipality's own fields.

    *Raises* `DefinitionError`: it is no overlay, or a code of it does not begin with `own_`.
    """
    try:
        fields = tuple((str(one["section"]), read_field(one, own=True)) for one in data.get("fields", ()))
        options = tuple((str(one["field"]), dict(one)) for one in data.get("options", ()))
        made = Overlay(
            sheet=checked_code(data["sheet"], "/sheet"),
            id=checked_version(data["id"], "/id"),
            version=checked_version(data["version"], "/version"),
            fields=fields,
            options=options,
        )
    except (KeyError, TypeError, AttributeError):
        raise DefinitionError("/") from None
    coded = [one.code for _, one in fields] + [checked_code(one.get("code"), "/options") for _, one in options]
    if not coded or any(not code.startswith(OWN) for code in coded):
        raise DefinitionError("/own")
    return made


def applied(base: Definition, overlay: Overlay) -> Definition:
    """Give a definition with a municipality's own fields and options in it.

    *Raises* `DefinitionError`: a section or field that this version does not have, a code twice.
    """
    sections = {section.code for section in base.sections}
    if any(section not in sections for section, _ in overlay.fields):
        raise DefinitionError("/fields/section")
    known = {one.code: one for one in base.fields}
    added: dict[str, list[Option]] = {}
    for name, data in overlay.options:
        target = known.get(name)
        if target is None or target.kind not in {Kind.CHOICE, Kind.CHOICES}:
            raise DefinitionError("/options/field")
        added.setdefault(name, []).append(read_option(data, target.category))
    changed = tuple(
        replace(
            section,
            fields=(
                *(replace(one, options=_before_last(one.options, added.get(one.code, ()))) for one in section.fields),
                *(one for name, one in overlay.fields if name == section.code),
            ),
        )
        for section in base.sections
    )
    made = replace(base, version=f"{base.version}{_PLUS}{overlay.name}", sections=changed)
    codes = [one.code for one in made.fields]
    doubled = any(len({one.code for one in each.options}) < len(each.options) for each in made.fields)
    if doubled or len(set(codes)) < len(codes):
        raise DefinitionError("/own")
    return made


def _before_last(options: tuple[Option, ...], added: Sequence[Option]) -> tuple[Option, ...]:
    """Put own options before `other` and `none` where these stand last, as on paper."""
    last = len(options)
    while last and (options[last - 1].code == OTHER or options[last - 1].alone):
        last -= 1
    return (*options[:last], *added, *options[last:])
