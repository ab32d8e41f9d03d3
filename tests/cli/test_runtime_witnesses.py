"""What a runtime signs last, when it ends, is kept outside before it has ended."""

from __future__ import annotations

import threading

from rotator.bootstrap import Rotator
from rotator.cli.runtime import run_embedded
from rotator.evidence.keeper import named
from rotator.ledger import service
from rotator.settings.configuration import Settings


class Nobody:
    """A worker that takes nothing."""

    def __init__(self, _app):
        self.start = self.stop = lambda: None


def test_what_a_runtime_signs_when_it_ends_is_kept_outside(tmp_path, monkeypatch):
    monkeypatch.setattr("workers.app.EmbeddedWorker", Nobody)
    for module in ("leading", "witnessing"):  # nothing is cut off on a busy machine
        monkeypatch.setattr(f"rotator.{module}.END_S", 60.0)
    (tmp_path / "worm").mkdir()
    parts = Rotator(Settings(data_dir=tmp_path / "data", folder=tmp_path, evidence={"keep": ["worm"]}))
    with parts.database.write() as connection:
        service.note(connection, {"act": "said"})
    run_embedded(parts, threading.Event(), until_idle=True, started=lambda: None)
    newest, _ = parts.checkpoints.newest()
    (kept,) = (tmp_path / "worm").iterdir()
    assert named(kept.name).hash == newest.hash
    (told,) = parts.witnesses.standing(parts.settings.evidence.witnesses)
    assert (told.until, told.behind, told.failing_since) == (1, 0, None)
    parts.database.close()
