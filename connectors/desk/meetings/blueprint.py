# SPDX-License-Identifier: Apache-2.0
"""The blueprint that the modules of pages of meetings share."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

blueprint: Final = Blueprint("meetings", __name__)
