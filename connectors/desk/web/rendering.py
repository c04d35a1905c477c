# SPDX-License-Identifier: Apache-2.0
"""Turn a template into a page: texts by key, labels of codes, days and moments, icons, the frame's own facts.

In every template: `t(key, **places)`, `label(list, code)`, `day(value, form)`, `moment(value)`, `clock(value)`,
`deadline(due)`, `late(due)`, `furigana(text)`, `visit`, `lang`, `may(access)`, `line` (how the line to the hub is).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, flash, redirect, render_template
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response

from connectors.base.labels import codes, label
from connectors.base.wareki import age_on, say_day
from connectors.desk.web import courier, when
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import visit_of_request
from connectors.desk.web.texts import ruby, text
from connectors.desk.web.visits import Access, Visit
from consent.calendar import day_of

SEE_OTHER: Final = 303
UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True)
class Menu:
    """One line of the menu: endpoint, icon, key of its text, and who sees it."""

    endpoint: str
    icon: str
    key: str
    who: Access


MENU: Final = (
    Menu("board.board", "board", "web.menu-board", Access.CASEWORK),
    Menu("inbox.inbox", "inbox", "web.menu-inbox", Access.CASEWORK),
    Menu("referrals.referrals", "send", "web.menu-referrals", Access.CASEWORK),
    Menu("cases.cases", "people", "web.menu-cases", Access.CASEWORK),
    Menu("followups.followups", "walk", "web.menu-followups", Access.CASEWORK),
    Menu("finding.tips", "eye", "web.menu-finding", Access.CASEWORK),
    Menu("meetings.meetings", "meet", "web.menu-meetings", Access.CASEWORK),
    Menu("meetings.conferences", "lock", "web.menu-conferences", Access.CASEWORK),
    Menu("decisions.decisions", "check", "web.menu-decisions", Access.CASEWORK),
    Menu("resources.resources", "flag", "web.menu-resources", Access.CASEWORK),
    Menu("reports.month", "chart", "web.menu-reports", Access.CASEWORK),
    Menu("intakes.intakes", "pen", "web.menu-intakes", Access.CASEWORK),
    Menu("sending.begun", "file", "web.menu-drafts", Access.CASEWORK),
    Menu("emergencies.emergencies", "warn", "web.menu-emergencies", Access.STAFF),
)
MENU_AGENCY: Final = (
    Menu("agencies.agencies", "book", "web.menu-agencies", Access.STAFF),
    Menu("office.office", "gear", "web.menu-office", Access.STAFF),
)


def prepare_templates(app: Flask) -> None:
    """Give every template what it may use; a name that is not there is a mistake, not an empty string."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: _frame(app))


def render(template: str, *, status: int = 200, **facts: Any) -> tuple[str, int]:
    """Render a page; `filled` may be given to show a form again.

    *Raises* RuntimeError: the page of somebody who signed in is rendered while the casebook is held. Its frame reads
    the casebook itself (the menu's counts), so that is a mistake of the program, found by the first test of the page.
    """
    visit = visit_of_request()
    if visit.who is not None and visit.site.connector.casebook.is_held:
        raise RuntimeError(f"{template} is rendered while its visit holds the casebook")
    return render_template(template, **{"filled": None, "faults": {}} | facts), status


def render_again(template: str, filled: Filled, **facts: Any) -> tuple[str, int]:
    """Render a form again with what was written and what is wrong with it; nothing has changed."""
    return render(template, status=UNPROCESSABLE, filled=filled, faults=filled.faults, **facts)


def see(url: str, /, *, said: str | None = None, tone: str = "good", **places: str) -> Response:
    """Send the browser on after a change (POST → 303 → GET), with a sentence that the next page says once."""
    if said is not None:
        flash(text(said, visit_of_request().language, **places), tone)
    return redirect(url, SEE_OTHER)


def own_path(wish: str | None, otherwise: str) -> str:
    """Give a path of this desk that somebody wished to go to, or another one where it leads elsewhere."""
    if not wish:
        return otherwise
    parts = urlsplit(wish)
    is_ours = not parts.scheme and not parts.netloc and wish.startswith("/") and not wish.startswith(("//", "/\\"))
    return wish if is_ours and wish.isprintable() else otherwise


def _frame(app: Flask) -> dict[str, Any]:
    visit = visit_of_request()
    language = visit.language

    def late(due: datetime | None) -> int:
        return 0 if due is None else when.business_days_late(due, visit.at, visit.site.calendar)

    return {
        "visit": visit,
        "lang": language,
        "site": visit.site,
        "t": partial(_text, language),
        "furigana": ruby,
        "label": lambda code_list, code: label(code_list, code, language),
        "codes": lambda code_list: [(code, row[language]) for code, row in codes(code_list).items()],
        "day": lambda value, form="full": _day(value, form, visit),
        "moment": lambda value, form="short": when.say_moment(value, language, form),
        "deadline": lambda value: when.say_deadline(value, language),
        "clock": when.clock_of,
        "age": lambda born: age_on(born, visit.today),
        "late": late,
        "may": lambda access: visit.may(Access(access)),
        "menu": [one for one in MENU if one.endpoint in app.view_functions and visit.may(one.who)],
        "menu_agency": [one for one in MENU_AGENCY if one.endpoint in app.view_functions and visit.may(one.who)],
        "has_page": lambda endpoint: endpoint in app.view_functions,
        "line": visit.site.line,
        "waiting": partial(courier.count_waiting, visit.site.connector),
        "hot": _hot(app, visit),
    }


def _hot(app: Flask, visit: Visit) -> dict[str, int]:
    """Give the counts that the menu shows, by endpoint; slices add theirs to the app's `hot`."""
    if visit.who is None or not visit.may(Access.CASEWORK):
        return {}
    return {endpoint: count(visit) for endpoint, count in app.extensions.get("tsunagi-desk-hot", {}).items()}


def _text(language: Any, key: str, /, **places: Any) -> str:
    return text(key, language, **places)


def _day(value: date | datetime, form: str, visit: Visit) -> str:
    plain = day_of(value) if isinstance(value, datetime) else value
    return say_day(plain, visit.language, when.form_of_day(plain, form, visit.today))
