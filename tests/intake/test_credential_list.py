from __future__ import annotations

import json

import pytest

from rotator.credential import Leaked
from rotator.errors import BadInput


def test_csv_names_ids_and_what_is_known_of_them(exposures):
    first, second = exposures(
        b"Provider,ID,owner,account,connection,path\r\n"
        b"aws_iam_access_key,AKIAUJZDEGXDNCF32EPF,ci,123456789012,aws-prod,laptop-7\r\n"
        b"\r\n"
        b'ssh_authorized_key,"SHA256:abc, def",,,,\r\n',
        name="ids.csv",
    )
    assert (first.source, first.rule, first.where) == ("list", "aws_iam_access_key", "laptop-7")
    assert first.leaked == Leaked(id="AKIAUJZDEGXDNCF32EPF", owner="ci", account="123456789012", connection="aws-prod")
    assert (second.where, second.leaked) == ("ids.csv:4", Leaked(id="SHA256:abc, def"))


def test_json_may_be_objects_or_texts(exposures):
    entries = [{"provider": "vault_token", "id": 17}, "ssh_authorized_key:SHA256:abc"]
    found = exposures(json.dumps(entries).encode())
    assert [(each.rule, each.leaked) for each in found] == [
        ("vault_token", Leaked(id="17")),
        ("ssh_authorized_key", Leaked(id="SHA256:abc")),
    ]
    assert exposures(json.dumps(entries[::-1]).encode()) == found[::-1]


@pytest.mark.parametrize("name", ["secret", "Secret Access Key", "password", "token", "private_key"])
def test_a_column_for_secrets_is_refused(exposures, name):
    with pytest.raises(BadInput, match="column for secrets") as refused:
        exposures(f"provider,id,{name}\nvault_token,17,hunter2\n".encode())
    assert "hunter2" not in str(refused.value)
    with pytest.raises(BadInput, match="column for secrets"):
        exposures(json.dumps([{"provider": "vault_token", "id": "17", name: "hunter2"}]).encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"provider,id\nvault_token\n", "^report, line 2: 1 columns where the header has 2"),
        (b"provider,id\nvault_token,\n", "^report, line 2: `id` is missing"),
        (b"provider,id\nVault Token,17\n", "^report, line 2: `provider` is not the name of a kind"),
        (b'provider,id\n\nvault_token,"17\n', "^report, line 3: this is not CSV"),
        (b"provider,id\nvault_token,-----BEGIN KEY\n", "^report, line 2: `id` is not a plain word"),
        (b'[{"provider": "vault_token", "id": "1"}, 7]', "^report, entry 2: an entry is an object or a text"),
        (b'["vault_token"]', "^report, entry 1: `id` is missing"),
        (b'["a:1", "b:2"', "^report, byte 13: the report is cut off"),
    ],
)
def test_a_mistake_is_named_with_its_place(exposures, text, says):
    with pytest.raises(BadInput, match=says):
        exposures(text)
