# SPDX-License-Identifier: Apache-2.0
"""What wants looking at: anomalies, withdrawals that nobody answers, paper forms to be shown; and the deeds on them."""

from __future__ import annotations

from typing import Final

from flask import request, url_for
from werkzeug.wrappers import Response as Answer

from hub.base.db import now
from hub.base.errors import HubError, InvalidError, NotFoundError
from hub.base.ids import is_id
from hub.console import naming
from hub.console.forms import chosen, day, number, reference, refusal
from hub.console.pages import page, see
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import reads, service
from hub.oversight import rules as oversight
from hub.referrals.network import current

SAID: Final = frozenset({"closed", "reminded", "drawn", "noted"})


@page("/watch", permission="console.watch")
def watch(visit: Visit) -> tuple[str, int]:
    """Show what is out of the ordinary and what nobody answers."""
    return _watch(visit)


def _watch(visit: Visit, fault: str | None = None) -> tuple[str, int]:
    with visit.reading("watch") as session:
        at = now(session)
        known = naming.directory(session)
        facts = {
            "anomalies": reads.anomalies(session),
            "unanswered": reads.unanswered(session, now=at),
            "uncountersigned": reads.uncountersigned(session, now=at, calendar=current().calendar),
        }
    name = naming.named(known, visit.language)
    status = 422 if fault else 200
    return render("watch.html", status=status, name=name, closings=oversight.Closing, fault=fault, said=said(), **facts)


@page("/watch/anomalies/<anomaly>", permission="console.watch", methods=("POST",))
def anomaly_close(visit: Visit, anomaly: str) -> Answer | tuple[str, int]:
    """Close an anomaly with a code.

    *Raises* NotFoundError: there is no such anomaly.
    """
    if not is_id(anomaly):
        raise NotFoundError
    try:
        closing = chosen(oversight.Closing, "closing")
        with visit.doing() as session:
            service.close_anomaly(
                session, anomaly, officer=visit.me.id, closing=closing, reference=reference(), now=now(session)
            )
    except HubError as error:
        return _watch(visit, refusal(visit, error))
    return see(url_for("console.watch", said="closed"))


@page("/watch/notices/<notice>", permission="console.watch", methods=("POST",))
def notice_remind(visit: Visit, notice: str) -> Answer | tuple[str, int]:
    """Remind an agency of a stop-use notice.

    *Raises* NotFoundError: there is no such notice.
    """
    if not is_id(notice):
        raise NotFoundError
    try:
        with visit.doing() as session:
            service.remind(session, notice, officer=visit.me.id, now=now(session))
    except HubError as error:
        return _watch(visit, refusal(visit, error))
    return see(url_for("console.watch", said="reminded"))


@page("/samples", permission="console.watch", methods=("GET", "POST"))
def samples(visit: Visit) -> Answer | tuple[str, int]:
    """List the drawings of paper forms, and draw."""
    fault = None
    if request.method == "POST":
        try:
            made = _draw(visit)
        except HubError as error:
            fault = refusal(visit, error)
        else:
            return see(url_for("console.sample_draw", draw=made, said="drawn"))
    with visit.reading("samples") as session:
        found, known = reads.draws(session), naming.directory(session)
    shown = {"found": found, "known": known, "name": naming.named(known, visit.language), "fault": fault}
    return render("samples.html", status=422 if fault else 200, most=oversight.MOST_SAMPLES, **shown)


@page("/samples/<draw>", permission="console.watch", methods=("GET", "POST"))
def sample_draw(visit: Visit, draw: str) -> Answer | tuple[str, int]:
    """Show one drawing with its forms, and write down what was seen of one.

    *Raises* NotFoundError: there is no such drawing.
    """
    if not is_id(draw):
        raise NotFoundError
    fault = None
    if request.method == "POST":
        try:
            _saw(visit)
        except HubError as error:
            fault = refusal(visit, error)
        else:
            return see(url_for("console.sample_draw", draw=draw, said="noted"))
    with visit.reading("sample", draw=draw) as session:
        one = next((made for made in reads.draws(session) if made.id == draw), None)
        forms, known = reads.samples(session, draw), naming.directory(session)
    if one is None:
        raise NotFoundError
    shown = {"one": one, "forms": forms, "name": naming.named(known, visit.language), "fault": fault, "said": said()}
    return render("sample.html", status=422 if fault else 200, outcomes=oversight.Outcome, **shown)


def said() -> str | None:
    """Give what the page is to confirm, of a closed list."""
    wish = request.args.get("said")
    return wish if wish in SAID else None


def _draw(visit: Visit) -> str:
    first, last = day("first"), day("last")
    agency = request.form.get("agency") or None
    if agency is not None and not is_id(agency):
        raise InvalidError("unknown-agency")
    with visit.doing() as session:
        made = service.draw(
            session,
            officer=visit.me.id,
            first_day=first,
            last_day=last,
            size=number("size"),
            agency=agency,
            now=now(session),
        )
    return made.id


def _saw(visit: Visit) -> None:
    sample, outcome = request.form.get("sample", ""), chosen(oversight.Outcome, "outcome")
    if not is_id(sample):
        raise NotFoundError
    with visit.doing() as session:
        service.saw_paper(
            session, sample, officer=visit.me.id, outcome=outcome, reference=reference(), now=now(session)
        )
