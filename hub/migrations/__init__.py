# SPDX-License-Identifier: Apache-2.0
"""The schema's history: numbered files in `versions`, written by hand because policies and grants are half of the
meaning.
"""
