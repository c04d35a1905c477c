# SPDX-License-Identifier: Apache-2.0
"""Samples of paper: an officer drew signed forms; the agency takes the original out and answers from what lies here."""

from __future__ import annotations

from typing import Any, Final

from flask import request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import papers, scans
from connectors.casebook.papers import Drawn, Paper
from connectors.desk.cases.reads import person_bar
from connectors.desk.consents import reads, showing
from connectors.desk.consents.blueprint import blueprint
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.papers import LARGEST
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

SEEN: Final = "seen"
ABSENT: Final = "absent"
ANSWERS: Final = (SEEN, ABSENT)
"""What somebody found where the paper is kept: the original, or none."""


@page(blueprint, "/samples", who=Access.CASEWORK)
def samples(visit: Visit) -> tuple[str, int]:
    """List the forms that an officer drew and that wait for our answer, due first, and what came of earlier ones."""
    with visit.book() as connection:
        found = papers.drawn(connection, open_only=False)
        people = showing.names_of_cases(connection, visit, [one.case for one in found])
    waiting = [one for one in found if one.is_open]
    return render(
        "consents/samples.html", waiting=waiting, answered=[one for one in found if not one.is_open], people=people
    )


@page(blueprint, "/samples/<sample>", who=Access.CASEWORK, methods=("GET", "POST"))
def sample(visit: Visit, sample: str) -> Response | tuple[str, int]:
    """Show which form is asked for and what lies here of it; take the answer of whoever looked for the paper."""
    facts = _facts(visit, sample)
    drawn: Drawn = facts["drawn"]
    here = url_for("consents.sample", sample=sample)
    if request.method == "GET":
        return render("consents/sample.html", **facts)
    if not drawn.is_open:
        return see(here, said="consents.sample-answered-before", tone="wait")
    filled = Filled.of_request()
    paper: Paper | None = facts["paper"]
    said = filled.code("answer", ANSWERS, required=True)
    given = _file(filled)
    if said == SEEN and paper is None:
        filled.blame("answer", "consents.fault-form-not-here")
    elif said == SEEN and paper is not None and not paper.scans and given is None:
        filled.blame("scan", "consents.fault-scan-needed")
    if said is None or not filled.is_fine:
        return render_again("consents/sample.html", filled, **facts)
    with visit.book() as connection:
        try:
            key = papers.answer(connection, visit.pen(), sample, scan=given, absent=said == ABSENT)
        except ConnectorError as error:
            if error.code != "sample-answered":
                raise
            return see(here, said="consents.sample-answered-before", tone="wait")
    said_key, tone = showing.carried(visit, [key], "consents.sample-")
    return see(here, said=said_key, tone=tone)


def _facts(visit: Visit, sample: str) -> dict[str, Any]:
    with visit.book() as connection:
        drawn = papers.sample_of(connection, sample)
        bar = person_bar(connection, visit, drawn.case)
        try:
            paper: Paper | None = papers.paper_of(connection, drawn.consent)
        except ConnectorError:
            paper = None
        for scan in paper.scans if paper else ():
            scans.seen(connection, visit.pen(), scan)
        names = reads.name_partners(connection)
    return {"drawn": drawn, "bar": bar, "paper": paper, "names": names}


def _file(filled: Filled) -> bytes | None:
    """Read a file as it is: the commitment is over its very bytes, so that nothing may be cleaned away."""
    sent = filled.files.get("scan")
    if sent is None or not sent.filename:
        return None
    body = sent.stream.read(LARGEST + 1)
    if len(body) > LARGEST or not body:
        filled.blame("scan", "consents.fault-scan-size")
        return None
    return body
