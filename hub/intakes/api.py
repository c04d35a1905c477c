# SPDX-License-Identifier: Apache-2.0
"""The endpoints of consents: register, read, withdraw, renew the status; the person's refusals and their end."""

from flask_restx import Namespace, Resource

from consent.scopes import Party
from hub.agencies import reads as agencies
from hub.base.errors import NotFoundError
from hub.cases.api import after_id, visible_case
from hub.intakes import reads, service
from hub.intakes.shapes import (
    ConsentPage,
    ConsentQuery,
    ConsentShape,
    ExclusionList,
    ExclusionShape,
    Signed,
    Withdraw,
)
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import encode_cursor

namespace = Namespace("consents")


@namespace.route("/consents")
class Consents(Resource):
    """The registered consents of a case."""

    @operation(permission="consents.read", query=ConsentQuery, out=ConsentPage, summary="consents.list")
    def get(self, call: Call, query: ConsentQuery) -> ConsentPage:
        """List the records of one case that are the caller's to see."""
        party = _party(call)
        case = _case_row(call, query.case)
        after = after_id(query.cursor)
        found = reads.statements(call.session, case, party=party, after=after, limit=query.limit + 1)
        page = found[: query.limit]
        cursor = encode_cursor(page[-1].row) if len(found) > query.limit else None
        return ConsentPage(items=tuple(ConsentShape.of(known, party) for known in page), next_cursor=cursor)

    @operation(permission="consents.write", body=Signed, out=ConsentShape, status=201, summary="consents.register")
    def post(self, call: Call, body: Signed) -> ConsentShape:
        """Register one signed record for one partner."""
        known = service.register_consent(call.session, body.record, agency=call.caller.agency, now=call.now)
        return ConsentShape.of(known, _party(call))


@namespace.route("/consents/<string:consent>")
class OneConsent(Resource):
    """One registered consent."""

    @operation(permission="consents.read", out=ConsentShape, summary="consents.read")
    def get(self, call: Call, consent: str) -> ConsentShape:
        """Give one record to its signer, its hub parties or its partner."""
        return ConsentShape.of(_known(call, consent), _party(call))


@namespace.route("/consents/<string:consent>/withdraw")
class Withdrawals(Resource):
    """Taking a consent back: one call, no reason, no version; never more steps than giving."""

    @operation(permission="consents.write", body=Withdraw, out=ConsentShape, summary="consents.withdraw")
    def post(self, call: Call, body: Withdraw, consent: str) -> ConsentShape:
        """Take a consent back, wholly or for some agencies or categories."""
        known = service.withdraw(
            call.session,
            _known(call, consent),
            agency=call.caller.agency,
            taking=body.taking(),
            token=body.record,
            now=call.now,
        )
        return ConsentShape.of(known, _party(call))


@namespace.route("/consents/<string:consent>/status")
class Statuses(Resource):
    """The intake agency's word that a consent is live."""

    @operation(permission="consents.write", body=Signed, out=ConsentShape, summary="consents.status")
    def post(self, call: Call, body: Signed, consent: str) -> ConsentShape:
        """Renew the status; the newest is kept and served."""
        known = service.record_status(
            call.session, _known(call, consent), body.record, agency=call.caller.agency, now=call.now
        )
        return ConsentShape.of(known, _party(call))


@namespace.route("/cases/<string:case>/exclusions")
class Exclusions(Resource):
    """The person's refusals; they belong to the case."""

    @operation(permission="consents.read", out=ExclusionList, summary="exclusions.list")
    def get(self, call: Call, case: str) -> ExclusionList:
        """List the refusals of a case that are the caller's to see."""
        found = reads.refusals(call.session, _case_row(call, case))
        party = _party(call)
        return ExclusionList(items=tuple(ExclusionShape.of(known, party) for known in found))

    @operation(permission="consents.write", body=Signed, out=ExclusionShape, status=201, summary="exclusions.register")
    def post(self, call: Call, body: Signed, case: str) -> ExclusionShape:
        """Register a signed refusal."""
        known = service.register_exclusion(
            call.session, visible_case(call, case), body.record, agency=call.caller.agency, now=call.now
        )
        return ExclusionShape.of(known, _party(call))


@namespace.route("/cases/<string:case>/exclusions/<string:exclusion>/revoke")
class Revocations(Resource):
    """The person's explicit end of a refusal."""

    @operation(permission="consents.write", body=Signed, out=ExclusionShape, summary="exclusions.revoke")
    def post(self, call: Call, body: Signed, case: str, exclusion: str) -> Reply:
        """End one refusal."""
        found = visible_case(call, case)
        known = reads.refusal(call.session, exclusion, case_id=found.id)
        if known is None:
            raise NotFoundError
        ended = service.revoke_exclusion(
            call.session, found, known, body.record, agency=call.caller.agency, now=call.now
        )
        return Reply(body=ExclusionShape.of(ended, _party(call)))


def _party(call: Call) -> Party:
    party = agencies.party(call.session, call.caller.agency)
    if party is None:
        raise NotFoundError
    return party


def _case_row(call: Call, reference: str) -> str:
    found = reads.case_row(call.session, reference, agency=call.caller.agency)
    if found is None:
        raise NotFoundError
    return found


def _known(call: Call, consent: str) -> reads.Statement:
    known = reads.statement(call.session, consent, agency=call.caller.agency)
    if known is None:
        raise NotFoundError
    return known
