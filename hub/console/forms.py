# SPDX-License-Identifier: Apache-2.0
"""Reading what was filled in at the console: codes of closed lists, numbers of files, days; never a sentence."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask import request

from hub.base.errors import HubError, InvalidError
from hub.console.visits import Visit
from hub.web import problems

Code = TypeVar("Code", bound=StrEnum)
LONGEST_NUMBER = 6


def chosen(codes: type[Code], field: str) -> Code:
    """Read a code of a closed list from the form.

    *Raises* InvalidError: choose-one.
    """
    try:
        return codes(request.form.get(field, ""))
    except ValueError as error:
        raise InvalidError("choose-one", pointer=f"/{field}") from error


def reference() -> str | None:
    """Read the number of a file from the form, or nothing."""
    return request.form.get("reference", "").strip() or None


def refusal(visit: Visit, error: HubError) -> str:
    """Say in a sentence why a deed was refused; what was typed is not repeated.

    *Raises* the error itself where it has no sentence for a form.
    """
    if error.status not in {409, 422}:
        raise error
    return problems.catalogue()[error.code].detail[visit.language]


def day(field: str, *, form: bool = True) -> date:
    """Read a day as browsers write one (YYYY-MM-DD).

    *Raises* InvalidError: bad-day.
    """
    given = (request.form if form else request.args).get(field, "").strip()
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise InvalidError("bad-day", pointer=f"/{field}") from error


def number(field: str) -> int:
    """Read a whole number.

    *Raises* InvalidError: bad-number.
    """
    given = request.form.get(field, "").strip()
    if not given.isascii() or not given.isdigit() or len(given) > LONGEST_NUMBER:
        raise InvalidError("bad-number", pointer=f"/{field}")
    return int(given)
