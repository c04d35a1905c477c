# SPDX-License-Identifier: Apache-2.0
"""The endpoints of oversight for agencies: judgements on their emergency uses, paper to show, a case's statement."""

from flask_restx import Namespace, Resource

from hub.base.db import Duty
from hub.base.errors import NotFoundError
from hub.cases import reads as cases
from hub.oversight import ledger, reads, service
from hub.oversight.shapes import (
    DisclosureShape,
    ReviewList,
    ReviewShape,
    SampleAnswer,
    SampleShape,
    StatementShape,
)
from hub.web.call import Call
from hub.web.operation import operation

namespace = Namespace("oversight")


@namespace.route("/reviews/<string:message>")
class Reviews(Resource):
    """How an officer judged an emergency use."""

    @operation(permission="referrals.read", out=ReviewList, summary="reviews.read")
    def get(self, call: Call, message: str) -> ReviewList:
        """List the judgements on a message that the caller sent by the emergency door."""
        found = reads.judged(call.session, message, agency=call.caller.agency)
        if found is None:
            raise NotFoundError
        return ReviewList(message=message, items=tuple(ReviewShape.of(one) for one in found))


@namespace.route("/samples/<string:sample>")
class Samples(Resource):
    """A paper form that was drawn."""

    @operation(permission="consents.read", out=SampleShape, summary="samples.read")
    def get(self, call: Call, sample: str) -> SampleShape:
        """Say which consent's paper is to be shown, and until when."""
        found = reads.sample(call.session, sample)
        if found is None:
            raise NotFoundError
        return SampleShape.of(found)


@namespace.route("/samples/<string:sample>/answer")
class SampleAnswers(Resource):
    """The answer to a drawing."""

    @operation(permission="consents.write", body=SampleAnswer, out=SampleShape, summary="samples.answer")
    def post(self, call: Call, body: SampleAnswer, sample: str) -> SampleShape:
        """Take what the agency computes anew from scan and key, and hold it against the signed commitment."""
        answered = service.show_paper(
            call.session, sample, agency=call.caller.agency, evidence=body.evidence, now=call.now
        )
        return SampleShape.of(answered)


@namespace.route("/cases/<string:case>/statement")
class Statements(Resource):
    """What was disclosed of a case: the hub's half of the person's statement."""

    @operation(permission="consents.read", out=StatementShape, duty=Duty.STATEMENT, summary="cases.statement")
    def get(self, call: Call, case: str) -> StatementShape:
        """Give the case's owner every disclosure, also those between other agencies; asking is an entry of the log."""
        found = cases.find(call.session, case, agency=call.caller.agency)
        if found is None or found.owner != call.caller.agency:
            raise NotFoundError
        service.note_export(
            call.session, by=found.owner, what="statement", form="json", now=call.now, case=found.handle, party=True
        )
        items = tuple(DisclosureShape.of(one) for one in ledger.statement(call.session, found.id))
        return StatementShape(case=found.handle, made_at=call.now, items=items)
