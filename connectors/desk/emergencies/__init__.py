# SPDX-License-Identifier: Apache-2.0
"""Emergency disclosure (break glass): asked for with reasons, approved by a second person, sealed, told when safe."""
