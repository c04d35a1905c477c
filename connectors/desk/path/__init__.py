# SPDX-License-Identifier: Apache-2.0
"""The path of a case through the thirteen steps (ux D10): where it stands, who holds which ball, and how it is moved.

The machine is the hub's. The desk offers what the hub offered last, queues what a worker chooses, and says what came
of it.
"""
