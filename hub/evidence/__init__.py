# SPDX-License-Identifier: Apache-2.0
"""What somebody elsewhere needs to check the log without us: entries with the signed documents that they speak of, and
whole bundles. Checked by `consent.evidence`.
"""
