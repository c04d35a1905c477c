# SPDX-License-Identifier: Apache-2.0
"""Answer an officer who drew a paper form: open the commitment anew from the scan and the key that lie here.

The hub has an HMAC of the scan and compares; scan and key stay here (consent.md, `evidence`). What is answered is what
comes out, whether it matches or not.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, outgoing, tables, tables_mirror
from connectors.casebook.scans import Scan, scans_of_form
from connectors.casebook.statements import Pen
from connectors.casebook.tables_papers import paper_samples
from connectors.sdk.answers import PaperSample
from consent import receipts
from consent.receipts import ConsentRecord

TASK: Final = "paper_sample"
WHAT: Final = "sample"
"""What a row of the outbox is called that carries an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A form that was drawn. `answer`: how ours stands on its way to the hub (waiting, sent, refused), or none yet."""

    id: str
    consent: str
    case: str
    due_at: datetime
    outcome: str | None
    answered_at: datetime | None
    answer: str | None

    @property
    def is_open(self) -> bool:
        """Say whether somebody here must still answer."""
        return self.outcome is None and self.answer in {None, "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What lies here of the form behind a drawn consent: `committed` says whether it was signed on paper at all.

    `scans` are those that are kept; `matching` the one from which the commitment comes out as it was signed, if any.
    """

    form: str
    signed_at: datetime
    signature: str
    partners: tuple[str, ...]
    committed: bool
    scans: Sequence[Scan]
    matching: Scan | None


def keep(connection: Connection, sample: PaperSample) -> None:
    """Keep what the hub says of a sample."""
    values = {
        "consent": sample.consent,
        "case": sample.case,
        "due_at": sample.due_at,
        "outcome": sample.outcome,
        "answered_at": sample.answered_at,
    }
    statement = insert(paper_samples).values(id=sample.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def to_look_at(connection: Connection) -> tuple[str, ...]:
    """Name the samples that are new here, and those whose task is over while we think that they wait."""
    task, known = tables_mirror.tasks.c, paper_samples.c
    listed = set(connection.execute(sa.select(task.about).where(task.kind == TASK, task.done_at.is_(None))).scalars())
    open_here = set(connection.execute(sa.select(known.id).where(known.outcome.is_(None))).scalars())
    answered = set(connection.execute(sa.select(known.id).where(known.outcome.is_not(None))).scalars())
    return tuple(sorted((listed - open_here - answered) | (open_here - listed)))


def drawn(connection: Connection, *, open_only: bool = True) -> Sequence[Drawn]:
    """Give what was drawn, due first; only what waits for us unless told otherwise."""
    rows = connection.execute(sa.select(paper_samples).order_by(paper_samples.c.due_at, paper_samples.c.id)).all()
    found = [_drawn(connection, row) for row in rows]
    return [one for one in found if one.is_open] if open_only else found


def sample_of(connection: Connection, sample: str) -> Drawn:
    """Give one that was drawn.

    *Raises* `ConnectorError("sample-unknown")`.
    """
    row = connection.execute(sa.select(paper_samples).where(paper_samples.c.id == sample)).one_or_none()
    if row is None:
        raise ConnectorError("sample-unknown")
    return _drawn(connection, row)


def paper_of(connection: Connection, consent: str) -> Paper:
    """Give what lies here of the form behind a consent.

    *Raises* `ConnectorError("form-unknown")`: a casebook that came back from an older copy may not have it.
    """
    form = _form(connection, consent)
    document = form.document
    kept = scans_of_form(connection, form.id)
    committed = str(document.get("evidence") or "")
    matching = next((one for one in kept if _opens(form.evidence_key, one.body, committed)), None)
    return Paper(
        form=form.id,
        signed_at=form.signed_at,
        signature=str(document.get("signature") or ""),
        partners=_partners(connection, form.id),
        committed=bool(committed),
        scans=kept,
        matching=matching,
    )


def answer(connection: Connection, pen: Pen, sample: str, *, scan: bytes | None = None, absent: bool = False) -> str:
    """Open the commitment from the scan that is kept, or from `scan` as it was read from a file, and queue the answer.

    `absent`: there is no paper, and that is the answer. Gives the key of the queued row. Where no kept scan opens it,
    what the first one gives is answered: it differs, and the officer is told so.

    *Raises* `ConnectorError`: `sample-unknown`, `sample-answered`, `form-unknown`; `scan-needed`, nothing is kept here
    and nothing was given.
    """
    found = sample_of(connection, sample)
    if not found.is_open:
        raise ConnectorError("sample-answered")
    evidence = None if absent else _evidence(connection, found.consent, scan)
    key = pen.new_id()
    outgoing.put(
        connection,
        key=key,
        what=WHAT,
        about=sample,
        path=f"/v1/samples/{sample}/answer",
        body={"evidence": evidence},
        now=pen.now,
    )
    access.record(connection, staff=pen.staff, action="sample:answered", about=sample, case=found.case, now=pen.now)
    return key


def _evidence(connection: Connection, consent: str, scan: bytes | None) -> str:
    form = _form(connection, consent)
    if scan is None:
        paper = paper_of(connection, consent)
        chosen = paper.matching or next(iter(paper.scans), None)
        if chosen is None:
            raise ConnectorError("scan-needed")
        scan = chosen.body
    return _hmac(form.evidence_key, scan)


def _form(connection: Connection, consent: str) -> sa.Row[Any]:
    known = sa.select(tables.consents.c.form).where(tables.consents.c.id == consent).scalar_subquery()
    row = connection.execute(sa.select(tables.forms).where(tables.forms.c.id == known)).one_or_none()
    if row is None or not row.evidence_key:
        raise ConnectorError("form-unknown")
    return row


def _partners(connection: Connection, form: str) -> tuple[str, ...]:
    held = tables.consents.c
    tokens = connection.execute(sa.select(held.token).where(held.form == form).order_by(held.id)).scalars()
    records = [receipts.peek_record(token, ConsentRecord) for token in tokens]  # verified when they were kept
    return tuple(dict.fromkeys(partner for record in records for partner in sorted(record.partners)))


def _drawn(connection: Connection, row: sa.Row[Any]) -> Drawn:
    out = tables.outgoing.c
    query = sa.select(out.state).where(out.what == WHAT, out.about == row.id).order_by(out.position.desc()).limit(1)
    return Drawn(
        id=row.id,
        consent=row.consent,
        case=row.case,
        due_at=row.due_at,
        outcome=row.outcome,
        answered_at=row.answered_at,
        answer=connection.execute(query).scalar_one_or_none(),
    )


def _opens(key: str, body: bytes, committed: str) -> bool:
    return bool(committed) and hmac.compare_digest(_hmac(key, body), committed)


def _hmac(key: str, body: bytes) -> str:
    return hmac.new(bytes.fromhex(key), body, hashlib.sha256).hexdigest()
