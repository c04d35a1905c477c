# SPDX-License-Identifier: Apache-2.0
"""The blueprint on which the pages of the path hang."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

blueprint: Final = Blueprint("path", __name__)
