# SPDX-License-Identifier: Apache-2.0
"""What the paper form 相談受付・申込票 asks, and how its numbers are read. Pure; nothing of names is folded."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

from connectors.base.dashes import fold_dashes, has_odd_digits
from connectors.base.labels import codes
from consent.scopes import ORAL_TERM

SEXES: Final = ("1", "2", "3", "unsaid")
"""As the form numbers them, and "does not wish to say"."""
RELATIONS: Final = ("family", "other")
ADDRESS_FACTS: Final = ("no_fixed", "not_as_registered", "protected")
TOPICS: Final = tuple(codes("trouble"))
"""The sixteen topics in the order of the paper (domain §2, 【1】); their words are labels of `connectors.base`."""
ASKED: Final = (
    "kana", "name", "sex", "born_on", "postal", "address", "phone_home", "phone_mobile", "email", "safe_contact",
    "topics", "words",
)  # fmt: skip
"""What may be left open: not asked yet, or the person does not wish to say."""
ORAL_DAYS: Final = ORAL_TERM.days

_POSTAL: Final = re.compile(r"(\d{3})-?(\d{4})", re.ASCII)
_PHONE: Final = re.compile(r"\+?[\d\-() ]+", re.ASCII)
_PHONE_DIGITS: Final = range(4, 16)
_EMAIL: Final = re.compile(r"[^@\s\"<>(),:;\\]+@[^@\s\"<>(),:;\\.]+(\.[^@\s\"<>(),:;\\.]+)+")
_HALF_KANA: Final = re.compile("[\uff65-\uff9f]+")


def read_postal(written: str) -> str | None:
    """Read a postal code, whatever the width and the dash, with or without its mark: `123-4567`, or none."""
    found = _POSTAL.fullmatch(_plain(written).lstrip("\u3012\u3020").strip())
    return f"{found[1]}-{found[2]}" if found else None


def read_phone(written: str) -> str | None:
    """Read a telephone number with its dashes as they were put, in plain digits; none where it is no number."""
    plain = _plain(written)
    digits = sum(sign.isdigit() for sign in plain)
    return plain if _PHONE.fullmatch(plain) and digits in _PHONE_DIGITS else None


def read_email(written: str) -> str | None:
    """Read an e-mail address, full-width letters too; none where it is none."""
    plain = unicodedata.normalize("NFKC", written).strip()
    return plain if _EMAIL.fullmatch(plain) else None


def read_kana(written: str) -> str:
    """Give a reading as it was written; half-width カナ alone becomes full-width, which is the same reading."""
    return _HALF_KANA.sub(lambda run: unicodedata.normalize("NFKC", run[0]), written)


def last_oral_day(spoken_on: date) -> date:
    """Give the last day on which a word of mouth counts (consent.md: 14 days)."""
    return spoken_on + timedelta(days=ORAL_DAYS)


def days_left(spoken_on: date, today: date) -> int:
    """Count the days that an oral consent still counts, today among them; 0 when it is over."""
    return max(0, (last_oral_day(spoken_on) - today).days)


def _plain(written: str) -> str:
    # \u00b2 or \u2460 would become digits, and nobody means a number by them
    return "" if has_odd_digits(written) else fold_dashes(unicodedata.normalize("NFKC", written)).strip()
