"""The AWS emulator starts, or says in one line why it cannot."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.practice.ministack import ministack


def test_a_missing_emulator_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ROTATOR_MINISTACK", str(tmp_path / "nowhere"))
    with pytest.raises(BadInput) as error, ministack(tmp_path):
        pass
    assert "make build/ministack" in str(error.value)
    assert str(tmp_path / "nowhere") in str(error.value)


def test_its_root_user_is_known_and_a_planted_key_is_its_users(tmp_path):
    with ministack(tmp_path) as server:
        user, key_id, secret = server.plant()
        assert server.client("sts").get_caller_identity()["Account"] == server.account
        (key,) = server.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        assert (key["AccessKeyId"], key["Status"]) == (key_id, "Active")
        assert secret.reveal() not in repr(server)
