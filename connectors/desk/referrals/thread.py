# SPDX-License-Identifier: Apache-2.0
"""Pages of a referral's thread and journal: opening a message, its parts, writing one, writing down a contact."""

from __future__ import annotations

import io
from typing import Any, Final

from flask import Blueprint, redirect, request, send_file, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes
from connectors.casebook import journal, receive
from connectors.casebook.compose import RefusedHereError
from connectors.casebook.deeds import Deed
from connectors.casebook.receive import ReadPart
from connectors.desk.referrals import parts, picture, reads, service
from connectors.desk.referrals.service import Writing
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Access, Visit
from connectors.desk.web.when import clock_of
from consent.envelope.manifest import MessageKind

blueprint: Final = Blueprint("referrals", __name__)

WRITTEN: Final = (MessageKind.REPLY, MessageKind.QUESTION, MessageKind.DOCUMENT)
"""What can be written into a thread by itself; other kinds go with a move or a record of their own."""
_MARKS: Final = {"sent": "good", "waiting": "wait", "refused": "bad"}


def outcome(visit: Visit, url: str, deed: Deed, what: str) -> Response:
    """Go on after something was queued, and say whether it got there: sent, waiting or refused with its reason."""
    why = reason(visit, deed) if deed.state == "refused" else ""
    return see(url, said=f"referrals.said-{deed.state}", tone=_MARKS[deed.state], what=what, why=why)


def reason(visit: Visit, deed: Deed) -> str:
    """Say in words why the hub did not take something."""
    key = f"referrals.problem-{deed.code}"
    if is_text(key):
        return text(key, visit.language)
    return str(deed.answer.get("detail") or text("referrals.problem-other", visit.language, code=deed.code or ""))


def blame_refusal(filled: Filled, name: str, error: ConnectorError, visit: Visit) -> None:
    """Blame the field whose words could not be sealed, and say why: consent, an old word, what looks like a number."""
    if isinstance(error, RefusedHereError):
        category, refused = error.refused[0]
        filled.blame(
            name,
            "referrals.fault-refused",
            category=codes("categories")[category][visit.language],
            reason=codes("decision_reasons")[refused.reason.value][visit.language],
            remedy=codes("remedy")[refused.remedy.value][visit.language],
        )
        return
    key = f"referrals.fault-{error.code}"
    filled.blame(name, key if is_text(key) else "referrals.fault-not-sealed")


@page(blueprint, "/referrals/<referral>/messages/<sender>/<message>", who=Access.CASEWORK)
def message(visit: Visit, referral: str, sender: str, message: str) -> tuple[str, int]:
    """Show a message: what it brought, once somebody has opened it; before that, what it announces."""
    with visit.book() as connection:
        shown = picture.picture(connection, visit, referral)
        held = service.held_of(connection, referral, message, sender)
        own = sender == visit.site.connector.agency
        closed = not own and held.read_at is None
        found = (
            parts.outside(connection, held, now=visit.at)
            if closed
            else parts.open_message(connection, held, visit.pen(), visit.language)
        )
        told_on = None if own or closed else parts.told_on(connection, held, visit.pen())
    return render(
        "referrals/message.html",
        shown=shown, bar=shown.bar, held=held, parts=found, closed=closed, told_on=told_on,
    )  # fmt: skip


@page(blueprint, "/referrals/<referral>/messages/<sender>/<message>/open", who=Access.CASEWORK, methods=("POST",))
def open_message(visit: Visit, referral: str, sender: str, message: str) -> Response:
    """Open a message on purpose; its sender learns that it was opened."""
    with visit.book() as connection:
        picture.bar_of(connection, visit, _row(connection, visit, referral))
    service.open_message(visit, referral, message, sender)
    return redirect(url_for("referrals.message", referral=referral, sender=sender, message=message), 303)


@page(blueprint, "/referrals/<referral>/messages/<sender>/<message>/parts/<int:n>", who=Access.CASEWORK)
def part(visit: Visit, referral: str, sender: str, message: str, n: int) -> Response:
    """Give a part as a file to be kept, never to be shown by the browser itself."""
    found, number = _part(visit, referral, sender, message, n)
    name = parts.file_name(number, found.category, n, found.media, visit.language)
    answer = send_file(
        io.BytesIO(found.body), mimetype="application/octet-stream", as_attachment=True, download_name=name
    )
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@page(blueprint, "/referrals/<referral>/messages/<sender>/<message>/pictures/<int:n>", who=Access.CASEWORK)
def part_picture(visit: Visit, referral: str, sender: str, message: str, n: int) -> Response:
    """Show a picture, written anew from its pixels alone.

    *Raises* NotFound: it is none that can be shown.
    """
    found, _ = _part(visit, referral, sender, message, n)
    anew = parts.picture(found)
    if anew is None:
        raise NotFound
    media, body = anew
    answer = send_file(io.BytesIO(body), mimetype=media)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@page(blueprint, "/referrals/<referral>/write", who=Access.CASEWORK, methods=("GET", "POST"))
def write(visit: Visit, referral: str) -> Response | tuple[str, int]:
    """Write into the thread: a reply, a question or a document; each category with whether it may be told."""
    if request.method == "POST":
        service.learn(visit, referral)
    with visit.book() as connection:
        shown = picture.picture(connection, visit, referral)
        if shown.detail is None:
            raise ConnectorError("referral-unknown")
        decided = picture.may_say(connection, visit, shown.detail)
    allowed = picture.permitted(decided, "reply")
    facts: dict[str, Any] = {
        "shown": shown, "bar": shown.bar, "allowed": allowed, "once": visit.site.connector.new_id(),
        "denied": [(category, answer) for category, answer in decided if category not in allowed],
        "kind": _asked_kind(),
    }  # fmt: skip
    if request.method == "GET":
        return render("referrals/write.html", **facts)
    filled = Filled.of_request()
    writing = _writing(filled, allowed)
    if filled.is_fine and writing is not None:
        try:
            deed = service.say(visit, referral, writing)
        except ConnectorError as error:
            blame_refusal(filled, "text", error, visit)
        else:
            what = codes("message_kind")[writing.kind.value][visit.language]
            return outcome(visit, url_for("referrals.referral", referral=referral), deed, what)
    return render_again("referrals/write.html", filled, **facts)


@page(blueprint, "/referrals/<referral>/journal", who=Access.CASEWORK, methods=("GET", "POST"))
def contact(visit: Visit, referral: str) -> Response | tuple[str, int]:
    """Write down a call, a visit or a note; it stays at this agency."""
    with visit.book() as connection:
        shown = picture.picture(connection, visit, referral)
    facts: dict[str, Any] = {
        "shown": shown, "bar": shown.bar, "once": visit.site.connector.new_id(), "kinds": _kinds(visit),
        "now_day": visit.today.isoformat(), "now_time": clock_of(visit.at),
    }  # fmt: skip
    if request.method == "GET":
        return render("referrals/journal.html", **facts)
    filled = Filled.of_request()
    kind, channel = filled.code("kind", journal.KINDS, required=True), filled.code("channel", "channel")
    said, once = filled.text("text", required=True), filled.line("once", required=True, longest=64)
    at = filled.moment("day", "time", required=True)
    if at is not None and at > visit.at:
        filled.blame("day", "referrals.fault-in-future")
    if not filled.is_fine or kind is None or at is None:
        return render_again("referrals/journal.html", filled, **facts)
    with visit.book() as connection:
        service.write_journal(connection, visit, referral, once=once, kind=kind, channel=channel, at=at, text=said)
    return see(url_for("referrals.referral", referral=referral), said="referrals.journal-kept")


def _writing(filled: Filled, allowed: list[str]) -> Writing | None:
    kind = filled.code("kind", [one.value for one in WRITTEN], required=True)
    paper = filled.paper("paper")
    said = filled.text("text", required=paper is None)
    if not allowed:
        filled.blame("text", "referrals.fault-nothing-permitted")
    category = filled.code("category", allowed, required=bool(allowed))
    once = filled.line("once", required=True, longest=64)
    if not filled.is_fine or kind is None or category is None:
        return None
    return Writing(
        kind=MessageKind(kind),
        category=category,
        text=said,
        paper=(paper[0].media, paper[0].body) if paper else None,
        acknowledged=filled.has("acknowledged"),
        once=once,
    )


def _part(visit: Visit, referral: str, sender: str, message: str, n: int) -> tuple[ReadPart, str]:
    """Read one part of a message that somebody has opened already.

    *Raises* NotFound: there is no such part, it is not here, or nobody has opened the message.
    """
    with visit.book() as connection:
        row = _row(connection, visit, referral)
        picture.bar_of(connection, visit, row)
        held = service.held_of(connection, referral, message, sender)
        if sender != visit.site.connector.agency and held.read_at is None:
            raise NotFound
        read = receive.read(connection, message, sender, visit.pen())
    found = next((one for one in read if one.n == n), None)
    if found is None:
        raise NotFound
    return found, row.number or row.case_number or referral[:8]


def _row(connection: Any, visit: Visit, referral: str) -> reads.Row:
    site = visit.site
    return reads.row_of(
        connection,
        referral,
        agency=site.connector.agency,
        language=visit.language,
        now=visit.at,
        calendar=site.calendar,
    )


def _asked_kind() -> str:
    wish = request.args.get("kind", "")
    return wish if wish in {one.value for one in WRITTEN} else MessageKind.REPLY.value


def _kinds(visit: Visit) -> list[tuple[str, str]]:
    return [(one, text(f"referrals.journal-{one}", visit.language)) for one in journal.KINDS]
