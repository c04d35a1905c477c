# SPDX-License-Identifier: Apache-2.0
"""An entry of the log as an offline reader sees it: its members, read strictly, and its facts by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consent import wire
from consent.errors import DocumentRefusedError

MAX_ENTRY: Final = 256 * 1024
_MEMBERS: Final = {"v", "id", "kind", "at", "actor", "parties", "case", "subject", "facts", "blind"}
_KINDS: Final[tuple[tuple[str, Any], ...]] = (
    *((name, str) for name in ("id", "kind", "at", "actor", "blind")),
    *((name, str | None) for name in ("case", "subject")),
    ("parties", list),
    ("facts", dict),
)
_CASE: Final = b'"case":"'
_CASE_DIGITS: Final = 36


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in its place: codes, ids and hashes alone (audit-log 2)."""

    index: int
    id: str
    kind: str
    at: datetime
    actor: str
    parties: Sequence[str]
    case: str | None
    subject: str | None
    facts: "Facts"


class Facts:
    """The facts of an entry. One that is not there, or of another kind than it must be, is a DocumentRefusedError."""

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        """Take the members as parsed."""
        self._members = members

    def __contains__(self, name: str) -> bool:
        """Say whether there is such a fact."""
        return name in self._members

    def text(self, name: str) -> str:
        """Give a text."""
        value = self._members.get(name)
        if not isinstance(value, str):
            raise DocumentRefusedError("wrong-type", f"/facts/{name}")
        return value

    def text_or_none(self, name: str) -> str | None:
        """Give a text, or None where it is null or not there."""
        return None if self._members.get(name) is None else self.text(name)

    def moment(self, name: str) -> datetime:
        """Give a time."""
        return moment(self.text(name), name)

    def texts(self, name: str) -> Sequence[str]:
        """Give a list of texts."""
        value = self._members.get(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise DocumentRefusedError("wrong-type", f"/facts/{name}")
        return value

    def inner(self, name: str) -> "Facts":
        """Give facts within."""
        value = self._members.get(name)
        if not isinstance(value, dict):
            raise DocumentRefusedError("wrong-type", f"/facts/{name}")
        return Facts(value)

    def inners(self, name: str) -> "Sequence[Facts]":
        """Give a list of facts within."""
        value = self._members.get(name)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise DocumentRefusedError("wrong-type", f"/facts/{name}")
        return [Facts(each) for each in value]

    def plain(self) -> Mapping[str, Any]:
        """Give the members as parsed."""
        return self._members


def moment(text: str, name: str = "at") -> datetime:
    """Read a time with its zone.

    *Raises* DocumentRefusedError: `bad-date`.
    """
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise DocumentRefusedError("bad-date", f"/{name}") from None
    if made.tzinfo is None:
        raise DocumentRefusedError("bad-date", f"/{name}")
    return made


def read_entry(index: int, body: bytes) -> Entry:
    """Read the bytes of an entry.

    *Raises* DocumentRefusedError: they are not those of an entry.
    """
    made = wire.parse(body, limit=MAX_ENTRY)
    if made.keys() != _MEMBERS or made["v"] != 1:
        raise DocumentRefusedError("wrong-type")
    # written out: this is done a million times
    for name, kind in _KINDS:
        if not isinstance(made[name], kind):
            raise DocumentRefusedError("wrong-type", f"/{name}")
    for party in made["parties"]:
        if not isinstance(party, str):
            raise DocumentRefusedError("wrong-type", "/parties")
    return Entry(
        index=index,
        id=made["id"],
        kind=made["kind"],
        at=moment(made["at"]),
        actor=made["actor"],
        parties=made["parties"],
        case=made["case"],
        subject=made["subject"],
        facts=Facts(made["facts"]),
    )


def case_in(body: bytes) -> bytes:
    """Give the handle that an entry's bytes name, or nothing, without reading the whole: to share work out only."""
    found = body.find(_CASE)
    start = found + len(_CASE)
    return b"" if found < 0 else body[start : start + _CASE_DIGITS]
