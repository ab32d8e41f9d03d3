"""The command line with short waits for what has died or is frozen: the same margins, one inside the other, in seconds.

In the product: a call lasts 25 s at most, nothing is sent later than 30 s after a commit, a lease is 60 s. Here the
lease of `quickly.py` is kept, and what must be shorter than it is made so. Where every call takes milliseconds, a
lost mint has landed after two seconds. When it is looked for once more is far enough from the lease's end for a test
to see, on a slow machine too, that nobody has looked yet.
"""

from __future__ import annotations

import sys
from pathlib import Path

import rotator.holding
import rotator.lost_issue
import rotator.minting

sys.path.insert(0, str(Path(__file__).parents[2]))  # a package of the tests brings a `tests` of its own
from tests.e2e import quickly

rotator.holding.SEND_MARGIN_S = 1.0
rotator.lost_issue.CALL_DEADLINE_S = 2.0
rotator.minting.LANDS_S = 20.0

if __name__ == "__main__":
    quickly.main()
