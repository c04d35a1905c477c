# SPDX-License-Identifier: Apache-2.0
"""Categories, recipients, purposes, steps, reasons: closed sets of codes with Japanese and English labels.

Versioned data beside this file, read once by `codes`.
"""
