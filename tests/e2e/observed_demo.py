"""Play the demo as `python -m rotator.practice.demo` does, and write down what its consumers hold at its end.

Nothing outside the demo's own process could tell which secrets were issued in it: they lived in its servers' memory.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
from pathlib import Path

from rotator.practice import range as practice

_range = practice.practice_range


@contextlib.contextmanager
def _observed(folder):
    with _range(folder) as up:
        try:
            yield up
        finally:
            held = [consumer._held for consumer in up.consumers.values()]
            Path(sys.argv[1]).write_text(json.dumps(held), encoding="utf-8")


practice.practice_range = _observed
runpy.run_module("rotator.practice.demo", run_name="__main__", alter_sys=True)
