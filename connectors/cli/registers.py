# SPDX-License-Identifier: Apache-2.0
"""`tsunagi import cases`: people with their cases from CSV or Excel, by the desk's own rules (the extra `desk`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, argument, flag, option, verb
from connectors.cli.kinds import Code, read_file
from connectors.cli.saying import Said
from connectors.sync.connector import Connector

if TYPE_CHECKING:
    from connectors.desk.exchange.reads import Job
    from connectors.desk.exchange.service import Hand

_A_ROUND = 60.0
"""Seconds of work after which it is looked how things stand."""


def add_to(taking_in: Noun) -> None:
    """Add the command."""
    verb(
        taking_in,
        "cases",
        argument("file"),
        option("--kind", Code("table_kind"), required=True),
        option("--lookalikes", Code("lookalike"), default="leave"),
        flag("--dry-run"),
    )(import_cases)


def import_cases(desk: Desk, *, file: str, kind: str, lookalikes: str, dry_run: bool) -> Said:
    """Take in people and their cases; rows with faults stay out and are named, lookalikes as it was said.

    *Raises* `CliError`: `desk-missing`, `table-refused` with the reason, `table-columns`.
    """
    if find_spec("flask") is None or find_spec("openpyxl") is None:
        raise CliError("desk-missing")
    from connectors.desk.exchange import service  # an extra: other commands do without Flask and openpyxl
    from connectors.desk.exchange.sheets import SheetError

    with desk.open() as connector:
        connector.casebook.add_tables()
        hand = service.Hand(pen=connector.pen(desk.staff), language=desk.language)
        try:
            lines = service.read_file(read_file(Path(file)), file, kind)
            with connector.casebook.transaction() as connection:
                job = service.begin(connection, hand.pen, name=file, kind=kind, lines=lines)
        except SheetError as refused:
            why = hand.say(f"exchange.fault-file-{refused.code}", **refused.places)
            raise CliError("table-refused", file=file, why=why) from None
        document = _take_in(connector, hand, job, lookalikes=lookalikes, dry_run=dry_run)
    said = [desk.text("cases-imported", **{name: document[name] for name in ("added", "left", "rows")})]
    said += [desk.text("row-fault", row=one["row"], why=one["why"]) for one in document["faults"]]
    return Said(document=document, lines=[desk.text("dry-run"), *said] if dry_run else said)


def _take_in(connector: Connector, hand: Hand, job: str, *, lookalikes: str, dry_run: bool) -> dict[str, Any]:
    from connectors.desk.exchange import reads, service

    found = _until_it_rests(connector, hand, job)
    with connector.casebook.transaction() as connection:
        if found.state == "mapping":
            service.drop(connection, hand.pen, found)
    if found.state == "mapping":
        unknown = [cell for cell, code in zip(found.header, found.columns, strict=True) if not code]
        raise CliError("table-columns", columns=", ".join(unknown))
    with connector.casebook.transaction() as connection:
        faults = [
            {"row": row.n, "column": code, "why": hand.said_of(code, fault)}
            for row in reads.rows_of(connection, job, "faulty", limit=found.total)
            for code, fault in row.faults.items()
        ]
        adds = found.counts.get("new", 0) + (found.undecided if lookalikes == "other" else 0)
        document = {"import": job, "rows": found.total, "added": adds, "left": found.total - adds, "faults": faults}
        if dry_run:
            service.drop(connection, hand.pen, found)
            return {**document, "import": None}
        service.decide(connection, hand.pen, found, {}, rest=lookalikes)
        service.confirm(connection, hand.pen, reads.find_job(connection, job))
    added = _until_it_rests(connector, hand, job).outcomes.get("added", 0)
    return {**document, "added": added, "left": found.total - added}


def _until_it_rests(connector: Connector, hand: Hand, job: str) -> Job:
    from connectors.desk.exchange import reads, service

    while True:
        found = service.work(connector.casebook, hand, lambda inside: reads.find_job(inside, job), seconds=_A_ROUND)
        if not found.is_working:
            return found
