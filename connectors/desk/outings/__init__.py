# SPDX-License-Identifier: Apache-2.0
"""Accompaniment 同行支援: planned from a referral, written down on a phone, told to the hub in codes."""
