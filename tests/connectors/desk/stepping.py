# SPDX-License-Identifier: Apache-2.0
"""Moving a case along its path as a browser without scripts does."""

from __future__ import annotations

from typing import Any

from connectors.casebook import steps
from connectors.casebook.steps import Course
from tests.connectors.desk.office import Browser, Office, Page


def course(office: Office, case: str) -> Course:
    with office.connector.casebook.transaction() as connection:
        return steps.course_of(connection, case, owner=office.connector.agency, opened_at=office.connector.now())


def stands(office: Office, case: str) -> tuple[str, str]:
    shown = course(office, case).shown
    return shown.step, shown.state


def go(browser: Browser, office: Office, case: str, **said: Any) -> Page:
    """Send a move as a button of the page would."""
    version = course(office, case).shown.version
    return send(browser, case, "moves", **{"version": str(version), **said})


def send(browser: Browser, case: str, form: str, **said: Any) -> Page:
    """Send a form of the case's page whatever it offers, as somebody would who kept it open."""
    if not browser.token:
        browser.get(f"/cases/{case}")
    return browser.post(f"/cases/{case}/{form}", said)


def through(browser: Browser, office: Office, case: str, *way: str) -> None:
    for step in way:
        assert go(browser, office, case, step=step, reason="already_done", state=_state(step)).status == 200
    assert course(office, case).shown.step == way[-1]


def _state(step: str) -> str:
    return "seeking_consent" if step == "3" else ""
