"""What is peculiar to files: who may read them, links, folders that others may write to, and where they stand."""

from __future__ import annotations

import os
import stat

import pytest

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected
from rotator.ports.connection import Connection
from rotator.stores.file import connect

DOCUMENT = Secret('{"id": "new", "token": "canary-4d5e6f"}')


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "secrets"
    made.mkdir(mode=0o755)
    return made


def store(folder):
    return connect(Connection("here", "file", settings={"folder": str(folder)}))


def delivered(folder, name="token.json"):
    at = store(folder)
    before = at.current(name)
    return at.promote(name, at.stage(name, DOCUMENT, "step-1"), before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_what_waits_or_what_is_new(folder):
    old_mask = os.umask(0)
    try:
        store(folder).stage("token.json", DOCUMENT, "step-1")
        assert [mode(each) for each in folder.iterdir()] == [0o600]
        delivered(folder)
    finally:
        os.umask(old_mask)
    assert {each.name: mode(each) for each in folder.iterdir()} == {"token.json": 0o600}


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o644, 0o640), (0o600, 0o600), (0o666, 0o640), (0o400, 0o400), (0o444, 0o440), (0o755, 0o640)],
)
def test_nobody_may_do_more_than_before_and_others_nothing(folder, before, after):
    (folder / "token.json").write_text("by hand")
    (folder / "token.json").chmod(before)
    delivered(folder)
    assert {mode(each) for each in folder.iterdir()} == {after}


def test_owner_and_group_stay_also_after_an_undo(folder):
    (folder / "token.json").write_text("by hand")
    os.chown(folder / "token.json", 65534, 65534)
    before = store(folder).current("token.json")
    version = delivered(folder)
    found = (folder / "token.json").stat()
    assert (found.st_uid, found.st_gid) == (65534, 65534)
    store(folder).demote("token.json", version, before)
    found = (folder / "token.json").stat()
    assert (found.st_uid, found.st_gid, (folder / "token.json").read_text()) == (65534, 65534, "by hand")


def test_a_link_is_neither_followed_nor_replaced(folder, tmp_path):
    (tmp_path / "elsewhere").write_text("not ours")
    (folder / "token.json").symlink_to(tmp_path / "elsewhere")
    (folder / "sub").symlink_to(tmp_path)
    for name, reason in (("token.json", "is_a_link"), ("sub/elsewhere", "not_a_folder")):
        with pytest.raises(Rejected) as refusal:
            store(folder).current(name)
        assert refusal.value.reason == reason
    version = store(folder).stage("token.json", DOCUMENT, "step-1")
    with pytest.raises(Rejected) as refusal:
        store(folder).promote("token.json", version, None)
    assert refusal.value.reason == "is_a_link"
    assert (tmp_path / "elsewhere").read_text() == "not ours"


def test_a_folder_that_everybody_may_write_to_is_refused(folder):
    folder.chmod(0o1777)
    with pytest.raises(Rejected) as refusal:
        store(folder).stage("token.json", DOCUMENT, "step-1")
    assert refusal.value.reason == "folder_open_to_all"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".", "x\0y", "x.rotator-kept-1"])
def test_a_name_that_leads_elsewhere_is_refused(folder, name):
    with pytest.raises(Rejected) as refusal:
        store(folder).stage(name, DOCUMENT, "step-1")
    assert refusal.value.reason == "bad_name"


def test_only_what_stood_there_last_is_kept(folder):
    at = store(folder)
    (folder / "token.json").write_text("by hand")
    for number in range(3):
        version = at.stage("token.json", Secret(f'{{"id": "{number}"}}'), f"step-{number}")
        at.promote("token.json", version, at.current("token.json"))
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("settings", [{}, {"folder": "secrets"}, {"folder": 7}])
def test_a_connection_without_a_folder_is_one_clear_line(settings):
    with pytest.raises(BadInput, match="connection here: `folder` is not an absolute path"):
        connect(Connection("here", "file", settings=settings))
