# SPDX-License-Identifier: Apache-2.0
"""Categories, recipients, purposes, steps, reasons: closed sets of codes with Japanese and English labels, loaded from versioned data in `codes`."""
