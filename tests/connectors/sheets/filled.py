# SPDX-License-Identifier: Apache-2.0
"""Sheets that can be settled, and hypothesis strategies for anything that a person may write into one."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from connectors.sheets.answers import OTHER_WORDS, UNASKED, WHY_UNASKED
from connectors.sheets.catalogue import Catalogue, national
from connectors.sheets.definitions import OTHER, Column, Field, Kind

NATIONAL = Catalogue(national())

PLAN: dict[str, Any] = {
    "made_on": "2026-04-20",
    "problems": "家賃の滞納と失業(架空)",
    "strengths": "朝に強く、約束を守る",
    "goal_now": "仕事の準備を始める",
    "deeds": [{"actor": "person", "deed": "週に2回通う", "until": "令和8年9月30日"}],
    "services_law": ["job_preparation", "budget"],
    "term_from": "2026年4月24日",
    "term_until": "R8.9.30",
    "monitoring": [{"on": "2026-07-01", "indicator": "通えた日数"}],
    "explained": "yes",
}
PLAN_KEPT = {
    **PLAN,
    "deeds": [{"actor": "person", "deed": "週に2回通う", "until": "2026-09-30"}],
    "services_law": ["budget", "job_preparation"],
    "term_from": "2026-04-24",
    "term_until": "2026-09-30",
}
TRIAGE: dict[str, Any] = {
    "consulted_on": "2026-04-06",
    "route": "self_visit",
    "topics": ["income", "debt"],
    "words": "収入が途絶えた(架空)",
    "urgent": "no",
    "screening": "plan_and_continue",
    "screened_on": "2026-04-06",
}
TRAITS = ["illness", "debt", "violence", "ex_offender", "habits"]
ASSESSMENT: dict[str, Any] = {
    "assessed_on": "2026-04-10",
    "route": "self_visit",
    "chief": "家賃を払えるようになりたい(架空)",
    "work_state": "seeking",
    "urgent": "no",
    "traits": TRAITS,
    "strengths": "手先が器用",
    "direction": "住まいを保ちながら仕事へ",
    "income_own": "１２０，０００",
    "illness.unasked": "not_wished",
}

LOOKED: dict[str, Any] = {"on": "2026-07-01", "delivery": "as_planned", "judgement": "go_on"}
REVIEW: dict[str, Any] = {
    "reviewed_on": "2026-09-30",
    "period_from": "2026-04-24",
    "period_until": "2026-09-30",
    "attainment": "mostly",
    "result": "re_plan",
    "changes": ["work", "income"],
    "strengths": "毎朝起きる(架空)",
}

_WORDS = st.text("架空の語 abc", min_size=1, max_size=12).filter(lambda text: bool(text.strip())).map(str.strip)
_DAYS = st.dates().filter(lambda day: day.year > 1900).map(lambda day: day.isoformat())


@cache
def filled(code: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Give a sheet's code with a body in which any field is answered, left out, or noted as not asked."""
    asked = NATIONAL.newest(code).asked
    each = [st.one_of(st.just({}), _answer(one), *([] if one.ours else [_unasked(one)])) for one in asked]
    return st.tuples(*each).map(lambda told: (code, {key: said for one in told for key, said in one.items()}))


def _unasked(one: Field) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(WHY_UNASKED).map(lambda why: {one.code + UNASKED: why})


def _answer(one: Field) -> st.SearchStrategy[dict[str, Any]]:
    if one.kind is Kind.CHOICES:
        some = [option.code for option in one.options if not option.alone]
        said: st.SearchStrategy[Any] = st.lists(st.sampled_from(some), min_size=1, unique=True)
    elif one.kind is Kind.TABLE:
        said = st.lists(
            st.fixed_dictionaries({column.code: _cell(column) for column in one.columns}), min_size=1, max_size=3
        )
    else:
        said = _cell(one)
    return st.tuples(said, _WORDS).map(lambda told: _with_other(one, *told))


def _with_other(one: Field, said: Any, words: str) -> dict[str, Any]:
    has_other = one.other and OTHER in (said if isinstance(said, list) else [said])
    return {one.code: said} | ({one.code + OTHER_WORDS: words} if has_other else {})


def _cell(one: Field | Column) -> st.SearchStrategy[Any]:
    match one.kind:
        case Kind.CHOICE:
            return st.sampled_from([option.code for option in one.options])
        case Kind.YES_NO:
            return st.sampled_from(["yes", "no"])
        case Kind.DATE:
            return _DAYS
        case Kind.MONTH:
            return _DAYS.map(lambda day: day[:7])
        case Kind.NUMBER:
            return st.integers(one.least, one.most)
        case _:
            return _WORDS
