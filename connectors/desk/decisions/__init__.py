# SPDX-License-Identifier: Apache-2.0
"""支援決定 (step 8): the municipality is asked, its officer decides, the decision comes back, the person is told."""
