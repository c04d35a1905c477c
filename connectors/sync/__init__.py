# SPDX-License-Identifier: Apache-2.0
"""The worker between casebook and hub: what waits goes out, what arrived comes in. Outbound HTTPS only, no queue."""
