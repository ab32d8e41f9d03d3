"""The command line under libfaketime, with the leases it has: what stalls past one is freed, and the test sees it.

CPython 3.11 sleeps until a moment of the monotonic clock. libfaketime 0.9.10 moves such a moment as if it were the
wall clock's, although it was told to leave that clock alone, so here sleeping is waiting for what never comes.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

time.sleep = lambda seconds: threading.Event().wait(seconds)

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))  # a package of the tests brings a `tests` of its own
    from rotator.cli.main import main

    main()
