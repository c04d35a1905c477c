# SPDX-License-Identifier: Apache-2.0
"""The national sheets of a case: filled in, settled, signed, printed, given out, shared part by part."""
