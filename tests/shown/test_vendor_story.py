"""What was done of a vendor is told in people's words, once each, the newest first, with the record that shows it."""

from __future__ import annotations

from rotator import clock, datasets
from rotator.alarm import arriving
from rotator.datasets import Asked
from rotator.flow.checklist import DEFAULT, frozen
from rotator.flow.vendor_terms import Judged, Name
from rotator.manifests.hashing import Meter
from rotator.shown.live import live
from rotator.shown.vendor_story import story
from tests.fakes.vendors_paused import pause
from tests.shown.vendors import ADVISORY, RECORD, filled


def test_each_act_is_told_once_in_words_and_an_altered_dataset_by_its_files(tmp_path):
    parts = filled(tmp_path)
    (tmp_path / "rows").mkdir()
    table = tmp_path / "rows" / "a\u202eb.csv"
    table.write_text("1")
    datasets.record(parts, "rows", Asked(str(tmp_path / "rows"), "dora"), Meter())
    parts.assessments.set("beta", Judged(Name.LIKELIHOOD, 0.9, "ana", 0.0, "they rang", ""))
    incident = pause(parts, "beta", checklist=frozen(DEFAULT)).incident
    table.write_text("2")
    datasets.verify(parts, "rows", Asked("", "dora", incident=incident), Meter())
    told = story(parts, "beta", live(parts).of(incident, 2.0))
    parts.database.close()
    words = [each["what"] for each in told]
    assert words[0].startswith("The dataset rows was checked: DIFFERS, 1 altered")
    assert "a\ufffdb.csv" in words[0]
    assert sum(each.startswith("PAUSED") for each in words) == 1  # it is in two chains
    assert "The likelihood was set to 0.9, for every notice" in words
    assert {each["record"]["chain"] for each in told} == {"vendor.beta", incident}


def test_the_story_begins_with_the_advisory_that_arrived(tmp_path):
    parts = filled(tmp_path)
    arriving.take(parts, [RECORD], "siem", clock.now())
    [first, *_] = story(parts, "acme", None)
    parts.database.close()
    assert first["what"].startswith(f"{ADVISORY} arrived and touches it, with priority 0.")
    assert "litellm 1.82.7, which is bad" in first["what"]
    assert first["by"] == "siem"
