# SPDX-License-Identifier: Apache-2.0
"""What a person allowed, refused and took back: the register, the person's copy, taking back, notices, the records of
what was provided.
"""
