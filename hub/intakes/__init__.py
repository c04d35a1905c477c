# SPDX-License-Identifier: Apache-2.0
"""What people agreed to and refused: registered consents, exclusions, withdrawals and statuses, kept byte for
byte.
"""
