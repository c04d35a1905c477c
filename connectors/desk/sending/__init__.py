# SPDX-License-Identifier: Apache-2.0
"""A new referral: person, purpose, recipient, categories, text, dates, and what the recipient will see, then send."""
