# SPDX-License-Identifier: Apache-2.0
"""Follow-ups 確認・フォロー: the agenda, the month, what came of each, and a calendar feed that names nobody."""
