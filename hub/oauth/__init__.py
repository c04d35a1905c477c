# SPDX-License-Identifier: Apache-2.0
"""The authorization server for agencies, one file per specification. People's sign-in is not here yet."""
