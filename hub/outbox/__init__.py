# SPDX-License-Identifier: Apache-2.0
"""What must still be done or told, written with the change that caused it. The queue carries wake-ups
only.
"""
