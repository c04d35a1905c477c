# SPDX-License-Identifier: Apache-2.0
"""Referrals: the loop that keeps one agency answerable for the person until someone really has them."""
