# SPDX-License-Identifier: Apache-2.0
"""From a form that the person signed to scopes: one record per partner, so that none learns of the others.

A form's blanket sentence becomes scopes through a scope template that the municipality approved (consent.md,
"What is stored"): purpose → usual recipients → usual categories. The template fills in what the sentence
leaves open and never grants what the form does not say; the person narrows it. Templates are data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from consent.calendar import add_months, end_of_day
from consent.errors import ScopeRefusedError
from consent.scopes import ANY, LONGEST_MONTHS, ORAL, ORAL_TERM, Direction, Scope, expand, meet
from consent.vocabulary.codes import SENSITIVE, require_known, scope_template

AFTER_PLAN = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A scope template: who usually serves a purpose, what each usually needs, what needs a tick."""

    id: str
    version: str
    purposes: Mapping[str, frozenset[str]]
    usual: Mapping[str, frozenset[str]]
    ticked: Mapping[str, frozenset[str]]

    @property
    def name(self) -> str:
        """Return how a scope names this template."""
        return f"{self.id}-{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the form says of one partner, an agency id or a kind.

    `purposes` and `categories`: None leaves them to the form's sentence and the template. `ticked`:
    categories with a tick of their own. `struck`: what the person took out. Nothing but its ticks takes a
    row beyond the form's own sentence.
    """

    partner: str
    kind: str
    purposes: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    ticked: frozenset[str] = frozenset()
    struck: frozenset[str] = frozenset()
    direction: Direction = Direction.BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A signed form as data.

    `purposes` and `categories` are what its sentence says; "*" among the categories is the blanket sentence.
    `valid_until` None: the end of the plan and 30 days more, at most 12 months. `replaces`: the records that
    it puts an end to.
    """

    id: str
    case: str
    kind: str
    version: str
    hub_parties: frozenset[str]
    purposes: frozenset[str]
    categories: frozenset[str]
    rows: tuple[Row, ...]
    valid_from: datetime
    valid_until: datetime | None = None
    plan_end: date | None = None
    signature: str
    signed_at: datetime
    written_by: str
    proxy_reason: str | None = None
    read_aloud: bool = False
    witness: str | None = None
    evidence: str
    replaces: tuple[Scope, ...] = ()


def read_template(data: Mapping[str, Any]) -> Template:
    """Read a scope template from data.

    Raises:
        DocumentRefusedError: `unknown-code`.
        ScopeRefusedError: `bad-scope`, it would give a sensitive category without a tick.
    """
    template = Template(
        id=data["id"],
        version=data["version"],
        purposes=_coded(data, "purposes", "purposes", "recipients"),
        usual=_coded(data, "usual", "recipients", "categories"),
        ticked=_coded(data, "ticked", "recipients", "categories"),
    )
    if any(categories & SENSITIVE for categories in template.usual.values()):
        raise ScopeRefusedError("bad-scope", "/usual")
    return template


def _coded(data: Mapping[str, Any], member: str, keys: str, values: str) -> Mapping[str, frozenset[str]]:
    return {
        require_known(keys, key, f"/{member}"): frozenset(require_known(values, v, f"/{member}") for v in row)
        for key, row in data[member].items()
    }


def generic_template() -> Template:
    """Return the template that any municipality can start from: the vocabulary's matrix as it stands."""
    return read_template(scope_template("generic"))


def default_end(valid_from: datetime, plan_end: date | None = None) -> datetime:
    """Return when a consent ends that names no end: 30 days after the plan, never over 12 months."""
    longest = add_months(valid_from, LONGEST_MONTHS)
    return longest if plan_end is None else min(end_of_day(plan_end) + AFTER_PLAN, longest)


def split(form: Form, template: Template, new_id: Callable[[], str]) -> tuple[Scope, ...]:
    """Split a signed form into one scope per partner, each with an id of its own.

    The scopes still have to pass `scopes.check_scope` when they are registered.

    Raises:
        DocumentRefusedError: `unknown-code`.
        ScopeRefusedError: `bad-scope`, a partner stands twice or a row leaves nothing.
    """
    _check_codes(form)
    if not form.rows or len({row.partner for row in form.rows}) < len(form.rows):
        raise ScopeRefusedError("bad-scope", "/rows")
    replaced = _replaced(form)
    return tuple(
        _scope(form, row, template, number, new_id(), replaced[row.partner]) for number, row in enumerate(form.rows)
    )


def _scope(form: Form, row: Row, template: Template, number: int, scope_id: str, supersedes: frozenset[str]) -> Scope:
    purposes, categories = _purposes(form, row, template), _categories(form, row, template)
    if not purposes or not categories:
        raise ScopeRefusedError("bad-scope", f"/rows/{number}")
    return Scope(
        id=scope_id,
        case=form.case,
        form=form.id,
        kind=form.kind,
        hub_parties=form.hub_parties,
        partners=frozenset({row.partner}),
        purposes=purposes,
        categories=categories,
        direction=row.direction,
        valid_from=form.valid_from,
        valid_until=_end(form),
        signature=form.signature,
        signed_at=form.signed_at,
        written_by=form.written_by,
        proxy_reason=form.proxy_reason,
        read_aloud=form.read_aloud,
        witness=form.witness,
        form_version=form.version,
        template=template.name,
        evidence=form.evidence,
        supersedes=supersedes,
    )


def _purposes(form: Form, row: Row, template: Template) -> frozenset[str]:
    if row.purposes is not None:
        return form.purposes & row.purposes
    return frozenset(p for p in form.purposes if row.kind in template.purposes.get(p, ()))


def _categories(form: Form, row: Row, template: Template) -> frozenset[str]:
    offered = template.usual.get(row.kind, frozenset()) | template.ticked.get(row.kind, frozenset())
    said = meet(form.categories, offered if row.categories is None else row.categories) | row.ticked
    return expand(said) - row.struck if row.struck else said


def _end(form: Form) -> datetime:
    end = form.valid_until or default_end(form.valid_from, form.plan_end)
    # an oral consent permits nothing later: its record says so
    return min(end, form.signed_at + ORAL_TERM) if form.signature == ORAL else end


def _replaced(form: Form) -> Mapping[str, frozenset[str]]:
    """Hand each replaced record to the new record of its partner, or to the first where there is none."""
    ends: dict[str, set[str]] = {row.partner: set() for row in form.rows}
    for record in form.replaces:
        heirs = [row.partner for row in form.rows if row.partner in record.partners]
        ends[(heirs or [form.rows[0].partner])[0]].add(record.id)
    return {partner: frozenset(ids) for partner, ids in ends.items()}


def _check_codes(form: Form) -> None:
    said = [("purposes", form.purposes, "/purposes"), ("categories", form.categories - {ANY}, "/categories")]
    for number, row in enumerate(form.rows):
        where = f"/rows/{number}"
        said += [
            ("recipients", frozenset({row.kind}), f"{where}/kind"),
            ("purposes", row.purposes or frozenset(), f"{where}/purposes"),
            ("categories", (row.categories or frozenset()) - {ANY}, f"{where}/categories"),
            ("categories", row.ticked, f"{where}/ticked"),
            ("categories", row.struck, f"{where}/struck"),
        ]
    for code_list, codes, pointer in said:
        for code in codes:
            require_known(code_list, code, pointer)
