# SPDX-License-Identifier: Apache-2.0
"""`python -m connectors.cli`."""

from connectors.cli.main import main

if __name__ == "__main__":
    main()
