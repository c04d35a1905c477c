# SPDX-License-Identifier: Apache-2.0
"""Keep the log as one worker does: sign nothing before the witnesses have been asked, copy before they see it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from consent.errors import LogRefusedError
from consent.tlog.policy import read_policy
from hub.audit import jobs, reads
from hub.audit.mirroring import MirrorError
from hub.audit.reads import Recovery
from hub.audit.sending import Line
from hub.audit.sequencer import Signer
from hub.audit.witnessing import Asking, Round
from hub.base.config import Settings
from hub.base.db import Database
from hub.base.errors import ConfigurationError

LOOK_EVERY: Final = 10.0
"""Seconds between two looks whether witnesses are to be asked; they are asked at most once a minute."""
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """The log's databases (of the sequencer and of the worker), its signer, its witnesses and its mirror."""

    seq: Database
    jobs: Database
    signer: Signer
    asking: Asking | None = None
    mirror: Path | None = None
    pace: "Pace" = field(default_factory=lambda: Pace(LOOK_EVERY))
    agreed: threading.Event = field(default_factory=threading.Event)
    """Set once enough witnesses have seen no more and nothing else than what the database holds."""

    def sequence(self) -> int:
        """Put what is pending into the log; return how many entries went in.

        Where there are witnesses nothing is signed before enough of them have answered: a database that was put back
        to an older state would fork the log.

        *Raises* LogDamagedError.
        """
        if self.asking is not None and not self.agreed.is_set():
            if not self.pace.is_time():
                return 0
            jobs.begin(self.seq, self.signer)
            self.ask_witnesses()
            if not self.agreed.is_set():
                return 0
        return jobs.sequence(self.seq, self.signer)

    def ask_witnesses(self) -> Round | None:
        """Copy the log to the mirror, then ask the witnesses; None where that cannot be done.

        While the log is being recovered they are asked all the same: their word ends it.
        """
        if self.asking is None or not self._mirrored():
            return None
        found = jobs.ask_witnesses(self.jobs, self.asking)
        if found is not None and found.is_enough and not found.against:
            self.agreed.set()
        return found

    def keep_asking(self, stop: threading.Event, guarded: Callable[[str, Callable[[], object]], bool]) -> None:
        """Have the log cosigned until *stop* is set, in a thread of its own: a slow witness holds up nobody."""

        def ask() -> None:
            if jobs.is_due(self.jobs):
                self.ask_witnesses()

        while self.asking is not None and not stop.wait(LOOK_EVERY):
            guarded("witnesses:failed", ask)

    def recovery(self) -> Recovery | None:
        """Tell why the log is being recovered; None as long as all is well."""
        with self.jobs.transaction(None) as session:
            return reads.recovery(session)

    def erase(self) -> int:
        """Take away the bytes of entries whose erasure is in the log."""
        return jobs.erase(self.seq)

    def _mirrored(self) -> bool:
        """Bring the mirror up to date and say whether witnesses may be asked: they see nothing that it does not hold.

        One that is ahead of the database has begun a recovery, which only the witnesses' word can end.
        """
        if self.mirror is None:
            return True
        try:
            jobs.mirror(self.seq, self.jobs, self.mirror, self.signer)
        except MirrorError as failed:
            log.warning("mirror:failed", code=failed.code, place=failed.place)
            return False
        except OSError:
            log.warning("mirror:failed", code="unwritable")
            return False
        return True


class Pace:
    """Says when it is time again, at once and then every so many seconds."""

    def __init__(self, seconds: float) -> None:
        """Take how long to wait in between."""
        self._seconds = seconds
        self._next = float("-inf")

    def is_time(self) -> bool:
        """Say whether it is time; asked again at once, it is not."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


def asking_of(settings: Settings, signer: Signer) -> Asking | None:
    """Read the witness policy that the settings name.

    *Raises* ConfigurationError: it cannot be read, or is about another log than ours.
    """
    if settings.witnesses is None:
        return None
    try:
        policy = read_policy(settings.witnesses.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("witnesses-unreadable", file=settings.witnesses) from None
    except LogRefusedError as refused:
        place = refused.pointer.removeprefix("/") or "-"
        raise ConfigurationError("witnesses-bad", file=settings.witnesses, rule=refused.code, line=place) from None
    if policy.log.text() != signer.verifier.text():
        raise ConfigurationError("witnesses-other-log", file=settings.witnesses, line=signer.verifier.text())
    plain = [one for one in policy.witnesses if one.url is not None and not one.url.startswith("https://")]
    if settings.production and any(urlsplit(one.url or "").hostname not in _HERE for one in plain):
        # what a witness refuses with is not signed: whoever sits on the line could say that it has seen more
        raise ConfigurationError("witnesses-not-https", file=settings.witnesses)
    return Asking(policy=policy, line=Line())
