"""Sites are read as people write them, and compared alike."""

import pytest

from rotator.errors import BadInput
from rotator.flow.site import Site, SiteKind, site


@pytest.mark.parametrize(
    ("text", "name"), [("host:CI-7.example.", "ci-7.example"), (" host: ci-7.example ", "ci-7.example")]
)
def test_one_host_is_one_site_however_it_is_written(text, name):
    assert site(text) == Site(SiteKind.HOST, name)
    assert str(site(text)) == f"host:{name}"


@pytest.mark.parametrize("text", ["", "ci-7", "host:", "laptop:ann", "host:a b", "host:" + "x" * 400])
def test_what_is_none_says_how_to_write_it(text):
    with pytest.raises(BadInput, match="host, repository, job, container"):
        site(text)
