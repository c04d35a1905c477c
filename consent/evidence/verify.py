# SPDX-License-Identifier: Apache-2.0
"""Verify a bundle offline (audit-log.md §7), in one pass, or in several at once over a large file.

With several, each process reads the whole file and checks the entries of its share of the cases; entries that concern
all (agencies, keys, meetings) are followed by each and reported by the first, which also walks along the tree.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, Final

from consent.errors import BundleRefusedError, LogRefusedError, TsunagiError
from consent.evidence import bundle, entries
from consent.evidence.bundle import End, Head, Leaves, Logged, Note, Told
from consent.evidence.findings import Code, Finding, Findings, exit_code
from consent.evidence.ledger import Counts, Ledger, Open
from consent.evidence.statement import Disclosure
from consent.evidence.walk import Quorum, Walk
from consent.tlog.notes import Checkpoint, Verifier, read_note
from consent.tlog.policy import Policy, quorum

Progress = Callable[[int, int], None]
"""Told how many bytes of how many were read."""

LARGE: Final = 4 * 1024 * 1024
"""From this size in bytes on a file is worth several processes."""
_STRIDE: Final = 4096
_MEETING: Final = b'"kind":"meeting:'


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """What the reader has from elsewhere: the log's key as told on paper, checkpoints seen before (verified), and the
    policy that says which witnesses are enough.
    """

    log: Verifier | None = None
    known: Sequence[Checkpoint] = ()
    policy: Policy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. `findings`: the gravest first, then by index; of each code no more than `findings.KEPT`."""

    head: Head | None
    checkpoints: int
    newest: Checkpoint | None
    counts: Counts
    findings: tuple[Finding, ...]
    found: Counter[Code]
    open_receipts: Open
    open_purges: Open
    overdue_purges: Open
    disclosures: tuple[Disclosure, ...]

    @property
    def exit_code(self) -> int:
        """Give 0 sound, 1 tampered, 2 policy breach, 3 incomplete."""
        return exit_code(self.found)


@dataclass(slots=True, kw_only=True)
class _Share:
    """What one process found in its share of the work."""

    head: Head | None
    walk: tuple[int, Checkpoint | None]
    counts: Counts
    found: Findings
    open_receipts: Open
    open_purges: Open
    overdue_purges: Open
    disclosures: tuple[Disclosure, ...]


def verify(
    path: Path,
    trusted: Trusted | None = None,
    *,
    case: str | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Verify the bundle in a file; `case`: also gather who received what of that handle.

    *Raises* OSError: the file cannot be read.
    """
    trusted = trusted or Trusted()
    if processes < 2 or path.stat().st_size < LARGE:  # noqa: PLR2004 - one is enough
        return _report([_work(path, trusted, case, 0, 1, progress)])
    with ProcessPoolExecutor(processes - 1, mp_context=get_context("spawn")) as pool:
        # what is trusted is for the tree, which the first walks along
        others = [pool.submit(_work, path, Trusted(), case, share, processes) for share in range(1, processes)]
        first = _work(path, trusted, case, 0, processes, progress)
        return _report([first, *(other.result() for other in others)])


def verify_stream(stream: BinaryIO, trusted: Trusted | None = None, *, case: str | None = None) -> Report:
    """Verify a bundle that is no file, in one pass."""
    return _report([_pass(stream, trusted or Trusted(), case, 0, 1, lambda: None)])


def _work(
    path: Path, trusted: Trusted, case: str | None, share: int, shares: int, progress: Progress | None = None
) -> _Share:
    size = path.stat().st_size
    with path.open("rb") as stream:

        def tell() -> None:
            if progress is not None:
                progress(stream.tell(), size)

        return _pass(stream, trusted, case, share, shares, tell)


class _Pass:
    """One way through a bundle."""

    def __init__(self, trusted: Trusted, case: str | None, share: int, shares: int) -> None:
        self.found = Findings()
        self.head: Head | None = None
        self.walk: Walk | None = None
        self.ledger: Ledger | None = None
        self._elsewhere = Findings()
        self._trusted, self._case, self._share, self._shares = trusted, case, share, shares
        self._place = self._entries = 0

    def begin(self, head: Head) -> None:
        """Take the head of the bundle."""
        self.head = head
        try:
            log = Verifier.read(head.log)
            self.ledger = Ledger(head, self.found, case=self._case)
        except TsunagiError:
            raise BundleRefusedError("malformed-bundle") from None
        paper = self._trusted.log
        if paper is not None and paper.text() != log.text():
            self.found.add(Code.LOG_KEY_DIFFERS, 0)
            log = paper
        if self._share == 0:
            whole = head.holder == bundle.EVERYTHING
            self.walk = Walk(log, self._trusted.known, self.found, whole=whole, quorum=self._quorum(head))

    def _quorum(self, head: Head) -> Quorum | None:
        """Make the question whether enough witnesses cosigned a checkpoint, as of when the bundle was made."""
        policy = self._trusted.policy
        if policy is None:
            return None

        def reached(text: str) -> bool:
            try:
                return quorum(read_note(text), policy, now=head.made_at).is_reached
            except LogRefusedError:
                return False

        return reached

    def take(self, line: bundle.Line) -> None:
        """Take a line after the head."""
        match line:
            case Logged():
                self._place = line.index + 1
                self._entries += 1
                if self.walk is not None:
                    self.walk.entry(line.index, line.body)
                self._entry(line)
            case Leaves() if self.walk is not None:
                self.walk.leaves(line)
            case Note() if self.walk is not None:
                self.walk.checkpoint(line.text)
            case End() if self.walk is not None:
                if (line.entries, line.checkpoints) != (self._entries, self.walk.checkpoints):
                    self.found.add(Code.BUNDLE_TRUNCATED, self._place)
            case Told() if self.ledger is not None:
                self.ledger.told(line)
            case Head():
                raise BundleRefusedError("malformed-bundle")

    def broken(self, error: BundleRefusedError) -> None:
        """Note that the bundle could not be read to its end."""
        code = Code.BUNDLE_TRUNCATED if error.code == "truncated-bundle" else Code.BUNDLE_MALFORMED
        if self._share == 0:
            self.found.add(code, self._place)

    def _entry(self, line: Logged) -> None:
        ledger = self.ledger
        if ledger is None:
            return
        handle = entries.case_in(line.body)
        everybodys = not handle or _MEETING in line.body
        if self._shares > 1 and not everybodys and hash_of(handle) % self._shares != self._share:
            return
        ledger.found = self._elsewhere if everybodys and self._share else self.found
        try:
            ledger.take(entries.read_entry(line.index, line.body), line.read_documents())
        except (TsunagiError, ValueError, TypeError):
            ledger.found.add(Code.ENTRY_MALFORMED, line.index)


def hash_of(handle: bytes) -> int:
    """Share cases out evenly: handles are random."""
    return int.from_bytes(handle[:8])


def _pass(
    stream: BinaryIO, trusted: Trusted, case: str | None, share: int, shares: int, tell: Callable[[], None]
) -> _Share:
    made = _Pass(trusted, case, share, shares)
    try:
        for number, line in enumerate(bundle.read(stream)):
            if not number and isinstance(line, Head):
                made.begin(line)
            else:
                made.take(line)
            if number % _STRIDE == 0:
                tell()
    except BundleRefusedError as error:
        made.broken(error)
    if made.walk is not None and made.head is not None:
        made.walk.end(made.head.size)
    return _share(made)


def _share(made: _Pass) -> _Share:
    nothing = Open(count=0, first=())
    ledger, walk = made.ledger, made.walk
    return _Share(
        head=made.head,
        walk=(0, None) if walk is None else (walk.checkpoints, walk.newest),
        counts=Counts() if ledger is None else ledger.counts,
        found=made.found,
        open_receipts=nothing if ledger is None else ledger.open_receipts(),
        open_purges=nothing if ledger is None else ledger.open_purges(),
        overdue_purges=nothing if ledger is None else ledger.overdue_purges(),
        disclosures=() if ledger is None else tuple(ledger.statement),
    )


def _report(shares: Sequence[_Share]) -> Report:
    found = Findings()
    for share in shares:
        found.join(share.found)
    checkpoints, newest = shares[0].walk
    return Report(
        head=shares[0].head,
        checkpoints=checkpoints,
        newest=newest,
        counts=_sum([share.counts for share in shares]),
        findings=tuple(sorted(found.kept, key=lambda one: (one.grade, one.index, one.code))),
        found=found.counts,
        open_receipts=_join([share.open_receipts for share in shares]),
        open_purges=_join([share.open_purges for share in shares]),
        overdue_purges=_join([share.overdue_purges for share in shares]),
        disclosures=tuple(sorted((one for share in shares for one in share.disclosures), key=lambda one: one.index)),
    )


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(**{name: sum(getattr(one, name) for one in counts) for name in Counts.__slots__})


def _join(opens: Sequence[Open]) -> Open:
    first = sorted(index for one in opens for index in one.first)
    return Open(count=sum(one.count for one in opens), first=tuple(first))
