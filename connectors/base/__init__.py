# SPDX-License-Identifier: Apache-2.0
"""What every part of the agency side stands on: errors with a text for the person, the clock, the agency's folder."""
