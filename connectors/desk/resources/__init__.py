# SPDX-License-Identifier: Apache-2.0
"""The register of missing resources (不足する社会資源): what is needed here and nobody offers, and what comes of it."""
