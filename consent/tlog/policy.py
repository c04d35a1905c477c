# SPDX-License-Identifier: Apache-2.0
"""Which witnesses a log answers to, and when enough of them have seen a state of it (C2SP tlog-policy).

The file is C2SP's own format, so that tools that are not ours read it too, and stricter: one log; each witness's
name says who runs it (`officer:`, `agency:`, `outside:`); nobody is witness of his own log; and no quorum is
reached without a witness that an agency runs (audit-log 3).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NoReturn

from consent.errors import LogRefusedError
from consent.tlog import notes
from consent.tlog.notes import Checkpoint, Note, Verifier

MAX_POLICY: Final = 64 * 1024
MAX_WITNESSES: Final = 32
AHEAD: Final = timedelta(minutes=5)
"""How far a witness's clock may be ahead of ours."""
LONGEST: Final = timedelta(days=7)
"""For how long a cosignature says anything: a log at rest is cosigned anew every hour."""
_LOWEST_SIGN: Final = " "
_DELETE: Final = "\x7f"
_MAX_DIGITS: Final = 2


class Keeper(StrEnum):
    """Who runs a witness."""

    OFFICER = "officer"
    AGENCY = "agency"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness of the policy: its name there, who runs it, its key, and where it is asked (submission prefix)."""

    name: str
    keeper: Keeper
    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A cosignature that counts: whose, and as of when."""

    witness: Witness
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """Who cosigned a checkpoint, whether that is enough, and since when (`as_of`: the moment that enough stand for)."""

    checkpoint: Checkpoint
    cosigned: tuple[Cosigned, ...]
    as_of: datetime | None

    @property
    def is_reached(self) -> bool:
        """Whether enough witnesses cosigned."""
        return self.as_of is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A log, its witnesses, and the rule of the quorum: `groups` are (threshold, members) by name."""

    log: Verifier
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(repr=False)
    quorum: str

    def is_satisfied_by(self, names: Collection[str]) -> bool:
        """Say whether these witnesses, named as the policy names them, are a quorum."""
        return self._has_seen(self.quorum, names)

    def _has_seen(self, name: str, names: Collection[str]) -> bool:
        if name not in self.groups:
            return name in names
        threshold, members = self.groups[name]
        return sum(self._has_seen(member, names) for member in members) >= threshold


def read_policy(text: str) -> Policy:
    """Read a witness policy file.

    Raises:
        LogRefusedError: `malformed-policy`, with the line as pointer; `self-witness`, a witness has the log's key
            (LOG-11); `quorum-without-agency`, the quorum can be reached without a witness that an agency runs.
    """
    if len(text) > MAX_POLICY or not text.endswith("\n"):
        _refuse(0)
    reading = _Reading()
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        if any((sign < _LOWEST_SIGN and sign != "\t") or sign == _DELETE for sign in line):
            _refuse(number)
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if words and not words[0].startswith("#"):
            reading.take(number, words)
    return reading.policy()


def quorum(note: Note, policy: Policy, *, now: datetime) -> Quorum:
    """Say which cosignatures of a checkpoint count, and whether they are enough.

    Of a witness the newest counts; one from the future or older than a week counts for nothing (LOG-12), and
    so does a signature that is wrong or by nobody we know.

    Raises:
        LogRefusedError: `malformed-note`, `bad-signature`: it is no checkpoint that the policy's log signed.
    """
    checkpoint = notes.open_checkpoint(note.write(), policy.log)
    found: list[Cosigned] = []
    for witness in policy.witnesses:
        at = _cosigned_at(note, witness.verifier)
        if at is not None and now - LONGEST < at <= now + AHEAD:
            found.append(Cosigned(witness=witness, at=at))
    found.sort(key=lambda one: one.at, reverse=True)
    names: list[str] = []
    as_of = None
    for one in found:
        names.append(one.witness.name)
        if as_of is None and policy.is_satisfied_by(names):
            as_of = one.at
    return Quorum(checkpoint=checkpoint, cosigned=tuple(found), as_of=as_of)


def _cosigned_at(note: Note, witness: Verifier) -> datetime | None:
    """Verify each line of a witness by itself: one that cosigned again later is no witness less."""
    times = []
    for line in note.signatures:
        if (line.name, line.key_id) == (witness.name, witness.key_id):
            try:
                times.append(notes.cosigned_at(Note(note.text, (line,)), witness))
            except LogRefusedError:
                continue
    return max(times, default=None)


class _Reading:
    """What was read of a policy so far."""

    def __init__(self) -> None:
        self._log: Verifier | None = None
        self._witnesses: dict[str, Witness] = {}
        self._groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._quorum: str | None = None
        self._used: set[str] = set()

    def take(self, number: int, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _] if self._log is None:
                self._log = _verifier(number, key, cosigns=False)
            case ["witness", name, key]:
                self._add_witness(number, name, key, None)
            case ["witness", name, key, url]:
                self._add_witness(number, name, key, url)
            case ["group", name, threshold, *members] if members:
                self._add_group(number, name, threshold, members)
            case ["quorum", name] if self._quorum is None and name in self._known:
                self._quorum = name
            case _:
                _refuse(number)

    def policy(self) -> Policy:
        if self._log is None or self._quorum is None:
            _refuse(0)
        made = Policy(
            log=self._log, witnesses=tuple(self._witnesses.values()), groups=self._groups, quorum=self._quorum
        )
        log_key = made.log.native.public_bytes_raw()
        if any(one.verifier.native.public_bytes_raw() == log_key for one in made.witnesses):
            raise LogRefusedError("self-witness")
        if made.is_satisfied_by([one.name for one in made.witnesses if one.keeper is not Keeper.AGENCY]):
            raise LogRefusedError("quorum-without-agency")
        return made

    @property
    def _known(self) -> Collection[str]:
        return {*self._witnesses, *self._groups}

    def _add_witness(self, number: int, name: str, key: str, url: str | None) -> None:
        keeper, colon, rest = name.partition(":")
        verifier = _verifier(number, key, cosigns=True)
        keys = {one.verifier.native.public_bytes_raw() for one in self._witnesses.values()}
        if not (colon and rest) or keeper not in set(Keeper) or name in self._known:
            _refuse(number)
        if verifier.native.public_bytes_raw() in keys or len(self._witnesses) == MAX_WITNESSES:
            _refuse(number)
        if url is not None and not url.startswith(("https://", "http://")):
            _refuse(number)
        self._witnesses[name] = Witness(name=name, keeper=Keeper(keeper), verifier=verifier, url=url)

    def _add_group(self, number: int, name: str, threshold: str, members: list[str]) -> None:
        # C2SP lets a name stand in one group and once: nobody counts twice
        fresh = len(set(members)) == len(members) and not self._used.intersection(members)
        if name in {*self._known, "none"} or not fresh or not set(members) <= set(self._known):
            _refuse(number)
        least = {"any": 1, "all": len(members)}.get(threshold)
        if least is None:
            written = threshold.isascii() and threshold.isdecimal() and len(threshold) <= _MAX_DIGITS
            least = int(threshold) if written and not threshold.startswith("0") else 0
        if not 1 <= least <= len(members) or len(self._groups) == MAX_WITNESSES:
            _refuse(number)
        self._used.update(members)
        self._groups[name] = (least, tuple(members))


def _verifier(number: int, key: str, *, cosigns: bool) -> Verifier:
    try:
        made = Verifier.read(key)
    except LogRefusedError:
        _refuse(number)
    if made.cosigns != cosigns:
        _refuse(number)
    return made


def _refuse(line: int) -> NoReturn:
    raise LogRefusedError("malformed-policy", f"/{line}" if line else "")
