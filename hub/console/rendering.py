# SPDX-License-Identifier: Apache-2.0
"""Turn a template into a page: texts by key, labels of codes, moments, the frame's own facts.

In every template: `t(key, **places)`, `label(list, code)`, `moment(at)`, `visit`, `lang`, `may(permission)`,
`form_token`, `menu`. Pages are never kept by the browser (`Cache-Control: no-store` of every answer).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from flask import current_app, request, url_for
from jinja2 import Environment

from hub.console import guard, menu, wording
from hub.console.menu import Line
from hub.console.pages import visit_of_request
from hub.console.visits import Visit

TEMPLATES: Final = "tsunagi-console-templates"
"""Where the app keeps the console's templates, in which a name that is not there is a mistake, not an empty text."""


def render(template: str, *, status: int = 200, **facts: Any) -> tuple[str, int]:
    """Render a page of `templates/console/`."""
    visit = visit_of_request()
    templates: Environment = current_app.extensions[TEMPLATES]
    return templates.get_template(f"console/{template}").render({**_frame(visit), **facts}), status


def _frame(visit: Visit) -> dict[str, Any]:
    language = visit.language
    return {
        "visit": visit,
        "lang": language,
        "other": "en" if language == "ja" else "ja",
        "t": partial(wording.text, language),
        "label": partial(wording.label, language),
        "moment": wording.say_moment,
        "may": visit.may,
        "form_token": guard.form_token(visit.token),
        "menu": [_shown(visit, menu.OVERSIGHT), _shown(visit, menu.RUNNING)],
        "url_for": url_for,
        "here": request.endpoint,
        "way_back": request.full_path.rstrip("?") if request.method == "GET" else "",
        "issuer": visit.hub.settings.issuer,
    }


def _shown(visit: Visit, lines: tuple[Line, ...]) -> list[Line]:
    return [one for one in lines if one.endpoint in current_app.view_functions and visit.may(one.permission)]
