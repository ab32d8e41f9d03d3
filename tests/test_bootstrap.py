"""The composition root refuses what nobody would notice: a key that no part reads."""

import pytest

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.settings import Settings


def parts(tmp_path, **connection):
    settings = {"folder": tmp_path, "data_dir": tmp_path, "connections": [{"name": "a", **connection}]}
    return Rotator(Settings(**settings))


@pytest.mark.parametrize(
    ("connection", "line"),
    [
        (
            {"family": "aws", "endpoint_ur": "http://127.0.0.1:1"},
            "connection a: unknown key `endpoint_ur` (did you mean `endpoint_url`?)",
        ),
        (
            {"family": "vault", "zzz": 1},
            "connection a: unknown key `zzz` (the family knows ca_file, mount, namespace)",
        ),
        ({"family": "awz"}, "rotator/families/: there is no family called awz (check its spelling)"),
        ({"family": "ssh_errors"}, "connection a: there is no family called ssh_errors (see docs/configuration.md)"),
    ],
)
def test_a_key_or_a_family_that_nobody_knows_is_told_in_one_line(tmp_path, connection, line):
    with pytest.raises(BadInput) as refused:
        parts(tmp_path, **connection).connections  # noqa: B018 - reading them is the check
    assert str(refused.value) == line


def test_keys_of_the_family_are_handed_to_it(tmp_path):
    (found,) = parts(tmp_path, family="aws", region="eu-west-1").connections
    assert found.settings == {"region": "eu-west-1"}
