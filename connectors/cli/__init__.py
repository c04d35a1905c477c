# SPDX-License-Identifier: Apache-2.0
"""`tsunagi`: what people and scripts at an agency type. Noun, verb; each text that a person reads is in a catalogue.

`frame` is how every command behaves, `desk` what it works with; each noun has a module. No rule lives here: the
casebook, the sync and the hub decide.
"""
