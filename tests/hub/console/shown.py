# SPDX-License-Identifier: Apache-2.0
"""Which pages of the console there are, for the tests that look at every one of them."""

PAGES = (
    "/console/signin",
    "/console",
    "/console/audit",
    "/console/audit/<int:index>",
    "/console/me",
)
"""Addresses that show a page to an officer of the network; a new page goes here."""

READING: tuple[str, ...] = (
    "/console/audit/build",
    "/console/audit/<int:index>/proof",
    "/console/audit/export.csv",
    "/console/audit/export.jsonl",
)
"""Addresses that answer a GET with something else than a page: a file, a way to a page."""

EXAMPLES = {"<path:rest>": "nothing", "<chosen>": "en", "<name>": "console.css", "<int:index>": "0"}
"""What stands for the places of an address; the tests see to it that the log has an entry 0."""
