"""The inventory says what people said as plans do, not as the program keeps it."""

from __future__ import annotations

from rotator.bootstrap import Rotator
from rotator.settings.file import load
from rotator.shown import ages

CONFIGURATION = """
data_dir = "data"
[[connections]]
name = "files"
family = "file"
folder = "/etc/shop"
[[credentials]]
match = {owner = "shop"}
environment = "production"
deliver = [{store = "file", connection = "files", name = "shop"}]
consumers = [{webhook = "https://shop.example.com/hook"}]
"""


def test_a_place_and_a_consumer_are_said_in_words(tmp_path):
    (tmp_path / "rotator.toml").write_text(CONFIGURATION)
    parts = Rotator(load(tmp_path / "rotator.toml"))
    [row] = ages.rows(parts)
    parts.database.close()
    assert "deliver: file:files:shop" in row["said"]
    assert "webhook https://shop.example.com/hook" in row["said"]
    assert "{" not in row["said"]
