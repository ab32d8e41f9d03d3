"""The command line with short waits, under libfaketime.

CPython 3.11 sleeps until a moment of the monotonic clock. libfaketime 0.9.10 moves such a moment as if it were the
wall clock's, although it was told to leave that clock alone, so here sleeping is waiting for what never comes.
"""

from __future__ import annotations

import threading
import time

time.sleep = lambda seconds: threading.Event().wait(seconds)

if __name__ == "__main__":
    from tests.e2e.quickly import main

    main()
