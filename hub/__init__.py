# SPDX-License-Identifier: Apache-2.0
"""The central hub: decides, brokers and remembers, without ever being able to read a name or a word of content."""
