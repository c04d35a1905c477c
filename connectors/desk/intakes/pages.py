# SPDX-License-Identifier: Apache-2.0
"""Pages of the intake form (ux D6): lists, the form, the check before it is taken, the receipt, the paper to print."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Answer

from connectors.base.errors import ConnectorError
from connectors.base.labels import label
from connectors.casebook import drafts, scans
from connectors.desk.cases.reads import person_bar
from connectors.desk.intakes import drafting, reads, rules, service
from connectors.desk.intakes.choices import REFUSALS, count
from connectors.desk.intakes.drafting import Sheet
from connectors.desk.intakes.reads import Candidate
from connectors.desk.intakes.service import NEW_PERSON, Intake, Whom
from connectors.desk.intakes.signing import paths, read_strokes
from connectors.desk.staff.reads import names_of
from connectors.desk.web.filling import Fault, Filled
from connectors.desk.web.gate import page
from connectors.desk.web.papers import ENDINGS
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit
from connectors.desk.web.when import clock_of
from consent.calendar import day_of
from consent.errors import TsunagiError
from consent.scopes import ANY

blueprint: Final = Blueprint("intakes", __name__)

View = Answer | str | tuple[str, int]
_TONES: Final = {"sent": "good", "waiting": "wait", "refused": "bad"}
_STAY: Final = {"refresh": "#s3", "clear": "#s4"}
"""Buttons that keep what was written and show the same page again, at this place."""


@page(blueprint, "/intakes", who=Access.CASEWORK)
def intakes(visit: Visit) -> View:
    """List what was begun, what waits for a signature, what has no consent, and every form that was signed."""
    with visit.book() as connection:
        found = reads.lists(connection, visit, before=request.args.get("before"))
    return render("intakes/list.html", lists=found)


@page(blueprint, "/intakes/new", who=Access.CASEWORK)
def new(visit: Visit) -> View:
    """Begin a form, for somebody new or from a case; or the consent that is renewed together with a plan."""
    with visit.book() as connection:
        made = drafting.begin(connection, visit, case=request.args.get("case"), plan=request.args.get("plan"))
    return redirect(url_for("intakes.draft", draft=made), 303)


@page(blueprint, "/intakes/blank", who=Access.STAFF)
def blank(visit: Visit) -> View:
    """Show the empty form to print and write on: one page A4."""
    return render("intakes/paper.html", sheet=None, **_lists_of_the_form(visit))


@page(blueprint, "/intakes/drafts/<draft>", who=Access.CASEWORK, methods=("GET", "POST"))
def draft(visit: Visit, draft: str) -> View:
    """Fill a form in: every button keeps what was written first."""
    if request.method == "GET":
        sheet = _sheet(visit, draft)
        return sheet if isinstance(sheet, Answer) else _form(visit, sheet)
    with visit.book() as connection:
        if reads.taken_or_none(connection, draft) is not None:
            return redirect(url_for("intakes.intake", form=draft), 303)
        values = request.form.copy()
        if values.get("do") == "clear":
            values.poplist("strokes")
        drafting.save(connection, visit, draft, values)
        scan = drafting.put_scan(connection, visit, draft, request.files)
        sheet = drafting.open_sheet(connection, visit, draft)
    if not scan.is_fine:
        return _form(visit, sheet, dict(scan.faults))
    return _go_on(visit, sheet, request.form.get("do", ""))


@page(blueprint, "/intakes/drafts/<draft>/save", who=Access.CASEWORK, methods=("POST",))
def autosave(visit: Visit, draft: str) -> View:
    """Keep what the page holds now, without a word about what is wrong with it."""
    with visit.book() as connection:
        drafting.save(connection, visit, draft, request.form)
    return Response(text("intakes.saved-at", visit.language, at=clock_of(visit.at)), mimetype="text/plain")


@page(blueprint, "/intakes/drafts/<draft>/sentence", who=Access.CASEWORK, methods=("POST",))
def sentence(visit: Visit, draft: str) -> View:
    """Give the sentence that is read aloud, as the boxes stand now; they are kept by the way."""
    with visit.book() as connection:
        drafting.save(connection, visit, draft, request.form)
        sheet = drafting.open_sheet(connection, visit, draft)
    return render("intakes/sentence.html", choice=sheet.choice, ends=_ends(sheet))


@page(blueprint, "/intakes/drafts/<draft>/drop", who=Access.CASEWORK, methods=("POST",))
def drop(visit: Visit, draft: str) -> View:
    """Throw a form away that was begun."""
    with visit.book() as connection:
        drafts.drop(connection, draft, staff=visit.me.id)
    return see(url_for("intakes.intakes"), said="intakes.dropped")


@page(blueprint, "/intakes/drafts/<draft>/scan", who=Access.CASEWORK)
def draft_scan(visit: Visit, draft: str) -> View:
    """Give the scan of a form that is not taken yet, to look whether it can be read."""
    with visit.book() as connection:
        sheet = drafting.open_sheet(connection, visit, draft)
    if sheet.scan is None:
        raise NotFound
    return _file(sheet.scan.body, sheet.scan.media, "scan")


@page(blueprint, "/intakes/drafts/<draft>/paper", who=Access.CASEWORK)
def paper(visit: Visit, draft: str) -> View:
    """Show the form as it is filled in, to print and sign."""
    sheet = _sheet(visit, draft)
    if isinstance(sheet, Answer):
        return sheet
    return render("intakes/paper.html", sheet=sheet, ends=_ends(sheet), **_lists_of_the_form(visit))


@page(blueprint, "/intakes/drafts/<draft>/check", who=Access.CASEWORK, methods=("GET", "POST"))
def check(visit: Visit, draft: str) -> View:
    """Show the whole form once more, offer whoever may be the same person, and take it."""
    sheet = _sheet(visit, draft)
    if isinstance(sheet, Answer):
        return sheet
    intake = drafting.read(visit, sheet)
    if not sheet.filled.is_fine:
        return _form(visit, sheet, sheet.filled.faults)
    candidates = _candidates(visit, sheet, intake)
    filled = Filled.of_request()
    show = partial(_check_page, visit, sheet, intake, candidates)
    if request.method == "GET":
        return show(None)
    whom = _whom(filled, sheet, candidates)
    if intake.paper is not None and not filled.has("legible"):
        filled.blame("legible", "intakes.fault-legible")
    if not filled.is_fine:
        return show(filled)
    say = partial(_say, "ja")
    try:
        with visit.book() as connection:
            key = service.register(connection, visit, intake, whom, say)
    except TsunagiError:
        sheet.filled.blame("m", "intakes.fault-scope")
        return _form(visit, sheet, sheet.filled.faults)
    state = visit.site.courier.deliver(key).state if key else "waiting"
    return see(url_for("intakes.intake", form=draft), said=f"intakes.taken-{state}", tone=_TONES[state])


@page(blueprint, "/intakes/<form>", who=Access.CASEWORK)
def intake(visit: Visit, form: str) -> View:
    """Show a form that was taken: its number, what became of each record, what is to be done next."""
    with visit.book() as connection:
        taken = reads.taken(connection, form)
        facts: dict[str, Any] = {
            "bar": person_bar(connection, visit, taken.case),
            "records": reads.records(connection, form),
            "scans": reads.held_scans(connection, form),
            "partners": reads.names_of_partners(connection),
            "staff": names_of(connection, [taken.received_by]),
        }
    left = rules.days_left(day_of(taken.signed_at), visit.today) if taken.signed_at else 0
    return render("intakes/taken.html", taken=taken, days_left=left, **facts)


@page(blueprint, "/intakes/<form>/scan/<scan>", who=Access.CASEWORK)
def scan(visit: Visit, form: str, scan: str) -> View:
    """Give a scan to look at; that somebody did is logged."""
    with visit.book() as connection:
        taken = reads.taken(connection, form)
        person_bar(connection, visit, taken.case)
        found = next((one for one in scans.scans_of_form(connection, form) if one.id == scan), None)
        if found is None:
            raise NotFound
        scans.seen(connection, visit.pen(), found)
    return _file(found.body, found.media, f"scan-{taken.number}")


@page(blueprint, "/intakes/<form>/complete", who=Access.CASEWORK, methods=("POST",))
def complete(visit: Visit, form: str) -> View:
    """Go on with a form whose signature is to come, or that asked for no consent: a new form, filled in as that one."""
    with visit.book() as connection:
        taken = reads.taken(connection, form)
        if taken.followed_by is not None:
            raise ConnectorError("intake-completed")
        if any(not one.is_evidence for one in reads.held_scans(connection, form)):
            raise ConnectorError("scan-changed")
        person_bar(connection, visit, taken.case)
        made = drafting.begin(connection, visit, case=taken.case, completes=form)
    return redirect(url_for("intakes.draft", draft=made) + "#s4", 303)


def _sheet(visit: Visit, draft: str) -> Sheet | Answer:
    """Give a form that is being filled in; one that was taken since leads to its receipt."""
    with visit.book() as connection:
        if reads.taken_or_none(connection, draft) is not None:
            return redirect(url_for("intakes.intake", form=draft), 303)
        return drafting.open_sheet(connection, visit, draft)


def _go_on(visit: Visit, sheet: Sheet, do: str) -> View:
    """Do what the button says, after what was written has been kept."""
    draft = sheet.draft.id
    if do in _STAY:
        return redirect(url_for("intakes.draft", draft=draft) + _STAY[do], 303)
    if do == "save":
        return see(url_for("intakes.intakes"), said="intakes.saved")
    if do == "paper":
        return redirect(url_for("intakes.paper", draft=draft), 303)
    drafting.read(visit, sheet)
    if not sheet.filled.is_fine:
        return _form(visit, sheet, sheet.filled.faults)
    return redirect(url_for("intakes.check", draft=draft), 303)


def _form(visit: Visit, sheet: Sheet, faults: dict[str, Fault] | None = None) -> tuple[str, int]:
    filled = Filled(values=sheet.filled.values, faults=dict(faults or {}))
    facts = {
        "sheet": sheet,
        "ends": _ends(sheet),
        "count": count(sheet.choice),
        "paths": paths(read_strokes(Filled(values=sheet.filled.values))),
        "staff_all": [(one.id, one.name) for one in sheet.colleagues],
        "refusals": [(n, any(sheet.filled.has(f"no{n}_{one}") for one in ("words", "to", "what"))) for n in REFUSALS],
        "whom": [(ANY, text("intakes.everybody", visit.language)), *sheet.whom_refusals_name(visit)],
        **_lists_of_the_form(visit),
    }
    if faults:
        return render_again("intakes/form.html", filled, **facts)
    return render("intakes/form.html", filled=filled, **facts)


def _lists_of_the_form(visit: Visit) -> dict[str, Any]:
    say = partial(_say, visit.language)
    return {
        "sexes": [(one, say(f"intakes.sex-{one}")) for one in rules.SEXES],
        "topics": [(one, label("trouble", one, visit.language)) for one in rules.TOPICS],
        "relations": [(one, say(f"intakes.relation-{one}")) for one in rules.RELATIONS],
        "address_facts": [(one, say(f"intakes.address-{one}")) for one in rules.ADDRESS_FACTS],
        "asked": [(one, say(f"intakes.field-{one}")) for one in rules.ASKED],
        "last_oral_day": rules.last_oral_day(visit.today),
    }


def _candidates(visit: Visit, sheet: Sheet, intake: Intake) -> list[Candidate]:
    if sheet.draft.case is not None:
        return []
    with visit.book() as connection:
        return reads.same_person(connection, visit, kana=intake.told.kana, born_on=intake.told.born_on)


def _whom(filled: Filled, sheet: Sheet, candidates: list[Candidate]) -> Whom:
    """Read whose form it is. Where somebody may be the same person the worker says so or not: nobody is merged."""
    replaces = filled.has("replaces")
    if sheet.draft.case is not None:
        return Whom(said=f"case:{sheet.draft.case}", replaces=replaces)
    if not candidates:
        return Whom(said=NEW_PERSON)
    known = [value for value, *_ in _offers(candidates)]
    said = filled.code("whom", [NEW_PERSON, *known], required=True)
    return Whom(said=said or NEW_PERSON)


def _offers(candidates: list[Candidate]) -> list[tuple[str, Candidate, str]]:
    offers = []
    for one in candidates:
        offers += [(f"case:{case}", one, file.number if file else case[:8]) for case, file in one.cases]
        if not one.cases:
            offers.append((f"person:{one.person.id}", one, ""))
    return offers


def _check_page(
    visit: Visit, sheet: Sheet, intake: Intake, candidates: list[Candidate], filled: Filled | None
) -> tuple[str, int]:
    with visit.book() as connection:
        bar = person_bar(connection, visit, sheet.draft.case) if sheet.draft.case else None
        staff = names_of(connection, [intake.told.received_by])
        has_consents = bool(bar) and service.has_own_consents(connection, visit, sheet.draft.case or "")
    facts = {
        "sheet": sheet,
        "intake": intake,
        "bar": bar,
        "staff": staff,
        "offers": _offers(candidates),
        "has_consents": has_consents and intake.completes is None and intake.signed.asks_consent,
        "ends": _ends(sheet),
        "paths": paths(intake.signed.strokes),
        "count": count(intake.choice),
    }
    if filled is not None:
        return render_again("intakes/check.html", filled, **facts)
    return render("intakes/check.html", **facts)


def _ends(sheet: Sheet) -> Any:
    """Give the last day on which the consent counts."""
    return sheet.last_day


def _file(body: bytes, media: str, name: str) -> Response:
    answer = Response(body, mimetype=media)
    where = "inline" if media != "application/pdf" else "attachment"
    answer.headers["Content-Disposition"] = f'{where}; filename="{name}{ENDINGS[media][0]}"'
    return answer


def _say(language: Any, key: str) -> str:
    return text(key, language)
