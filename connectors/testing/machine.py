# SPDX-License-Identifier: Apache-2.0
"""How a seat's calls about referrals change the hub in memory: opening, messages, receipts, moves, referring on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from connectors.sdk import threads
from connectors.sdk.interface import Body
from connectors.sdk.problems import PartDecision
from connectors.testing.memory import refuse
from connectors.testing.moves import Known, actions_of, fault, refusal, step_of, turn
from connectors.testing.shown import deliveries_of, hops_of, meter_of
from connectors.testing.view import View
from consent.envelope import manifest as manifests
from consent.questions import ConsentBasis
from consent.receipts import Delivery, ReceiptRecord

_SERVED: Final = frozenset({"accepted", "in_progress", "on_hold", "cancel_requested", "outcome_reported"})


class Machine(View):
    """The changes behind the calls; `exchange` has the calls themselves."""

    def referral(self, referral: str) -> threads.ReferralDetail:
        """Give one referral of this agency's in full."""
        found = self._hub.referrals.get(referral)
        if found is None or self._agency not in {found.sender, found.recipient, found.coordinator}:
            refuse(404, "not-found")
        return self._shown(found)

    def _open(
        self,
        manifest: str,
        parts: Sequence[str],
        telephone: Body | None,
        after: threads.ReferralDetail | None = None,
    ) -> threads.Opened:
        self._require_first(manifest, telephone)
        stored = self._hub.accept(self._agency, manifest, parts, None)
        now, said = self._hub.clock(), self._hub.manifest_of(stored)
        known = next((one for one in self._hub.referrals.values() if one.message == stored.id), None)
        if known is None:
            own = self._hub.new_id()
            made = threads.ReferralDetail(
                id=own, root=after.root if after else own, hop=after.hop + 1 if after else 0, thread=stored.thread,
                message=stored.id, case=stored.case, sender=stored.sender, recipient=stored.recipient,
                coordinator=after.coordinator if after else stored.sender, purpose=stored.purpose,
                urgency=said.urgency, request_kind=said.request_kind, basis=said.basis.kind,
                categories=tuple(label.category for label in stored.labels), state="requested", version=1,
                sent_at=now, updated_at=now,
            )  # fmt: skip
            known = replace(made, **turn(made))
            self._hub.referrals[known.id] = known
        return threads.Opened(**_members(self._shown(known)), receipt=stored.receipt)

    def _require_first(self, token: str, telephone: Body | None) -> None:
        """Require the call that goes with an immediate need, and that no referral of the same need is open."""
        said = manifests.read_manifest(token, self._hub.sig_key(self._agency, manifests.peek(token)[0]))
        if said.urgency == "immediate" and telephone is None:
            refuse(422, "telephone-required")
        need = (said.sender, said.recipient, said.case, said.purpose)
        for one in self._hub.referrals.values() if self._hub.one_need_at_a_time else ():
            same = need == (one.sender, one.recipient, one.case, one.purpose)
            if same and one.awaiting is not None and one.thread != said.thread:
                refuse(409, "duplicate-need", referral=one.id)

    def _send(self, referral: str, manifest: str, parts: Sequence[str]) -> threads.MessageAccepted:
        found = self.referral(referral)
        stored = self._hub.accept(self._agency, manifest, parts, found.thread)
        found = self.referral(referral)
        placed = turn(found)
        is_news = stored.sender == found.recipient and stored.kind != "notice"
        if placed["awaiting"] != found.awaiting or is_news:
            # an answer lets the clock run again, and a word of the receiver is news of the person
            found = replace(self._hub.referrals[referral], updated_at=self._hub.clock(), **placed)
            self._hub.referrals[referral] = found
        return threads.MessageAccepted(
            message=stored.id, thread=stored.thread, receipt=stored.receipt, accepted_at=stored.accepted_at,
            referral=plain(self._shown(found)),
        )  # fmt: skip

    def _acknowledge(self, message: str, receipt: str) -> threads.ReceiptTaken:
        stored = self._hub.messages.get(message)
        if stored is None or stored.recipient != self._agency:
            refuse(404, "not-found")
        said, now = self._hub.signed(receipt, ReceiptRecord, self._agency), self._hub.clock()
        found = next((one for one in self._hub.referrals.values() if one.message == message), None)
        if said.is_ok():
            stored = replace(stored, delivered_at=stored.delivered_at or now, delivery="delivered")
            if said.kind is Delivery.READ:
                stored = replace(stored, opened_at=now, delivery="opened")
            self._hub.messages[message] = stored
            self._hub.tell((stored.sender,), f"message:{stored.delivery}", message)
            if found and said.kind is Delivery.READ and found.state == "requested":
                facts = {"worker": said.by} if said.by else {}
                found = self._changed(found, found.version, event="receive", said=facts, state="received")
        else:
            self._hub.tell((stored.sender,), "message:failed", message)
        return threads.ReceiptTaken(
            message=message, delivery=stored.delivery, referral=plain(self._shown(found)) if found else None
        )

    def _move(self, referral: str, event: str, said: Body, version: int) -> threads.Referral:
        found = self.referral(referral)
        made = next((move for move in found.history if move.version == version + 1), None)
        if made is not None and (made.event, made.agency, made.facts) == (event, self._agency, dict(said)):
            return plain(found)
        if found.version != version:
            refuse(412, "stale")
        why = refusal(event, found, self._agency, self._known(found))
        if why is not None and why[1] == "conference-needed":
            self._changed(found, version, event="contest", said={}, state="reroute_review")
        if why is not None:
            refuse(*why)
        lacking = fault(event, found, said, self._hub.clock())
        if lacking is not None:
            refuse(409 if lacking == "content-stopped" else 422, lacking)
        if said.get("message") and not any(one.message == said["message"] for one in found.deliveries):
            refuse(422, "unknown-message")
        if event == "reopen":
            self._hub.require(self._decide_anew(found))
        step = step_of(event, found.state)
        to = step.to if step and step.to else found.state
        return plain(self._changed(found, version, event=event, said=said, state=to, **_kept(event, found, said)))

    def _refer_on(
        self, referral: str, manifest: str, parts: Sequence[str], how: tuple[int, str | None, Body | None]
    ) -> threads.Rerouted:
        version, reason, telephone = how
        found, event = self.referral(referral), "conference-result" if reason else "refer-on"
        if found.version != version:
            refuse(412, "stale")
        why = refusal(event, found, self._agency, self._known(found))
        if why is not None and why[1] == "conference-needed":
            self._changed(found, version, event="contest", said={}, state="reroute_review")
        if why is not None:
            refuse(*why)
        following = self._open(manifest, parts, telephone, after=found)
        facts = {"next": following.id} | ({"reason": reason} if reason else {})
        old = self._changed(found, version, event=event, said=facts, state="rerouted")
        return threads.Rerouted(referral=plain(old), next=following)

    def _decide_anew(self, found: threads.ReferralDetail) -> tuple[PartDecision, ...]:
        return self._hub.decide(
            found.sender, found.recipient, found.case, found.purpose, found.categories, ConsentBasis()
        )

    def _changed(
        self, found: threads.ReferralDetail, version: int, *, event: str, said: Body, **values: Any
    ) -> threads.ReferralDetail:
        if found.version != version:
            refuse(412, "stale")
        now = self._hub.clock()
        move = threads.Move(
            version=version + 1, event=event, frm=found.state, to=values.get("state", found.state),
            agency=self._agency, role="S" if found.sender == self._agency else "R", at=now, facts=dict(said), entry="",
        )  # fmt: skip
        changed = replace(found, version=version + 1, updated_at=now, history=(*found.history, move), **values)
        self._hub.referrals[found.id] = replace(changed, **turn(changed))
        return self._shown(self._hub.referrals[found.id])

    def _known(self, found: threads.ReferralDetail) -> Known:
        first = found.message
        more = any(one.opened_at and one.id != first for one in found.deliveries if one.recipient == found.recipient)
        return Known(now=self._hub.clock(), more_opened=more)

    def _shown(self, found: threads.ReferralDetail) -> threads.ReferralDetail:
        whole = replace(found, deliveries=tuple(deliveries_of(self._hub, found)))
        whole = replace(whole, hops=tuple(hops_of(self._hub, found, self._agency)), meter=meter_of(self._hub, found))
        overdue = found.due_at is not None and found.due_at <= self._hub.clock()
        return replace(whole, overdue=overdue, actions=actions_of(whole, self._agency, self._known(whole)))


def _members(referral: threads.Referral) -> dict[str, Any]:
    return {name: getattr(referral, name) for name in threads.Referral.__dataclass_fields__}


def _kept(event: str, found: threads.ReferralDetail, said: Body) -> dict[str, Any]:
    """Give what a move changes of a referral besides its state, as the hub's effects do."""
    if event == "accept" or (event == "hand-over" and said.get("worker") and found.state in _SERVED):
        kept = {name: said[name] for name in ("worker", "worker_role") if name in said}
        return kept | ({"next_on": date.fromisoformat(str(said["next_on"]))} if "next_on" in said else {})
    if event == "take-back-acceptance":
        return {"worker": None, "worker_role": None, "next_on": None}
    if event == "withdraw" and found.state in _SERVED:
        return {"content_stopped": True}
    if event in {"start", "note-progress"} and str(said.get("what", "")).startswith("appointment"):
        return {"next_on": date.fromisoformat(str(said["on"]))}
    if event == "note-progress" and said.get("next_step_on"):
        return {"next_on": date.fromisoformat(str(said["next_step_on"]))}
    return {"outcome": said["outcome"]} if "outcome" in said else {}


def plain(referral: threads.Referral) -> threads.Referral:
    """Give a referral without what only its full picture has."""
    return threads.Referral(**_members(referral))
