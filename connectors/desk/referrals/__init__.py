# SPDX-License-Identifier: Apache-2.0
"""Referrals both ways: the list, one referral with its timeline, every move the hub offers, its thread, its journal."""
