# SPDX-License-Identifier: Apache-2.0
"""The month's figures on paper and as a table: PDF (A4) and rows for CSV. Words come from `texts.json`; a hidden number
is a mark that says how small it may be.
"""

import io
import json
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final, cast

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from consent.vocabulary.codes import CODE_LISTS, Language
from hub.oversight.figures import Listed, Month
from hub.oversight.suppression import Shown

FONT: Final = "HeiseiKakuGo-W5"
"""A font that PDF readers bring for Japanese: nothing is embedded and no font file is shipped."""
LISTS: Final = {"refusals": "decision_reasons", "referrals": "referral_state"}

Row = tuple[str, ...]


def rows(month: Month, language: Language) -> list[Row]:
    """Write the figures down row by row: table, line, column, number or mark."""
    said = texts(language)
    found: list[Row] = [(said["table"], said["line"], said["column"], said["number"])]
    table = month.disclosures
    for line, cells, total in zip(table.rows, table.cells, table.row_totals, strict=True):
        name = _label("categories", line, language)
        for column, count in zip(table.columns, cells, strict=True):
            found.append((said["disclosures"], name, _label("recipients", column, language), _number(count, language)))
        found.append((said["disclosures"], name, said["total"], _number(total, language)))
    for column, total in zip(table.columns, table.column_totals, strict=True):
        found.append(
            (said["disclosures"], said["total"], _label("recipients", column, language), _number(total, language))
        )
    found.append((said["disclosures"], said["total"], said["total"], _number(table.total, language)))
    for name, listed in _lists(month).items():
        for code, count in zip(listed.names, listed.counts, strict=True):
            found.append((said[name], _listed_label(name, code, language), "", _number(count, language)))
        found.append((said[name], said["total"], "", _number(listed.total, language)))
    found += [(said["events"], said[f"event-{kind}"], "", _number(n, language)) for kind, n in month.events.items()]
    return found


def pdf(month: Month, language: Language) -> bytes:
    """Lay the figures out on A4."""
    said, style = texts(language), _style()
    story: list[Any] = [
        Paragraph(said["title"].format(year=month.first_day.year, month=month.first_day.month), _style(16)),
        Paragraph(said["hidden"], style),
        Spacer(0, 4 * mm),
        Paragraph(said["disclosures"], _style(12)),
        _grid(_crossed(month.disclosures, language)),
    ]
    for name, listed in _lists(month).items():
        lines = [
            [_listed_label(name, code, language), _number(count, language)]
            for code, count in zip(listed.names, listed.counts, strict=True)
        ]
        story += [Spacer(0, 4 * mm), Paragraph(said[name], _style(12))]
        story.append(_grid([[said["line"], said["number"]], *lines, [said["total"], _number(listed.total, language)]]))
    events = [[said[f"event-{kind}"], _number(count, language)] for kind, count in month.events.items()]
    story += [
        Spacer(0, 4 * mm),
        Paragraph(said["events"], _style(12)),
        _grid([[said["line"], said["number"]], *events]),
    ]
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=16 * mm,
        title=said["title"].format(year=month.first_day.year, month=month.first_day.month), lang=language,
        invariant=1,
    )  # fmt: skip
    document.build(story)
    return written.getvalue()


@cache
def texts(language: Language) -> Mapping[str, str]:
    """Give the words of the report in a language."""
    every = json.loads(files("hub.oversight").joinpath("texts.json").read_text(encoding="utf-8"))
    return {key: said[language] for key, said in every.items()}


def _lists(month: Month) -> Mapping[str, Listed]:
    return {"refusals": month.refusals, "reviews": month.reviews, "referrals": month.referrals}


def _listed_label(name: str, code: str, language: Language) -> str:
    return texts(language)[f"answer-{code}"] if name == "reviews" else _label(LISTS[name], code, language)


def _label(code_list: str, code: str, language: Language) -> str:
    row = CODE_LISTS[code_list].get(code)
    return code if row is None else row[language]


def _number(count: int | None, language: Language) -> str:
    return texts(language)["small"] if count is None else str(count)


def _crossed(table: Shown, language: Language) -> list[list[str]]:
    """Put recipients into columns; the labels of both sides come from the vocabulary."""
    total = texts(language)["total"]
    head = ["", *(_label("recipients", column, language) for column in table.columns), total]
    body = [
        [_label("categories", line, language), *(_number(count, language) for count in cells), _number(sum_, language)]
        for line, cells, sum_ in zip(table.rows, table.cells, table.row_totals, strict=True)
    ]
    last = [total, *(_number(count, language) for count in table.column_totals), _number(table.total, language)]
    return [head, *body, last]


def _grid(cells: Sequence[Sequence[str]]) -> Table:
    small = _style(8)
    table = Table([[Paragraph(escape(cell), small) for cell in line] for line in cells], repeatRows=1)
    table.setStyle(
        TableStyle([("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)])
    )
    return table


@cache
def _style(size: int = 10) -> ParagraphStyle:
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    return ParagraphStyle(f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.5, wordWrap="CJK")


def language_of(name: str) -> Language:
    """Give a language of the report; Japanese for any other."""
    return cast("Language", name) if name in {"ja", "en"} else "ja"
