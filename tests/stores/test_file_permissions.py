"""What the file store says it may do is what happens when it is tried: as root, and as a user with no powers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable
from rotator.permissions import LOOK
from rotator.ports.connection import Connection
from rotator.stores.file import FileStore, connect

NOBODY, OTHER = 65534, 65533
NAME = "token.json"
WRITES = ("promote", "demote")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that other users may enter, which pytest's own are not; it belongs to nobody."""
    with tempfile.TemporaryDirectory(prefix="rotator-file-") as name:
        made = Path(name)
        made.chmod(0o755)
        given(made)
        yield made


def given(path: Path, owner: int = NOBODY, mode: int | None = None) -> Path:
    os.chown(path, owner, owner)
    if mode is not None:
        path.chmod(mode)
    return path


def a_file(folder: Path, owner: int = NOBODY, mode: int = 0o600) -> Path:
    file = folder / NAME
    file.write_text("old")
    return given(file, owner, mode)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Go on without root's powers; the groups are kept by the effective user too, so they go first."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@contextlib.contextmanager
def locked(flag: str, path: Path) -> Iterator[None]:
    subprocess.run(["chattr", f"+{flag}", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", f"-{flag}", str(path)], check=True)


def store(folder: Path) -> FileStore:
    return connect(Connection("here", "file", settings={"folder": str(folder)}))


def granted(folder: Path, name: str | None = NAME) -> tuple[bool | None, bool | None]:
    read, replace = store(folder).permissions(name)
    assert (read.verbs, replace.verbs) == ((LOOK, *WRITES), WRITES)
    assert all(each.why for each in (read, replace) if not each.granted)
    return read.granted, replace.granted


def delivered(folder: Path) -> bool:
    """Try it."""
    at = store(folder)
    try:
        before = at.current(NAME)
        at.promote(NAME, at.stage(NAME, Secret('{"id": "new"}'), "step-1"), before)
    except Rejected:
        return False
    return True


def standing(folder: Path) -> object:
    return [(each, each.stat().st_ino, each.stat().st_ctime_ns) for each in (folder, *folder.iterdir())]


def test_to_ask_touches_nothing(folder):
    a_file(folder)
    before = standing(folder)
    assert granted(folder) == granted(folder, None) == (True, True)
    assert standing(folder) == before


@pytest.mark.parametrize("owner", [NOBODY, OTHER])
def test_root_gives_the_new_file_to_whoever_had_the_old_one(folder, owner):
    file = a_file(folder, owner)
    assert granted(folder) == (True, True)
    assert delivered(folder)
    assert file.stat().st_uid == owner


def test_a_user_without_powers_may_replace_its_own_and_make_a_first_one(folder):
    with as_nobody():
        assert granted(folder) == (True, True)
        assert delivered(folder)
        assert granted(folder) == (True, True)
        assert delivered(folder)


def test_anothers_file_may_be_read_and_not_given_back_to_him(folder):
    a_file(folder, OTHER, 0o644)
    with as_nobody():
        assert granted(folder) == granted(folder, None) == (True, False)
        assert not delivered(folder)


def test_a_group_that_is_not_ones_own_cannot_be_given_either(folder):
    os.chown(a_file(folder), NOBODY, OTHER)
    with as_nobody():
        assert granted(folder) == (True, False)
        assert not delivered(folder)


def test_a_file_that_may_not_be_read_is_not_said_to_be(folder):
    a_file(folder, OTHER, 0o600)
    with as_nobody():
        assert granted(folder) == (False, False)
        with pytest.raises(Rejected):
            store(folder).read(NAME, store(folder).current(NAME))


def test_a_folder_that_may_only_be_read(folder):
    a_file(folder, mode=0o644)
    given(folder, OTHER, 0o755)
    with as_nobody():
        assert granted(folder) == granted(folder, None) == (True, False)
        assert not delivered(folder)


def test_a_folder_that_may_not_be_entered(folder):
    given(folder, OTHER, 0o700)
    with as_nobody():
        assert granted(folder) == granted(folder, None) == (False, False)
        assert not delivered(folder)


def test_in_a_sticky_folder_nobody_replaces_what_is_anothers(folder):
    os.chown(given(a_file(folder, OTHER, 0o644).parent, OTHER), OTHER, NOBODY)
    folder.chmod(0o1775)
    with as_nobody():
        assert granted(folder) == (True, False)
        assert "sticky" in store(folder).permissions(NAME)[1].why
        assert not delivered(folder)


def test_a_read_only_file_system_is_so_to_root_too(folder):
    a_file(folder)
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        assert granted(folder) == granted(folder, None) == (True, False)
        assert not delivered(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_file_that_is_a_mount_of_its_own_cannot_be_replaced(folder):
    file = a_file(folder).rename(folder / "my token")
    subprocess.run(["mount", "--bind", str(file), str(file)], check=True)
    try:
        assert granted(folder, file.name) == (True, False)
        at = store(folder)
        version = at.stage(file.name, Secret('{"id": "new"}'), "step-1")
        with pytest.raises(Unavailable):
            at.promote(file.name, version, at.current(file.name))
    finally:
        subprocess.run(["umount", str(file)], check=True)


@pytest.mark.parametrize("flag", ["i", "a"])
@pytest.mark.parametrize("at", [NAME, "."])
def test_what_chattr_holds_is_held_for_root_too(folder, flag, at):
    file = a_file(folder)
    with locked(flag, folder / at):
        assert granted(folder) == granted(folder, None) == (True, False)
        assert not delivered(folder)
    assert file.read_text() == "old"


def test_what_the_store_would_refuse_in_any_case_is_refused(folder):
    (folder / NAME).symlink_to("/etc/hostname")
    assert granted(folder) == (False, False)
    assert granted(folder, None) == (True, True)  # a link is nobody's place
    (folder / NAME).unlink()
    folder.chmod(0o1777)
    assert granted(folder) == granted(folder, None) == (False, False)
    with pytest.raises(Rejected):
        store(folder).permissions("../elsewhere")


def test_of_all_nobody_can_tell_where_there_are_folders_below(folder):
    (folder / "app").mkdir()
    assert granted(folder, None) == (True, None)
    assert granted(folder, "app/token.json") == (True, True)
