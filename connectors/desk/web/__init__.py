# SPDX-License-Identifier: Apache-2.0
"""What every page stands on: who may open it, how it is rendered, how a form is read, what an error says."""
