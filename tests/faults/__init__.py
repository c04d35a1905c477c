# SPDX-License-Identifier: Apache-2.0
"""What the hub promised holds when its processes are killed."""
