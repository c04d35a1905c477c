# SPDX-License-Identifier: Apache-2.0
"""Several agencies, a real hub, whole stories."""
