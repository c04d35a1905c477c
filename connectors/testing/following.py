# SPDX-License-Identifier: Apache-2.0
"""The part of a seat that is about accompaniments, follow-ups and tasks, with the checks that the real hub makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from typing_extensions import override

from connectors.sdk import answers, threads
from connectors.sdk.interface import Body
from connectors.sdk.reading import read
from connectors.testing.memory import refuse
from connectors.testing.view import View
from consent.calendar import Calendar, add_months, day_of

_BECOMES: Final = {
    "proposed": {"proposed", "agreed", "done", "called_off"},
    "agreed": {"agreed", "done", "no_show", "called_off"},
}
_PRESETS: Final = {"3d": (3, 0), "2w": (14, 0), "1m": (0, 1), "3m": (0, 3), "6m": (0, 6)}
_NO_SHOW_DAYS: Final = 3
_AHEAD: Final = timedelta(days=180)


class Following(View):
    """Accompaniments, follow-ups, tasks."""

    @override
    def record_accompaniment(
        self, referral: str, going: Body, *, idempotency_key: str | None = None
    ) -> threads.Accompaniment:
        return self._once(idempotency_key, lambda: self._record(referral, going))

    @override
    def change_accompaniment(
        self, referral: str, n: int, going: Body, *, version: int, idempotency_key: str | None = None
    ) -> threads.Accompaniment:
        return self._once(idempotency_key, lambda: self._change(referral, n, going, version))

    @override
    def set_follow_up(
        self,
        referral: str,
        *,
        due: date | None = None,
        preset: str | None = None,
        idempotency_key: str | None = None,
    ) -> threads.FollowUp:
        return self._once(idempotency_key, lambda: self._set_due(referral, due, preset))

    @override
    def finish_follow_up(
        self, referral: str, n: int, answer: Body, *, idempotency_key: str | None = None
    ) -> tuple[threads.FollowUp, ...]:
        return self._once(idempotency_key, lambda: self._finish(referral, n, answer))

    @override
    def tasks(self, *, done: bool = False) -> Iterator[answers.Task]:
        mine = [one for agency, one in self._hub.tasks if agency == self._agency]
        return (one for one in mine if done or one.done_at is None)

    @override
    def finish_task(self, task: str, *, idempotency_key: str | None = None) -> answers.Task:
        places = [
            place for place, (agency, one) in enumerate(self._hub.tasks) if (agency, one.id) == (self._agency, task)
        ]
        if not places:
            refuse(404, "not-found")
        known = self._hub.tasks[places[0]][1]
        done = replace(known, done_at=known.done_at or self._hub.clock())
        self._hub.tasks[places[0]] = (self._agency, done)
        return done

    def _side(self, referral: str) -> threads.ReferralDetail:
        found = self._hub.referrals.get(referral)
        if found is None or self._agency not in {found.sender, found.recipient, found.coordinator}:
            refuse(404, "not-found")
        if self._agency not in {found.sender, found.recipient}:
            refuse(403, "wrong-party")
        return found

    def _record(self, referral: str, going: Body) -> threads.Accompaniment:
        found = self._side(referral)
        made = self._going(going, n=len(found.accompaniments) + 1, version=1)
        self._check(found, made)
        self._hub.referrals[referral] = replace(found, accompaniments=(*found.accompaniments, made))
        self._tell(found, f"accompaniment:{made.state}")
        return made

    def _change(self, referral: str, n: int, going: Body, version: int) -> threads.Accompaniment:
        found = self._side(referral)
        old = next((one for one in found.accompaniments if one.n == n), None) or refuse(404, "not-found")
        if old.agency != self._agency:
            refuse(403, "wrong-party")
        made = self._going(going, n=n, version=old.version + 1)
        if old.version != version:
            refuse(412, "stale")
        if made.state not in _BECOMES.get(old.state, ()):
            refuse(409, "bad-transition")
        if made.destination != old.destination:
            refuse(422, "destination-fixed")
        self._check(found, made)
        kept = tuple(made if one.n == n else one for one in found.accompaniments)
        self._hub.referrals[referral] = replace(found, accompaniments=kept)
        self._tell(found, f"accompaniment:{made.state}")
        return made

    def _going(self, going: Body, *, n: int, version: int) -> threads.Accompaniment:
        return read(threads.Accompaniment, {**going, "n": n, "version": version, "agency": self._agency})

    def _check(self, found: threads.ReferralDetail, going: threads.Accompaniment) -> None:
        now = self._hub.clock()
        today = day_of(now)
        if going.state in {"done", "no_show"} and not day_of(found.sent_at) <= going.on <= today:
            refuse(422, "bad-date")
        if going.state in {"proposed", "agreed"} and not today <= going.on <= today + _AHEAD:
            refuse(422, "bad-date")
        if (going.state == "done") != (going.result is not None):
            refuse(422, "result-mismatch")
        if going.state == "no_show":
            if going.next_step_on is None:
                refuse(422, "next-step-required")
            if not today <= going.next_step_on < day_of(Calendar().add_business_days(now, _NO_SHOW_DAYS)):
                refuse(422, "bad-date")

    def _set_due(self, referral: str, due: date | None, preset: str | None) -> threads.FollowUp:
        found, now = self._side(referral), self._hub.clock()
        if (due is None) == (preset is None):
            refuse(422, "follow-up-required")
        days, months = _PRESETS[preset] if preset else (0, 0)
        day = due or day_of(add_months(now, months) + timedelta(days=days))
        if day < day_of(now):
            refuse(422, "bad-date")
        for one in found.follow_ups:
            if (one.agency, one.due_on, one.done_at) == (self._agency, day, None):
                return one
        return self._add(found, day)

    def _add(self, found: threads.ReferralDetail, day: date) -> threads.FollowUp:
        made = threads.FollowUp(n=len(found.follow_ups) + 1, agency=self._agency, due_on=day)
        self._hub.referrals[found.id] = replace(found, follow_ups=(*found.follow_ups, made))
        return made

    def _finish(self, referral: str, n: int, answer: Body) -> tuple[threads.FollowUp, ...]:
        found, now = self._side(referral), self._hub.clock()
        old = next((one for one in found.follow_ups if one.n == n), None) or refuse(404, "not-found")
        if old.agency != self._agency:
            refuse(403, "wrong-party")
        following = date.fromisoformat(str(answer["next_due"])) if answer.get("next_due") else None
        done = replace(
            old, done_at=now, channel=str(answer["channel"]), asked=tuple(sorted(answer["asked"])),
            result=str(answer["result"]), next_due_on=following,
        )  # fmt: skip
        if old.done_at is not None:
            return (old,) if replace(done, done_at=old.done_at) == old else refuse(409, "follow-up-done")
        if following is not None and following <= day_of(now):
            refuse(422, "bad-date")
        kept = tuple(done if one.n == n else one for one in found.follow_ups)
        changed = replace(found, follow_ups=kept)
        self._hub.referrals[referral] = changed
        return (done,) if following is None else (done, self._add(changed, following))

    def _tell(self, found: threads.ReferralDetail, event: str) -> None:
        others = tuple({found.sender, found.recipient} - {self._agency})
        self._hub.tell(others, event, found.id)
