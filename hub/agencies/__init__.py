# SPDX-License-Identifier: Apache-2.0
"""The directory: which agencies there are (one agency = one capacity), what they offer, and their keys."""
