# SPDX-License-Identifier: Apache-2.0
"""The slice's blueprint; `pages` and what it brings in put their routes on it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from connectors.sheets.parts import told_of
from connectors.sheets.saying import cell, rows_of, said

blueprint: Final = Blueprint("sheets", __name__)

blueprint.add_app_template_global(said, "sheet_said")
blueprint.add_app_template_global(cell, "sheet_cell")
blueprint.add_app_template_global(rows_of, "sheet_rows")
blueprint.add_app_template_global(told_of, "sheet_told_of")
