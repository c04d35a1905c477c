# SPDX-License-Identifier: Apache-2.0
"""`tsunagi audit verify`: check a bundle of the log offline; who received what, as a bundle has it.

Needs no hub, no folder and no agency: `consent.evidence` and the file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from connectors.base.errors import ConnectorError
from connectors.casebook import disclosed
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, argument, option, verb
from connectors.cli.saying import Said
from connectors.sync.connector import Connector
from consent.errors import TsunagiError
from consent.evidence import records
from consent.evidence.compare import compare
from consent.evidence.findings import Finding
from consent.evidence.records import Holder, Records
from consent.evidence.statement import Disclosure
from consent.evidence.verify import Report, Trusted, verify
from consent.tlog import notes
from consent.tlog.notes import Checkpoint, Verifier
from consent.tlog.policy import Policy, read_policy

audit: Final = Noun("audit")

EXIT_NOT_CHECKED: Final = 5
"""Nothing was checked: 1 to 3 are what a check has found."""
_SHOWN: Final = 20
_PERCENT: Final = 100


class NotCheckedError(CliError):
    """The check could not begin: the bundle, a key or a checkpoint given cannot be read."""

    exit_code = EXIT_NOT_CHECKED


@verb(
    audit,
    "verify",
    argument("bundle"),
    option("--key"),
    option("--seen", many=True),
    option("--policy"),
    option("--processes", click.IntRange(1, 64)),
)
def verify_bundle(
    desk: Desk, *, bundle: str, key: str | None, seen: Sequence[str], policy: str | None, processes: int | None
) -> Said:
    """Verify a bundle: tree, checkpoints, signatures, and each decision made again."""
    report = check(desk, bundle, key, seen, policy=policy, processes=processes)
    return Said(document=document(report), lines=lines(desk, report), code=report.exit_code)


def check(
    desk: Desk,
    bundle: str,
    key: str | None,
    seen: Sequence[str] = (),
    *,
    policy: str | None = None,
    processes: int | None = None,
    case: str | None = None,
) -> Report:
    """Verify a bundle with what the reader has from elsewhere.

    *Raises* `NotCheckedError`: `file-unreadable`, `log-key-bad`, `checkpoint-unreadable`, `key-needed`,
    `policy-unreadable`.
    """
    rule = None if policy is None else _policy(policy)
    log = _log_key(key) if key is not None else None if rule is None else rule.log
    if seen and log is None:
        raise NotCheckedError("key-needed")
    known = [_checkpoint(file, log) for file in seen if log is not None]
    place = Path(bundle)
    count = processes or min(os.cpu_count() or 1, 4)
    try:
        return verify(
            place, Trusted(log=log, known=known, policy=rule), case=case, processes=count, progress=_progress(desk)
        )
    except OSError:
        raise NotCheckedError("file-unreadable", file=bundle) from None


def document(report: Report) -> dict[str, Any]:
    """Give a report for machines."""
    head, newest = report.head, report.newest
    return {
        "verdict": _VERDICTS[report.exit_code],
        "exit_code": report.exit_code,
        "holder": None if head is None else head.holder,
        "log": None if head is None else head.log,
        "size": None if newest is None else newest.size,
        "root": None if newest is None else newest.root.hex(),
        "checkpoints": report.checkpoints,
        **asdict(report.counts),
        "open_receipts": asdict(report.open_receipts),
        "open_notices": asdict(report.open_purges),
        "overdue_notices": asdict(report.overdue_purges),
        "found": {code.value: count for code, count in sorted(report.found.items())},
        "findings": [_finding(one) for one in report.findings],
    }


def lines(desk: Desk, report: Report) -> list[str]:
    """Say a report in sentences: the verdict first, then what was found and what was looked at."""
    said = [desk.text(f"verdict-{_VERDICTS[report.exit_code]}")]
    said += [sentence(desk, one) for one in report.findings[:_SHOWN]]
    more = sum(report.found.values()) - min(len(report.findings), _SHOWN)
    if more > 0:
        said.append(desk.text("findings-more", count=more))
    counts, newest = report.counts, report.newest
    if newest is not None:
        said.append(desk.text("verified-log", origin=newest.origin, size=newest.size, root=newest.root.hex()))
    said.append(
        desk.text(
            "verified-counts",
            entries=counts.entries,
            checkpoints=report.checkpoints,
            documents=counts.documents,
            decisions=counts.decisions,
            disclosures=counts.disclosures,
        )
    )
    if counts.unseen:
        said.append(desk.text("verified-unseen", count=counts.unseen))
    for key, found in (("open-receipts", report.open_receipts), ("open-notices", report.open_purges)):
        if found.count:
            said.append(desk.text(key, count=found.count, first=", ".join(map(str, found.first[:_SHOWN]))))
    if report.head is not None:
        said.append(desk.text("verified-key", log=report.head.log))
    return said


def sentence(desk: Desk, found: Finding) -> str:
    """Say one finding, with its place in the log."""
    key = f"found-{found.code.value}"
    where = str(found.index) if found.last in {None, found.index} else f"{found.index}–{found.last}"
    return desk.text(key, index=where, about=found.about)


def who_by_bundle(desk: Desk, case: str, bundle: str, key: str | None) -> Said:
    """Say who received what of a case as a bundle has it, having verified the bundle."""
    report = check(desk, bundle, key, case=case)
    said = _table(desk, report.disclosures)
    if report.exit_code:
        said += lines(desk, report)
    shown = {"case": case, "disclosures": report.disclosures, "verified": document(report)}
    return Said(document=shown, lines=said, code=report.exit_code)


def _table(desk: Desk, found: Sequence[Disclosure]) -> list[str]:
    rows = [
        (
            saying.moment(one.at),
            one.sender,
            one.recipient,
            desk.label("purposes", one.purpose),
            desk.labels("categories", one.categories),
            desk.label("legal_basis", one.basis),
            desk.text("opened" if one.delivered_at else "not-opened"),
            str(one.index),
        )
        for one in found
    ]
    head = desk.head("at", "sender", "recipient", "purpose", "categories", "basis", "opened", "index")
    return saying.table(head, rows) if rows else [desk.text("nothing-disclosed")]


def records_of(connector: Connector) -> Records:
    """Gather what this agency holds of its messages."""
    with connector.casebook.transaction() as connection:
        held = tuple(disclosed.held(connection, connector.agency))
    return Records(holder=Holder(agency=connector.agency, made_at=connector.now()), held=held)


def read_records(file: str) -> Records:
    """Read the records of another agency.

    *Raises* `NotCheckedError`: `file-unreadable`, `records-unreadable`.
    """
    try:
        with Path(file).open("rb") as stream:
            return records.read(stream)
    except OSError:
        raise NotCheckedError("file-unreadable", file=file) from None
    except TsunagiError:
        raise NotCheckedError("records-unreadable", file=file) from None


def compared(desk: Desk, bundle: str, key: str | None, sides: Sequence[Records]) -> Said:
    """Verify a bundle, hold it against the records, and say what disagrees; 1 where something does."""
    report = check(desk, bundle, key)
    try:
        with Path(bundle).open("rb") as stream:
            found = compare(stream, *sides)
    except TsunagiError:
        found = ()
    said = lines(desk, report) if report.exit_code else []
    said += [desk.text(f"compared-{one.record}-{one.deed}", message=one.message, sender=one.sender) for one in found]
    if not found and not report.exit_code:
        said.append(desk.text("compared-agree", messages=sum(len(side.held) for side in sides)))
    code = report.exit_code or (1 if found else 0)
    return Said(document={"disagreements": found, "verified": document(report)}, lines=said, code=code)


def write_new(file: str, write: Callable[[BinaryIO], int]) -> int:
    """Write a new file; nothing of it stays where that fails.

    *Raises* `CliError("file-exists")`; `ConnectorError("folder-unwritable")`.
    """
    place = Path(file)
    try:
        out = place.open("xb")
    except FileExistsError:
        raise CliError("file-exists", file=file) from None
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(place.parent)) from None
    try:
        with out:
            return write(out)
    except BaseException:
        place.unlink()
        raise


_VERDICTS: Final = {0: "sound", 1: "tampered", 2: "breach", 3: "incomplete"}


def _finding(found: Finding) -> dict[str, Any]:
    grade = _VERDICTS[int(found.grade)]
    return {
        "code": found.code.value,
        "grade": grade,
        "index": found.index,
        "last": found.index if found.last is None else found.last,
        "about": found.about,
    }


def _log_key(said: str) -> Verifier:
    """Read the log's key as told on paper: the text itself, or a file that holds it."""
    try:
        text = said if "+" in said else Path(said).read_text("utf-8")
        return Verifier.read(text.strip())
    except OSError:
        raise NotCheckedError("file-unreadable", file=said) from None
    except (TsunagiError, UnicodeDecodeError):
        raise NotCheckedError("log-key-bad") from None


def _policy(file: str) -> Policy:
    try:
        return read_policy(Path(file).read_text("utf-8"))
    except OSError:
        raise NotCheckedError("file-unreadable", file=file) from None
    except (TsunagiError, UnicodeDecodeError):
        raise NotCheckedError("policy-unreadable", file=file) from None


def _checkpoint(file: str, log: Verifier) -> Checkpoint:
    try:
        return notes.open_checkpoint(Path(file).read_text("utf-8"), log)
    except OSError:
        raise NotCheckedError("file-unreadable", file=file) from None
    except (TsunagiError, UnicodeDecodeError):
        raise NotCheckedError("checkpoint-unreadable", file=file) from None


def _progress(desk: Desk) -> Any:
    """Say on a terminal how far the reading is; nobody watches a pipe."""
    if not sys.stderr.isatty():
        return None
    shown = -1

    def tell(done: int, size: int) -> None:
        nonlocal shown
        percent = done * _PERCENT // max(size, 1)
        if percent != shown:
            shown = percent
            click.echo("\r" + desk.text("verify-progress", percent=percent), err=True, nl=percent == _PERCENT)

    return tell
