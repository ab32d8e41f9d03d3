"""What is typed before something is done tells how many it is done to, and where."""

from rotator.confirmation import phrase


def test_what_is_typed_names_each_environment():
    assert phrase("revoke", {}) == ""
    assert phrase("revoke", {"production": 12, "pci": 3}) == "revoke 3 pci 12 production"
