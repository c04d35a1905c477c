# SPDX-License-Identifier: Apache-2.0
"""The desk in a real browser: Chromium, two desks, and a real hub with its database, queue and worker."""
