# SPDX-License-Identifier: Apache-2.0
"""The tests, mirroring the packages; journeys follow the guideline's steps."""
