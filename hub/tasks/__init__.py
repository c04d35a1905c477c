# SPDX-License-Identifier: Apache-2.0
"""What a person must do and by when, raised by timers and by people. What the timers are belongs to the
slices.
"""
