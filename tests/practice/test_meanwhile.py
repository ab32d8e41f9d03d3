"""What others do while the range's vendor is paused leaves what its gates ask for."""

from __future__ import annotations

import json

from rotator.practice import meanwhile
from rotator.practice.vendor import CLEAN, Lumen


def test_the_vendors_new_list_is_clean_and_called_as_the_old_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = Lumen(tmp_path)
    told.sbom.write_text("{}")
    told.put_back()
    before = {each.name: each.read_text() for each in told.dataset.iterdir()}
    told.alter()
    assert before != {each.name: each.read_text() for each in told.dataset.iterdir()}
    assert meanwhile.main() == 0
    assert before == {each.name: each.read_text() for each in told.dataset.iterdir()}
    assert told.new_sbom.name == told.sbom.name
    assert {each["version"] for each in json.loads(told.new_sbom.read_text())["components"]} >= {CLEAN}


def test_elsewhere_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert meanwhile.main() == 1
    assert list(tmp_path.iterdir()) == []
    assert "in the vendor's folder" in capsys.readouterr().err
