# SPDX-License-Identifier: Apache-2.0
"""Which sending of an open page something is: pages that save themselves say it, so that none overtakes a later one."""

from __future__ import annotations

import re
from typing import Final

from werkzeug.datastructures import MultiDict

from connectors.casebook.drafts import Turn

FIELD: Final = "turn"
_WRITTEN: Final = re.compile(r"([0-9a-f]{24}) ([0-9]{1,15})")


def turn_of(form: MultiDict[str, str]) -> Turn | None:
    """Read what a page's script says of a sending; none where there is no script, or what it says is no turn."""
    found = _WRITTEN.fullmatch(form.get(FIELD, ""))
    return Turn(page=found[1], number=int(found[2])) if found else None
