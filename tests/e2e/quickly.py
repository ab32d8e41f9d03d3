"""The command line with short waits, for tests in which a process dies: what is freed after a minute is freed at once.

A lease of a minute outlives the longest call; where every call takes milliseconds, three seconds do.
"""

from __future__ import annotations

import rotator.dispatcher
import rotator.ledger.outbox
from rotator.cli.main import main

rotator.dispatcher.LEASE_S = 3.0
rotator.ledger.outbox.RESEND_S = 2.0

if __name__ == "__main__":
    main()
