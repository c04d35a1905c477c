# SPDX-License-Identifier: Apache-2.0
"""Which pages of the console there are, for the tests that look at every one of them."""

ID = "01890000-0000-7000-8000-000000000001"

PAGES = (
    "/console/signin",
    "/console",
    "/console/me",
)
"""Addresses that show a page to an officer of the network; a new page goes here."""

READING: tuple[str, ...] = ()
"""Addresses that answer a GET with something else than a page: a file, a picture."""

EXAMPLES = {"<path:rest>": "nothing", "<chosen>": "en", "<name>": "console.css"}
"""What stands for the places of an address."""
