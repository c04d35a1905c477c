# SPDX-License-Identifier: Apache-2.0
"""The national sheets as data: definitions, a municipality's own fields, checking, and parts by consent category."""
