# SPDX-License-Identifier: Apache-2.0
"""The wizard's verbs: begin, save, attach, send in one transaction, and take up again what the hub would not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from connectors.base.errors import ConnectorError
from connectors.casebook import (
    access,
    compose,
    deeds,
    drafts,
    marks,
    mirror,
    receive,
    referral_files,
    sheets,
    statements,
)
from connectors.casebook.compose import WrittenPart
from connectors.casebook.deeds import Deed
from connectors.casebook.receive import ReadPart
from connectors.casebook.referral_files import ReferralFile
from connectors.desk.sending import fields, letters, reads
from connectors.desk.sending.reads import KIND, Sheet
from connectors.desk.sheets import offers
from connectors.desk.web.contents import FORM_MEDIA, TEXT_MEDIA, Part, is_of_a_sheet, lines_of
from connectors.desk.web.texts import text
from connectors.desk.web.turns import turn_of
from connectors.desk.web.visits import Visit
from connectors.sdk.threads import ReferralDetail
from consent.keys import KeyUse

_BY_CONFERENCE: Final = "reroute_review"
_OPEN_ENDED: Final = frozenset({"declined", _BY_CONFERENCE})
"""States in which a need waits for its next referral: by its sender, or as a conference decided."""
_DECLINE: Final = "decline"
_NOT_TAKEN_UP: Final = frozenset(
    {"marked", "picked_for", "categories", "from", "version", "suggested", "conference", "move_reason"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A letter that was sealed and queued: its id, which is the thread's, and the key of its row in the outbox."""

    message: str
    key: str


class ChangedSinceError(ConnectorError):
    """What would be sent is not what was looked at on the check page."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("changed-since")


def begin(
    connection: Connection,
    visit: Visit,
    *,
    case: str,
    form: MultiDict[str, str],
    origin: ReferralDetail | None,
    to: str = "",
    sheet: str = "",
) -> str:
    """Begin a draft with what the page of the purpose holds; one that takes a declined need further keeps its text.

    `to`: the agency from whose entry of the directory somebody came. `sheet`: the settled sheet that goes with it.

    *Raises* `ConnectorError` as `attached_sheet`.
    """
    said = fields.collect("purpose", form)
    enclosed = attached_sheet(connection, case, sheet) if sheet else []
    if sheet:
        why = text("sending.why-sheet", visit.language)
        said |= {"sheet": sheet, **{f"why_{part.category}": why for part in enclosed}}
    if to:
        said["suggested_by_me"] = to
    if origin is not None:
        said = {**earlier(connection, visit, origin), **said}
    pen = visit.pen()
    made = drafts.begin(connection, pen, kind=KIND, case=case, fields=said)
    if origin is not None:
        _take_files(connection, visit, made, origin.message)
    for part in enclosed:
        name = text("sending.sheet-name", visit.language)
        drafts.add_file(connection, pen, made, belongs_to=part.category, name=name, media=part.media, body=part.body)
    access.record(connection, staff=visit.me.id, action="draft:begun", about=made, case=case, now=visit.at)
    return made


def attached_sheet(connection: Connection, case: str, sheet: str) -> list[WrittenPart]:
    """Write the parts of a settled sheet of the case, one for each consent category.

    *Raises* `ConnectorError`: `sheet-unknown`; as `offers.require_shareable`.
    """
    known = sheets.sheet(connection, sheet)
    if known.case != case:
        raise ConnectorError("sheet-unknown")
    definition = sheets.definition_of(connection, known)
    offers.require_shareable(definition, known)
    return [
        compose.plain_part(category, FORM_MEDIA, body)
        for category, (_, body) in offers.bodies_of(definition, known).items()
    ]


def _require_sheet(connection: Connection, sheet: Sheet) -> None:
    """Hold a sheet that goes with the letter to whether it still may: it may have been replaced since.

    *Raises* as `attached_sheet`.
    """
    enclosed = sheet.draft.fields.get("sheet")
    if isinstance(enclosed, str) and enclosed:
        attached_sheet(connection, sheet.case, enclosed)


def declined(connection: Connection, visit: Visit, referral: str) -> ReferralDetail:
    """Give a declined referral that we can take further: our own, or one we coordinate after a conference.

    *Raises* `ConnectorError`: `referral-unknown`, `not-declined`.
    """
    detail = mirror.detail_of(connection, referral)
    if detail is None or visit.site.connector.agency not in {detail.sender, detail.coordinator}:
        raise ConnectorError("referral-unknown")
    if detail.state not in _OPEN_ENDED:
        raise ConnectorError("not-declined")
    return detail


def earlier(connection: Connection, visit: Visit, origin: ReferralDetail) -> dict[str, Any]:
    """Give the fields of a draft as the declined referral had them, the agency that was named instead chosen first."""
    file = referral_files.file_of(connection, origin.thread, visit.site.connector.agency)
    kept = file.document.get("fields", {}) if file else {}
    known = {name: value for name, value in kept.items() if name not in _NOT_TAKEN_UP | {"recipient", "answer_on"}}
    texts = {} if file else _texts(connection, visit, origin.message)
    named = next((move.facts for move in reversed(origin.history) if move.event == _DECLINE), {})
    suggested = named.get("other_agency")
    return {
        "purpose": origin.purpose,
        "urgency": origin.urgency,
        "request_kind": origin.request_kind or "interview",
        **known,
        **texts,
        "from": origin.id,
        "version": origin.version,
        "conference": "yes" if origin.state == _BY_CONFERENCE else "no",
        **({"suggested": suggested} if isinstance(suggested, str) else {}),
    }


def save(connection: Connection, visit: Visit, draft: str, step: str, form: MultiDict[str, str]) -> None:
    """Keep what a page holds, read and found good before.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    known = reads.draft_of(connection, visit, draft)
    said = fields.collect(step, form)
    drafts.save(connection, visit.pen(), draft, turn=turn_of(form), **said, **_picked(step, {**known.fields, **said}))


def keep(connection: Connection, visit: Visit, draft: str, step: str, form: MultiDict[str, str]) -> None:
    """Keep what a page holds at this moment, finished or not.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    known = reads.draft_of(connection, visit, draft)
    said = fields.keepable(step, form)
    drafts.save(connection, visit.pen(), draft, turn=turn_of(form), **said, **_picked(step, {**known.fields, **said}))


def deny_numbers(connection: Connection, visit: Visit, sheet: Sheet) -> None:
    """Note that a person looked at digits and said that they are no My Number; the answer is in the access log."""
    numbers = sheet.open_numbers(sheet.parts())
    known = sheet.draft.fields.get("no_my_number", [])
    digests = sorted({*known, *(letters.denied_digest(number) for _, number in numbers)})
    drafts.save(connection, visit.pen(), sheet.draft.id, no_my_number=digests)
    access.record(
        connection,
        staff=visit.me.id,
        action="my-number:denied",
        about=sheet.draft.id,
        case=sheet.case,
        now=visit.at,
    )


def drop(connection: Connection, visit: Visit, draft: str) -> None:
    """Throw a draft away.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    known = reads.draft_of(connection, visit, draft)
    drafts.drop(connection, draft, staff=visit.me.id)
    access.record(connection, staff=visit.me.id, action="draft:dropped", about=draft, case=known.case, now=visit.at)


def rehearse(connection: Connection, visit: Visit, sheet: Sheet) -> Sequence[Part]:
    """Seal the letter and open our own copy of it: the parts as the recipient will see them; nothing of it is kept.

    *Raises* as `compose.rehearse`.
    """
    _require_sheet(connection, sheet)
    pen = visit.pen()
    statements.renew_statuses(connection, pen)
    own = visit.site.connector.keystore.current(KeyUse.ENC, visit.at)
    return compose.rehearse(connection, sheet.letter(), pen, own=own)


def send(connection: Connection, visit: Visit, sheet: Sheet, looked_at: str) -> Sent:
    """Decide, seal, keep, number and queue: all of it, or nothing. The draft has become a referral.

    *Raises* `ChangedSinceError`; as `compose.send`.
    """
    letter = sheet.letter()
    if letters.print_of(letter) != looked_at:
        raise ChangedSinceError
    _require_sheet(connection, sheet)
    pen = visit.pen()
    statements.renew_statuses(connection, pen)
    own = visit.site.connector.keystore.current(KeyUse.ENC, visit.at).public
    if sheet.origin is None:
        message = compose.send(connection, letter, pen, own=own)
        key = deeds.waiting_about(connection, message)[-1].key
    else:
        message, sealed = compose.prepare(connection, letter, pen, own=own)
        body: dict[str, Any] = {"manifest": sealed.manifest, "parts": list(sealed.parts)}
        if letter.telephone is not None:
            body["telephone"] = dict(letter.telephone)
        version = int(sheet.draft.fields["version"])
        reason = sheet.filled.values.get("move_reason") if sheet.draft.fields.get("conference") == "yes" else None
        key = deeds.refer_on(
            connection,
            pen,
            referral=sheet.origin,
            message=message,
            body=body,
            version=version,
            reason=reason,
        )
    document = {
        "key": key,
        "recipient": letter.recipient,
        "purpose": letter.purpose,
        "urgency": letter.urgency,
        "categories": list(dict.fromkeys(part.category for part in letter.parts)),
        "fields": {**sheet.draft.fields, **_filled(sheet)},
        "files": [[one.belongs_to, one.name] for one in sheet.files],
    }
    referral_files.open_file(
        connection, pen, thread=message, opener=pen.agency, case=sheet.case, worker=visit.me.id, document=document
    )
    drafts.drop(connection, sheet.draft.id, staff=visit.me.id)
    marks.remember(connection, _sent_mark(visit, sheet.draft.id), message)
    return Sent(message=message, key=key)


def became(connection: Connection, visit: Visit, draft: str) -> str | None:
    """Name the message that a draft of this person's has become: for a second click on the button."""
    return marks.recall(connection, _sent_mark(visit, draft))


def take_up_again(connection: Connection, visit: Visit, file: ReferralFile, refused: Deed) -> str:
    """Make a draft again of what the hub refused, everything kept, with what it said of each category; give its id.

    A second call gives the same draft while it is there.
    """
    before = file.document.get("again")
    if isinstance(before, str) and before in {one.id for one in drafts.drafts_of(connection, visit.me.id)}:
        return before
    said = dict(file.document.get("fields", {}))
    decisions = refused.answer.get("decisions", [])
    said["marked"] = {
        str(one["category"]): {"reason": str(one.get("reason")), "remedy": str(one.get("remedy"))}
        for one in decisions
        if isinstance(one, Mapping) and one.get("outcome") == "refused"
    }
    said["categories"] = [one for one in said.get("categories", []) if one not in said["marked"]]
    made = drafts.begin(connection, visit.pen(), kind=KIND, case=file.case, fields=said)
    named = [(str(category), str(name)) for category, name in file.document.get("files", [])]
    _take_files(connection, visit, made, file.thread, named)
    referral_files.note(connection, file, again=made)
    access.record(connection, staff=visit.me.id, action="draft:begun", about=made, case=file.case, now=visit.at)
    return made


def _picked(step: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"picked_for": reads.picked_for(values)} if step == "categories" else {}


def _filled(sheet: Sheet) -> dict[str, Any]:
    """Give every field as it stood when it was sent, defaults too."""
    values = sheet.filled.values
    several = {"categories", "troubles"}
    return {
        name: values.getlist(name) if name in several else values[name] for name in values if name != "picked_for"
    } | {"picked_for": reads.picked_for(values)}


def _sent_mark(visit: Visit, draft: str) -> str:
    return f"sent-draft:{visit.me.id}:{draft}"


def _texts(connection: Connection, visit: Visit, message: str) -> dict[str, str]:
    """Give the texts of a message of ours that no file tells of: one that was sent from the command line."""
    made: dict[str, str] = {}
    for part in _own_parts(connection, visit, message):
        if part.media in {FORM_MEDIA, TEXT_MEDIA} and not is_of_a_sheet(part):
            said = lines_of(part.body, visit.language) or part.body.decode("utf-8", errors="replace")
            made[f"text_{part.category}"] = "\n".join(filter(None, (made.get(f"text_{part.category}"), said)))
    return made


def _take_files(
    connection: Connection, visit: Visit, draft: str, message: str, named: Sequence[tuple[str, str]] = ()
) -> None:
    """Put the files of a message of ours with a draft, the parts of a sheet among them, by the names they had."""
    attached = [
        part
        for part in _own_parts(connection, visit, message)
        if is_of_a_sheet(part) or part.media not in {FORM_MEDIA, TEXT_MEDIA}
    ]
    left = list(named)
    for n, part in enumerate(attached):
        known = next((one for one in left if one[0] == part.category), None)
        if known is not None:
            left.remove(known)
        name = known[1] if known else f"{n + 1}"
        drafts.add_file(
            connection, visit.pen(), draft, belongs_to=part.category, name=name, media=part.media, body=part.body
        )


def _own_parts(connection: Connection, visit: Visit, message: str) -> Sequence[ReadPart]:
    """Give what we sent; a casebook that came back from an older copy may not have it."""
    try:
        return receive.read(connection, message, visit.site.connector.agency, visit.pen())
    except ConnectorError:
        return ()
