"""Run as: python -m tests.soak [--planted | --night N]. SEED and INCIDENTS come from the environment."""

from __future__ import annotations

import importlib
import os
import sys

from tests.soak import steady

if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets must be walked in the same order each time.
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.soak", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    steady.install()
    sys.exit(importlib.import_module("tests.soak.command").main(sys.argv[1:]))
