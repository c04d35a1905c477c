# SPDX-License-Identifier: Apache-2.0
"""Corrections: telling everybody who received something wrong what is right, and seeing who has confirmed it."""
