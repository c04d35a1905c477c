# SPDX-License-Identifier: Apache-2.0
"""The question why somebody opens a case that is not theirs (security §1, insider: need to know)."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from connectors.desk.cases import reads
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page, visit_of_request
from connectors.desk.web.rendering import own_path, render, render_again
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("need", __name__)
"""Need to know. The pages of cases themselves are `caseload`'s."""

REASONS: Final = ("cover", "contact", "together", "handover", "check")


@page(blueprint, "/cases/<case>/reason", who=Access.CASEWORK, methods=("POST",))
def reason(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Note why somebody opens a case that is not theirs, and go on to where they wanted."""
    filled = Filled.of_request()
    said, wish = filled.code("reason", REASONS, required=True), own_path(request.form.get("next"), "/")
    if said is None:
        return render_again("cases/reason.html", filled, case=case, wish=wish, reasons=_reasons(visit))
    with visit.book() as connection:
        reads.give_reason(connection, visit, case, said)
    return redirect(wish, 303)


@blueprint.app_errorhandler(reads.NeedToKnowError)
def ask_for_reason(error: reads.NeedToKnowError) -> Any:
    """Ask why, wherever a page was about to show such a case; nothing of it is shown before."""
    visit = visit_of_request()
    wish = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return render("cases/reason.html", status=403, case=error.case, wish=wish, reasons=_reasons(visit))


def _reasons(visit: Visit) -> list[tuple[str, str]]:
    return [(one, text(f"cases.reason-{one}", visit.language)) for one in REASONS]
