# SPDX-License-Identifier: Apache-2.0
"""The closed sets of codes, read once from `vocabulary.json`, and what the data says about them.

A list is `categories`, `recipients`, `purposes` or one of the file's `codes`. Nothing here decides: the sets
that decisions rest on (sensitive, emergency minimum, statute grounds) are data, so that a change of law is a
change of data.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from consent.errors import DocumentRefusedError

Language = Literal["ja", "en"]

_PACKAGE = "consent.vocabulary"
_DATA: Mapping[str, Any] = json.loads(files(_PACKAGE).joinpath("vocabulary.json").read_text("utf-8"))
_TOP_LISTS = ("categories", "recipients", "purposes")


def _by_code(rows: list[dict[str, str]]) -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType({row["code"]: MappingProxyType(row) for row in rows})


def _sets(rows: Mapping[str, list[str]]) -> Mapping[str, frozenset[str]]:
    return MappingProxyType({name: frozenset(codes) for name, codes in rows.items()})


VERSION: str = _DATA["version"]
CODE_LISTS: Mapping[str, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {name: _by_code(rows) for name, rows in ({n: _DATA[n] for n in _TOP_LISTS} | _DATA["codes"]).items()}
)

CATEGORIES = frozenset(CODE_LISTS["categories"])
RECIPIENTS = frozenset(CODE_LISTS["recipients"])
PURPOSES = frozenset(CODE_LISTS["purposes"])
THREATS = frozenset(CODE_LISTS["threat"])
DIFFICULTIES = frozenset(CODE_LISTS["consent_difficulty"])
SENSITIVE = frozenset(code for code, row in CODE_LISTS["categories"].items() if row["klass"] == "sensitive")
EMERGENCY_MINIMUM: frozenset[str] = frozenset(_DATA["emergency_minimum"])
EMERGENCY_APPROVER_ROLES: frozenset[str] = frozenset(_DATA["emergency_approver_roles"])
STATUTE_KINDS = _sets(_DATA["statute_kinds"])
TYPICAL_RECIPIENTS = _sets({row["code"]: row["typical"] for row in _DATA["purposes"]})
# recipient kind → category → mark of the list `offer`; a default for bundles, never a source of permission
MATRIX: Mapping[str, Mapping[str, str]] = MappingProxyType(_DATA["matrix"])
# basis → reason → remedy
REMEDIES: Mapping[str, Mapping[str, str]] = MappingProxyType(_DATA["remedies"])


def is_known(code_list: str, code: str) -> bool:
    """Tell whether the list has this code. An unknown list is a mistake of the program (KeyError)."""
    return code in CODE_LISTS[code_list]


def require_known(code_list: str, code: str, pointer: str = "") -> str:
    """Return the code if the list has it (consent.md, "Limits the code must keep").

    Raises:
        DocumentRefusedError: `unknown-code`.
    """
    if code not in CODE_LISTS[code_list]:
        raise DocumentRefusedError("unknown-code", pointer)
    return code


def label(code_list: str, code: str, language: Language) -> str:
    """Return what a person reads for a code.

    Raises:
        DocumentRefusedError: `unknown-code`.
    """
    return CODE_LISTS[code_list][require_known(code_list, code)][language]


def find_code(code_list: str, name: str) -> str | None:
    """Find the code of a Japanese name as forms write it, older names included; None when no code has it."""
    for code, row in CODE_LISTS[code_list].items():
        if name in {row["ja"], *_DATA["aliases"].get(code_list, {}).get(code, ())}:
            return code
    return None


def scope_template(name: str) -> Mapping[str, Any]:
    """Read the data of a scope template that comes with the vocabulary (`forms.read_template` checks it)."""
    data: Mapping[str, Any] = json.loads(files(_PACKAGE).joinpath("templates", f"{name}.json").read_text("utf-8"))
    return data
