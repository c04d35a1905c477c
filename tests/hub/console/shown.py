# SPDX-License-Identifier: Apache-2.0
"""Which pages of the console there are, for the tests that look at every one of them."""

ID = "01890000-0000-7000-8000-000000000001"

PAGES = (
    "/console/signin",
    "/console",
    "/console/audit",
    "/console/audit/<int:index>",
    "/console/verify",
    "/console/health",
    "/console/me",
    "/console/reviews",
    "/console/people",
    "/console/people/<case>",
    "/console/consents",
    "/console/watch",
    "/console/samples",
    "/console/breach",
    "/console/agencies",
    "/console/retention",
)
"""Addresses that show a page to an officer of the network; a new page goes here."""

READING: tuple[str, ...] = (
    "/console/audit/build",
    "/console/figures.csv",
    "/console/audit/<int:index>/proof",
    "/console/audit/export.csv",
    "/console/audit/export.jsonl",
    "/console/people/<case>/csv",
    "/console/people/<case>/json",
    "/console/reviews/<message>",
    "/console/consents/<consent>",
    "/console/samples/<draw>",
    "/console/agencies/<agency>",
    "/console/report.csv",
    "/console/report.pdf",
)
"""Addresses that answer a GET with something else than a page: a file, a way to a page."""

EXAMPLES = {
    "<path:rest>": "nothing",
    "<chosen>": "en",
    "<name>": "console.css",
    "<int:index>": "0",
    "<case>": ID,
    "<message>": ID,
    "<consent>": ID,
    "<draw>": ID,
    "<agency>": ID,
    "<anomaly>": ID,
    "<notice>": ID,
}
"""What stands for the places of an address; the tests see to it that the log has an entry 0."""
