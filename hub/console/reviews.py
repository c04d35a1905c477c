# SPDX-License-Identifier: Apache-2.0
"""Emergency uses and their judgement (H2): what waits, one use with its facts, the four answers."""

from __future__ import annotations

from datetime import timedelta

from flask import request, url_for
from werkzeug.wrappers import Response as Answer

from hub.base.db import now
from hub.base.errors import HubError, NotFoundError
from hub.base.ids import is_id
from hub.console import naming
from hub.console.forms import chosen, reference, refusal
from hub.console.pages import page, see
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import figures, reads, service
from hub.oversight import rules as oversight

WINDOW = timedelta(days=90)


@page("/reviews", permission="console.reviews")
def reviews(visit: Visit) -> tuple[str, int]:
    """List the emergency uses that wait for a judgement, and those that were judged."""
    every = request.args.get("all") == "1"
    with visit.reading("reviews", every=every) as session:
        at = now(session)
        found = reads.uses(session, now=at, open_only=not every)
        uses, sent = figures.share(session, since=at - WINDOW, until=at)
        known = naming.directory(session)
    is_high = oversight.share_is_high(uses, sent)
    name = naming.named(known, visit.language)
    return render("reviews.html", found=found, every=every, name=name, uses=uses, sent=sent, is_high=is_high)


@page("/reviews/<message>", permission="console.reviews", methods=("GET", "POST"))
def review(visit: Visit, message: str) -> Answer | tuple[str, int]:
    """Show one use, and take the judgement on it.

    *Raises* NotFoundError: no such use.
    """
    if not is_id(message):
        raise NotFoundError
    fault = None
    if request.method == "POST":
        try:
            _judge(visit, message)
        except HubError as error:
            fault = refusal(visit, error)
        else:
            return see(url_for("console.review", message=message, said="judged"))
    with visit.reading("review", message=message) as session:
        found = reads.use(session, message, now=now(session))
        known = naming.directory(session)
    if found is None:
        raise NotFoundError
    said = "judged" if request.args.get("said") == "judged" else None
    shown = {"one": found, "name": naming.named(known, visit.language), "fault": fault, "said": said}
    codes = {"answers": oversight.Answer, "remarks": oversight.Remark, "given": request.form}
    return render("review.html", status=422 if fault else 200, **shown, **codes)


def _judge(visit: Visit, message: str) -> None:
    answer, remark = chosen(oversight.Answer, "answer"), chosen(oversight.Remark, "remark")
    with visit.doing() as session:
        service.review(
            session,
            message,
            reviewer=visit.me.id,
            answer=answer,
            remark=remark,
            reference=reference(),
            now=now(session),
        )
