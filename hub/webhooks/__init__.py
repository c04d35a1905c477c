# SPDX-License-Identifier: Apache-2.0
"""Webhooks: an agency's event feed, sent to addresses of its own. Ids and kinds only, as the feed shows them."""
