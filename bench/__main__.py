# SPDX-License-Identifier: Apache-2.0
"""`python -m bench [NAME …]`: run the named benchmarks, or every one that takes no more than a minute."""

from __future__ import annotations

import runpy
import sys

QUICK = ("decide", "seal", "loop")


def main() -> int:
    """Run the benchmarks that are named; arguments after a single name are its own."""
    names, arguments = (sys.argv[1:2], sys.argv[2:]) if len(sys.argv) > 1 else (list(QUICK), [])
    for name in names:
        print(f"── {name} ──", flush=True)
        sys.argv = [name, *arguments]
        try:
            runpy.run_module(f"bench.{name}", run_name="__main__")
        except SystemExit as ended:
            if ended.code:
                return int(ended.code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
