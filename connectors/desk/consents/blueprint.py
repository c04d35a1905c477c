# SPDX-License-Identifier: Apache-2.0
"""The slice's blueprint: its pages are in several files, by what they are about."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

blueprint: Final = Blueprint("consents", __name__)
