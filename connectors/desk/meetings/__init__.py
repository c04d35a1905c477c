# SPDX-License-Identifier: Apache-2.0
"""支援調整会議 rests on the person's consent, 支援会議 (law art. 9) does not; they are kept apart on every page."""
