# SPDX-License-Identifier: Apache-2.0
"""Composition root of the desk: builds the Flask app over one agency's connector and registers the slices."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Final

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from connectors.casebook import marks
from connectors.casebook.house import house
from connectors.desk.agencies import pages as agencies
from connectors.desk.board import pages as board
from connectors.desk.caseload import pages as caseload
from connectors.desk.cases import pages as cases
from connectors.desk.consents import pages as consents
from connectors.desk.corrections import pages as corrections
from connectors.desk.decisions import pages as decisions
from connectors.desk.emergencies import pages as emergencies
from connectors.desk.exchange import pages as exchange
from connectors.desk.finding import public_pages as finding
from connectors.desk.finding.pages import count as count_tips
from connectors.desk.followups import pages as followups
from connectors.desk.inbox import pages as inbox
from connectors.desk.intakes import pages as intakes
from connectors.desk.intakes.reads import count_oral
from connectors.desk.meetings import pages as meetings
from connectors.desk.office import pages as office
from connectors.desk.outings import pages as outings
from connectors.desk.path import pages as path
from connectors.desk.referrals import pages as referrals
from connectors.desk.reports import pages as reports
from connectors.desk.resources import pages as resources
from connectors.desk.sending import pages as sending
from connectors.desk.sheets import pages as sheets
from connectors.desk.staff import passkey_pages as staff
from connectors.desk.staff.admission import StaffAdmission
from connectors.desk.web.faults import handle_faults
from connectors.desk.web.gate import ADMISSION
from connectors.desk.web.guesses import slow_down_guesses
from connectors.desk.web.headers import add_headers
from connectors.desk.web.rendering import prepare_templates
from connectors.desk.web.site import EXTENSION, Site
from consent.calendar import Calendar

SLICES: Final = (
    staff,
    office,
    agencies,
    cases,
    corrections,
    consents,
    intakes,
    referrals,
    emergencies,
    exchange,
    meetings,
    decisions,
    resources,
    reports,
    inbox,
    outings,
    followups,
    sheets,
    sending,
    caseload,
    finding,
    path,
    board,
)
"""Every slice with pages: one line each, bottom first."""
LARGEST_REQUEST: Final = 20 * 1024 * 1024
"""Bytes; the hub takes no more in one message either (protocol §2)."""
HOT: Final = "tsunagi-desk-hot"
"""Where the counts are that the menu shows (`web/rendering.py`), by endpoint."""
_COOKIE_KEY: Final = "desk-cookie-key"


def create_desk(site: Site) -> Flask:
    """Build the desk of one agency; `site` brings the connector, the courier and the settings."""
    app = build_desk()
    furnish(app, site)
    return app


def build_desk() -> Flask:
    """Build the pages; they belong to nobody until `furnish` gives them a desk."""
    app = Flask("connectors.desk", static_url_path="/static")
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=8),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.extensions[ADMISSION] = StaffAdmission()
    slow_down_guesses(app)
    CSRFProtect(app)
    add_headers(app)
    handle_faults(app)
    prepare_templates(app)
    for one in SLICES:
        app.register_blueprint(one.blueprint)
    app.extensions[HOT] = {
        "inbox.inbox": inbox.count,
        "intakes.intakes": count_oral,
        "finding.tips": count_tips,
        "meetings.meetings": meetings.count,
        "meetings.conferences": meetings.count_conferences,
    }
    return app


def furnish(app: Flask, site: Site) -> None:
    """Make an app the desk of one agency: its casebook, its cookies' key, its days."""
    site.connector.casebook.add_tables()
    app.config.update(
        SECRET_KEY=_cookie_key(site),
        SESSION_COOKIE_NAME=f"tsunagi_desk_{site.connector.agency}",  # cookies know no ports: desks of one machine
        SESSION_COOKIE_SECURE=site.origin.startswith("https:"),
    )
    app.extensions[EXTENSION] = _with_own_days(site)


def _with_own_days(site: Site) -> Site:
    """Give the desk with the days on which its municipality is closed, as the administrator has set them."""
    with site.connector.casebook.transaction() as connection:
        closed = house(connection).closed
    return replace(site, calendar=Calendar(closed=site.calendar.closed | set(closed))) if closed else site


def _cookie_key(site: Site) -> str:
    """Give the key that signs this desk's cookies; it is made once and lies in the casebook."""
    with site.connector.casebook.transaction() as connection:
        kept = marks.recall(connection, _COOKIE_KEY)
        if kept is None:
            kept = secrets.token_urlsafe(48)
            marks.remember(connection, _COOKIE_KEY, kept)
    return kept
