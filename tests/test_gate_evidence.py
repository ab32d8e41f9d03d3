"""Since when what a vendor held was exposed: by the pause's own word, else by the earliest that anything tells."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rotator import gate_evidence
from rotator.flow.incident import Incident, Severity

DETECTED = 1000.0


@pytest.mark.parametrize(
    ("of_pause", "of_merged", "since"),
    [
        (None, None, DETECTED),
        (None, DETECTED + 500, DETECTED),  # else who merges an incident makes a young manifest sound
        (None, DETECTED - 500, DETECTED - 500),
        (DETECTED + 200, None, DETECTED + 200),
        (DETECTED + 200, DETECTED + 500, DETECTED + 200),
        (DETECTED + 200, DETECTED - 500, DETECTED - 500),
    ],
)
def test_what_is_merged_into_a_pause_makes_its_exposure_earlier_and_never_later(of_pause, of_merged, since):
    every = [
        SimpleNamespace(incident=Incident(name, name, Severity.HIGH, at, at, said))
        for name, at, said in (("inc-1", DETECTED, of_pause), ("inc-2", DETECTED + 600, of_merged))
    ]
    parts = SimpleNamespace(advisories=SimpleNamespace(first=lambda _names: None))
    pause = SimpleNamespace(incident="inc-1", notices=())
    assert gate_evidence.exposed(parts, pause, every, []).at == since
