# SPDX-License-Identifier: Apache-2.0
"""The blueprint on which the pages of finding hang."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

blueprint: Final = Blueprint("finding", __name__)
