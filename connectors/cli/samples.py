# SPDX-License-Identifier: Apache-2.0
"""`tsunagi sample`: the paper forms that an officer drew, and the answer from the scan and the key that lie here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

from connectors.casebook import papers
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import LATER, Noun, argument, flag, option, verb
from connectors.cli.kinds import Id, read_file
from connectors.cli.saying import Said
from connectors.sync.mirroring import refresh_tasks

sample: Final = Noun("sample")


@verb(sample, "list", flag("--done"), LATER)
def list_samples(desk: Desk, *, done: bool) -> Said:
    """List the forms that an officer drew and that wait for an answer, or with `--done` what was answered."""
    with desk.open() as connector:
        desk.if_hub_answers(lambda: refresh_tasks(connector))
        with connector.casebook.transaction() as connection:
            found = [one for one in papers.drawn(connection, open_only=False) if one.is_open is not done]
        rows = [
            (
                one.id,
                one.case,
                one.consent,
                saying.moment(one.due_at),
                desk.text(f"sample-outcome:{one.outcome}") if one.outcome else "",
            )
            for one in found
        ]
    lines = saying.table(desk.head("id", "case", "consent", "due", "answer"), rows) if rows else []
    return Said(document={"samples": [asdict(one) for one in found]}, lines=lines or [desk.text("no-samples")])


@verb(sample, "answer", argument("sample", Id()), option("--scan"), flag("--absent"), LATER)
def answer(desk: Desk, *, sample: str, scan: str | None, absent: bool) -> Said:
    """Open the commitment anew from the scan that was signed for and answer the officer; `--absent`: there is no paper.

    The scan kept in the casebook is used, or the file named by `--scan`; neither leaves this machine.
    """
    worker = desk.worker()
    if absent and scan is not None:
        raise CliError("sample-absent-or-scan")
    body = None if scan is None else read_file(Path(scan))
    with desk.open() as connector:
        desk.if_hub_answers(lambda: refresh_tasks(connector))
        with connector.casebook.transaction() as connection:
            papers.answer(connection, connector.pen(worker), sample, scan=body, absent=absent)
        sent = desk.deliver(connector, sample)
        with connector.casebook.transaction() as connection:
            found = papers.sample_of(connection, sample)
    lines = [
        desk.text("sample-answered", id=sample, outcome=desk.text(f"sample-outcome:{found.outcome}"))
        if found.outcome
        else desk.text("sample-kept", id=sample)
    ]
    return Said(document={"sample": sample, "outcome": found.outcome, "sent": sent}, lines=lines)
