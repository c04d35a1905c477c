# SPDX-License-Identifier: Apache-2.0
"""The wizard (ux D5): seven short pages, each saved as it is written, nothing sent before the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes
from connectors.casebook import drafts
from connectors.casebook.compose import RefusedHereError
from connectors.desk.cases.reads import person_bar
from connectors.desk.sending import attaching, fields, letters, lexicon, overview, persons, reads, rules, service
from connectors.desk.sending.after import blueprint, follow
from connectors.desk.sending.reads import Sheet
from connectors.desk.web.contents import by_category
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit
from connectors.desk.web.when import clock_of
from consent.errors import SealRefusedError

__all__ = ["blueprint"]

_ALL_CHOICES: Final = ("purpose", "recipient")
_DIALECT: Final = {"urgency": "normal", "request_kind": "interview", "accompany": "no"}


@page(blueprint, "/referrals/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit) -> Response | tuple[str, int]:
    """Find whom the referral is for; where that is known, ask what it is for and begin a draft."""
    case, origin_id = request.values.get("case", ""), request.values.get("from", "")
    to, sheet = request.values.get("to", "")[:64], request.values.get("sheet", "")[:64]
    if not case and not origin_id:
        return _find(visit)
    filled = Filled.of_request()
    with visit.book() as connection:
        origin = service.declined(connection, visit, origin_id) if origin_id else None
        if sheet:
            service.attached_sheet(connection, case, sheet)
        case = origin.case if origin else case
        bar = person_bar(connection, visit, case)
        if request.method == "GET":
            first = service.earlier(connection, visit, origin) if origin else {}
            filled = Filled(values=fields.as_form({**_DIALECT, **_wished(), **first}))
        else:
            fields.check("purpose", filled, _nobody(visit))
        draft = None
        if request.method == "POST" and filled.is_fine:
            draft = service.begin(connection, visit, case=case, form=filled.values, origin=origin, to=to, sheet=sheet)
    if draft is not None:
        return redirect(url_for("sending.step", draft=draft, step="recipient"), 303)
    facts: dict[str, Any] = {"bar": bar, "draft": None, "purposes": rules.purposes(), "origin": origin}
    facts |= {"to": to, "sheet_id": sheet}
    if request.method == "GET":
        return render("sending/purpose.html", filled=filled, step="purpose", **facts)
    return render_again("sending/purpose.html", filled, step="purpose", **facts)


def _wished() -> dict[str, str]:
    """Give what the page that led here knows already, as far as it is a choice of this form."""
    said = {"purpose": rules.purposes(), "urgency": codes("urgency")}
    return {name: request.args[name] for name, known in said.items() if request.args.get(name) in known}


def _find(visit: Visit) -> tuple[str, int]:
    wanted, to = request.args.get("q", "")[:100], request.args.get("to", "")[:64]
    with visit.book() as connection:
        found = persons.found_people(connection, visit, wanted) if wanted.strip() else []
        begun = [one for one in drafts.drafts_of(connection, visit.me.id) if one.kind == reads.KIND]
    return render("sending/person.html", wanted=wanted, found=found, begun=len(begun), to=to)


@page(blueprint, "/referrals/drafts", who=Access.CASEWORK)
def begun(visit: Visit) -> tuple[str, int]:
    """List what this person has begun and not sent."""
    with visit.book() as connection:
        rows = overview.begun(connection, visit)
    return render("sending/drafts.html", rows=rows)


@page(blueprint, "/referrals/drafts/<draft>/drop", who=Access.CASEWORK, methods=("POST",))
def drop(visit: Visit, draft: str) -> Response:
    """Throw a draft away."""
    with visit.book() as connection:
        service.drop(connection, visit, draft)
    return see(url_for("sending.begun"), said="sending.dropped")


@page(blueprint, "/referrals/drafts/<draft>/<step>", who=Access.CASEWORK, methods=("GET", "POST"))
def step(visit: Visit, draft: str, step: str) -> Response | tuple[str, int]:
    """Show one page of the wizard, or take it."""
    if step not in rules.STEPS:
        raise NotFound
    with visit.book() as connection:
        done = service.became(connection, visit, draft)
    if done is not None:
        return redirect(url_for("sending.sent", message=done), 303)
    if step == "person":
        return redirect(url_for("sending.step", draft=draft, step="purpose"), 303)
    if step == "check":
        return _send(visit, draft) if request.method == "POST" else _check(visit, draft)
    return _take(visit, draft, step) if request.method == "POST" else _show(visit, draft, step)


@page(blueprint, "/referrals/drafts/<draft>/<step>/save", who=Access.CASEWORK, methods=("POST",))
def save(visit: Visit, draft: str, step: str) -> Response:
    """Keep a page as it stands, finished or not; the answer is the sentence that the page shows."""
    if step not in fields.STEPS_WITH_FIELDS:
        raise NotFound
    with visit.book() as connection:
        service.keep(connection, visit, draft, step, request.form)
    return Response(text("sending.saved", visit.language, at=clock_of(visit.at)), mimetype="text/plain")


@page(blueprint, "/referrals/drafts/<draft>/files/<file>", who=Access.CASEWORK)
def file(visit: Visit, draft: str, file: str) -> Response:
    """Hand out a file of a draft, to be looked at before it goes."""
    with visit.book() as connection:
        known = reads.draft_of(connection, visit, draft)
        found = next((one for one in drafts.files_with(connection, known.id) if one.id == file), None)
    if found is None:
        raise NotFound
    return attaching.hand_out(found)


def _show(visit: Visit, draft: str, step: str) -> Response | tuple[str, int]:
    with visit.book() as connection:
        sheet = reads.sheet(connection, visit, draft)
    earlier = _missing_before(sheet, step)
    if earlier is not None:
        return redirect(url_for("sending.step", draft=draft, step=earlier), 303)
    return render(f"sending/{step}.html", filled=sheet.filled, **_facts(sheet, step))


def _take(visit: Visit, draft: str, step: str) -> Response | tuple[str, int]:
    """Read a page: with faults it comes back as it was sent, else it is kept and the next one follows."""
    go = request.form.get("go", "")
    with visit.book() as connection:
        sheet = reads.sheet(connection, visit, draft)
        filled = Filled(values=_over(sheet, step, request.form), files=request.files)
        if request.form.get("remove") and step == "content":
            service.keep(connection, visit, draft, step, request.form)
            drafts.remove_file(connection, visit.pen(), draft, str(request.form["remove"]))
            return redirect(url_for("sending.step", draft=draft, step="content"), 303)
        if go == "stop":
            service.keep(connection, visit, draft, step, request.form)
            return see(url_for("sending.begun"), said="sending.kept")
        uploads = attaching.take(filled, sheet) if step == "content" else []
        around = replace(sheet.around, with_files=sheet.around.with_files | {one.belongs_to for one in uploads})
        fields.check(step, filled, around)
        tentative = replace(sheet, filled=filled)
        numbers = tentative.open_numbers(tentative.parts()) if step == "content" and filled.is_fine else []
        if numbers and not filled.has("no_my_number"):
            filled.blame("no_my_number", "sending.fault-my-number")
        if filled.is_fine:
            service.save(connection, visit, draft, step, request.form)
            attaching.keep(connection, visit, draft, uploads)
            if numbers:
                service.deny_numbers(connection, visit, tentative)
    if not filled.is_fine:
        return render_again(f"sending/{step}.html", filled, **_facts(tentative, step, numbers))
    onward = {"check": "check", "attach": "content"}.get(go) or rules.STEPS[rules.STEPS.index(step) + 1]
    return redirect(url_for("sending.step", draft=draft, step=onward), 303)


def _check(visit: Visit, draft: str) -> Response | tuple[str, int]:
    """Show what the recipient will see, sealed and opened again; or lead to the first page that is not ready."""
    trouble = ""
    parts: Any = ()
    with visit.book() as connection:
        sheet = reads.sheet(connection, visit, draft)
        away = _not_ready(sheet)
        if away is not None:
            return away
        written = sheet.letter()
        if written.acknowledged is False:
            return see(url_for("sending.step", draft=draft, step="content"), said="sending.number-flash", tone="bad")
        if letters.too_many(written.parts):
            return see(url_for("sending.step", draft=draft, step="content"), said="sending.too-many", tone="bad")
    try:
        with visit.book() as connection:
            parts = service.rehearse(connection, visit, sheet)
    except SealRefusedError:
        return see(url_for("sending.step", draft=draft, step="content"), said="sending.refused-too-large", tone="bad")
    except ConnectorError as error:
        trouble = error.says(visit.language)
    return render(
        "sending/check.html",
        filled=sheet.filled,
        seen=by_category(parts, visit.language),
        unseen=overview.unseen(sheet, {part.category for part in parts}),
        trouble=trouble,
        print=letters.print_of(written),
        answer_day=fields.answer_on(sheet.filled),
        going_day=fields.going(sheet.filled),
        **_facts(sheet, "check"),
    )


def _send(visit: Visit, draft: str) -> Response:
    """Send what was looked at: one transaction here, then the hub is asked while the person waits a moment."""
    check = url_for("sending.step", draft=draft, step="check")
    try:
        with visit.book() as connection:
            sheet = reads.sheet(connection, visit, draft)
            away = _not_ready(sheet)
            if away is not None:
                return away
            sent = service.send(connection, visit, sheet, request.form.get("print", ""))
    except service.ChangedSinceError:
        return see(check, said="sending.changed-since", tone="bad")
    except RefusedHereError:
        return see(url_for("sending.step", draft=draft, step="categories"), said="sending.refused-here", tone="bad")
    except (ConnectorError, SealRefusedError) as error:
        if isinstance(error, ConnectorError) and error.code.endswith("-unknown"):
            raise
        return redirect(check, 303)  # which says what is in the way
    return follow(visit, sent.message, visit.site.courier.deliver(sent.key))


def _not_ready(sheet: Sheet) -> Response | None:
    found = sheet.first_fault()
    step = _missing_before(sheet, "check") or (found[0] if found else None)
    if step is None:
        return None
    return see(url_for("sending.step", draft=sheet.draft.id, step=step), said="sending.not-ready", tone="warn")


def _missing_before(sheet: Sheet, step: str) -> str | None:
    """Name the earlier page without which this one has nothing to show."""
    order = rules.STEPS.index(step)
    if order > rules.STEPS.index("purpose") and sheet.filled.values.get("purpose") not in rules.purposes():
        return "purpose"
    chosen = sheet.recipient is not None and sheet.recipient.id == sheet.draft.fields.get("recipient")
    return "recipient" if order > rules.STEPS.index("recipient") and not chosen else None


def _over(sheet: Sheet, step: str, form: MultiDict[str, str]) -> MultiDict[str, str]:
    """Give all fields of the draft with those of this page as they were sent, and what the page asks besides."""
    values = fields.as_form({**sheet.filled.values.to_dict(flat=False), **fields.collect(step, form)})
    merged: MultiDict[str, str] = MultiDict()
    for name, listed in values.lists():
        merged.setlist(name, listed)
    if "no_my_number" in form:
        merged["no_my_number"] = form["no_my_number"]
    return merged


def _facts(sheet: Sheet, step: str, numbers: list[tuple[str, str]] | None = None) -> Mapping[str, Any]:
    texts = {one: fields.text_of(sheet.filled, one) for one in fields.chosen(sheet.filled)}
    return {
        "sheet": sheet,
        "bar": sheet.bar,
        "draft": sheet.draft.id,
        "step": step,
        "purposes": rules.purposes(),
        "origin": None,
        "to": "",
        "sheet_id": "",
        "chosen": fields.chosen(sheet.filled),
        "noticed": rules.noticed(texts, overview.barred(sheet), lexicon.words()),
        "numbers": numbers if numbers is not None else (sheet.open_numbers(sheet.parts()) if step == "content" else []),
        "missing": overview.missing(sheet),
    }


def _nobody(visit: Visit) -> fields.Surroundings:
    return fields.Surroundings(
        now=visit.at, calendar=visit.site.calendar, recipients=frozenset(), colleagues=frozenset()
    )
