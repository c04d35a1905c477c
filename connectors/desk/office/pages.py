# SPDX-License-Identifier: Apache-2.0
"""The office's overview and the pages for everybody: accessibility, keys and what to do when something is lost."""

from __future__ import annotations

from typing import Final

from connectors.casebook.house import house
from connectors.desk.office import (
    audit_pages,
    key_pages,
    line_pages,
    me_pages,
    setting_pages,
    staff_pages,
    template_pages,
)
from connectors.desk.office import blueprint as office_blueprint
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Role, Visit

blueprint: Final = office_blueprint.blueprint
PARTS: Final = (me_pages, staff_pages, key_pages, line_pages, setting_pages, template_pages, audit_pages)
"""Imported so that their pages hang on the blueprint."""
KEYS: Final = (
    ("/", "find"),
    ("g b", "board"),
    ("g i", "inbox"),
    ("n", "new"),
    ("j / k", "rows"),
    ("Enter", "open"),
    ("Ctrl + Enter", "send"),
)
"""What `static/desk.js` listens to, and the key of what it does."""
LOST: Final = ("password", "telephone", "passkey", "set-up-code", "agency-keys", "passphrase", "laptop")


@page(blueprint, "/office", who=Access.STAFF)
def office(_: Visit) -> tuple[str, int]:
    """Say what there is in the office, and which role may do what."""
    return render("office/office.html", roles=list(Role))


@page(blueprint, "/accessibility", who=Access.EVERYBODY)
def accessibility(visit: Visit) -> tuple[str, int]:
    """Say how accessible these pages are, what falls short, and whom to tell."""
    with visit.book() as connection:
        contact = house(connection).contact
    return render("office/accessibility.html", contact=contact)


@page(blueprint, "/keys-help", who=Access.EVERYBODY)
def keys(_: Visit) -> tuple[str, int]:
    """List the keys of the keyboard and let them be switched off (WCAG 2.1.4); say what to do when a key is lost."""
    return render("office/keys.html", keys=KEYS, lost=LOST)
