# SPDX-License-Identifier: Apache-2.0
"""A case is a pseudonymous handle and where it stands in the thirteen steps; never a name, a birth date or a
text.
"""
