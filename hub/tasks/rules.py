# SPDX-License-Identifier: Apache-2.0
"""The kinds of tasks. Their labels, Japanese and English, are in `labels.json` beside this file."""

from enum import StrEnum


class TaskKind(StrEnum):
    """What a person is asked to do; a slice that needs another adds it here and to the labels."""

    REFERRAL_OPEN = "referral_open"
    REFERRAL_ANSWER = "referral_answer"
    REFERRAL_OVERDUE = "referral_overdue"
    REFERRAL_NEXT_STEP = "referral_next_step"
    REFERRAL_FIRST_CONTACT = "referral_first_contact"
    REFERRAL_REVIEW_HOLD = "referral_review_hold"
    REFERRAL_NO_WORD = "referral_no_word"
    REFERRAL_ACKNOWLEDGE = "referral_acknowledge"
    REFERRAL_CONFIRM_CANCEL = "referral_confirm_cancel"
    REFERRAL_REROUTE = "referral_reroute"
    REFERRAL_CONFLICT = "referral_conflict"
    QUESTION_ANSWER = "question_answer"
    CONFERENCE_NEEDED = "conference_needed"
    ACCOMPANIMENT_DUE = "accompaniment_due"
    FOLLOW_UP_DUE = "follow_up_due"
    FOLLOW_UP_OVERDUE = "follow_up_overdue"
    RECEIPT_MISSING = "receipt_missing"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_REFUSED = "delivery_refused"
    MESSAGE_UNDELIVERABLE = "message_undeliverable"
    PURGE_ANSWER = "purge_answer"
    PURGE_OVERDUE = "purge_overdue"
    CONSENT_ENDING = "consent_ending"
    CONSENT_UNSIGNED = "consent_unsigned"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CASE_NOTE = "case_note"
    MEETING_INVITED = "meeting_invited"
    EMERGENCY_REVIEW = "emergency_review"
    WORK_GIVEN_UP = "work_given_up"
