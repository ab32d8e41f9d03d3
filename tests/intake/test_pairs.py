from __future__ import annotations

import json

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import BadInput

PAIR = {"provider": "twilio_api_key", "id": "SK01", "secret": "hunter2"}


def test_a_line_pairs_an_id_with_its_secret(exposures):
    more = {"owner": "ci", "account": 7, "address": "https://a.example/x", "connection": "c", "path": "laptop"}
    first, second = exposures("\n".join(map(json.dumps, [PAIR, {**PAIR, **more}])).encode())
    assert (first.source, first.rule, first.where) == ("list", "twilio_api_key", "report:1")
    assert first.leaked == Leaked(id="SK01", secret=Secret("hunter2"))
    assert (second.leaked.owner, second.leaked.account, second.leaked.connection) == ("ci", "7", "c")
    assert (second.leaked.address, second.where) == ("https://a.example", "laptop")


def test_a_key_file_may_stand_as_it_is(exposures):
    (found,) = exposures(json.dumps({"provider": "gcp_service_account_key", "secret": {"a": 1}}).encode())
    assert found.leaked == Leaked(secret=Secret('{"a": 1}'))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"secret": ""}, "`secret` is missing"),
        ({"secret": 7}, "`secret` is missing"),
        ({"provider": "Twilio Key"}, "`provider` is not the name of a kind"),
        ({"id": ["hunter2"]}, "`id` is not a plain word"),
        ({"owner": "-----BEGIN x"}, "`owner` is not a plain word"),
        ({"hunter2": "x"}, "only account, address"),
        ({"address": "ftp://hunter2"}, "`address` is not a server's"),
    ],
)
def test_a_mistake_is_named_without_the_secret(exposures, change, says):
    with pytest.raises(BadInput) as refused:
        exposures("\n".join(map(json.dumps, [PAIR, {**PAIR, **change}])).encode())
    assert str(refused.value).startswith(f"report, line 2: {says}")
    assert "hunter2" not in str(refused.value)
