"""What is kept stays as it was written, shows what was laid over it, and is gone on with after a crash."""

from __future__ import annotations

import io
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.evidence import bucket as bucket_module
from rotator.evidence.address import bucket_of
from rotator.evidence.folder import Folder
from rotator.evidence.keeper import Entry, checkpoint_in, content_of, name_of, named
from rotator.evidence.keepers import keeper_of
from rotator.ports.connection import Connection
from rotator.settings.configuration import Settings
from rotator.witnessing import keeper
from tests.evidence.test_packs import story
from tests.servers.moto import moto_server

NAME, TEXT = "checkpoint-1", b"what was signed"


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="audit", ObjectLockEnabledForBucket=True)
        s3.create_bucket(Bucket="unlocked")
        yield server


def connection(moto, **known) -> Connection:
    secret = {"aws_access_key_id": moto.admin_id, "aws_secret_access_key": moto.admin_secret.reveal()}
    given = {"name": "audit", "family": "aws", "endpoint_url": moto.endpoint_url}
    return Connection(**given, credential=lambda: Secret(json.dumps(secret)), **known)


@pytest.fixture
def locked(moto, request):
    return keeper_of(f"s3://audit/{request.node.name.replace('[', '/').replace(']', '')}", connection(moto), 3)


@pytest.fixture(params=["folder", "bucket"], name="keeper")
def either(request, tmp_path):
    if request.param == "bucket":
        return request.getfixturevalue("locked")
    (tmp_path / "worm").mkdir()
    return Folder(tmp_path / "worm")


def test_a_keeper_keeps_and_gives_back_and_takes_the_same_again(keeper):
    for _ in range(2):
        keeper.keep(NAME, io.BytesIO(TEXT))
    (entry,) = keeper.entries()
    assert (entry.name, keeper.read(entry)) == (NAME, TEXT)


@pytest.mark.parametrize("other", [b"another", TEXT[:-1], TEXT + b"!"], ids=["other", "shorter", "longer"])
def test_what_is_there_is_never_replaced(keeper, other):
    keeper.keep(NAME, io.BytesIO(TEXT))
    with pytest.raises(Rejected, match="differs"):
        keeper.keep(NAME, io.BytesIO(other))
    assert [keeper.read(each) for each in keeper.entries()] == [TEXT]


def test_two_who_write_one_file_at_once_have_both_written_it(keeper):
    wrong, begin = [], threading.Barrier(2)

    def write():
        begin.wait(30)
        try:
            keeper.keep(NAME, io.BytesIO(TEXT))
        except Unavailable:  # a bucket may say that the other is at it: once more is always right
            keeper.keep(NAME, io.BytesIO(TEXT))
        except Rejected as error:
            wrong.append(error)

    both = [threading.Thread(target=write) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert wrong == []
    assert {keeper.read(each) for each in keeper.entries()} == {TEXT}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.integers(0, len(TEXT)), strange=st.binary(max_size=4))
def test_a_file_that_a_crash_left_half_is_gone_on_with_and_a_strangers_is_not(tmp_path, written, strange):
    path = tmp_path / NAME
    path.unlink(missing_ok=True)
    path.write_bytes(TEXT[:written] + strange)
    path.chmod(0o600)
    is_ours = TEXT.startswith(TEXT[:written] + strange)
    if is_ours:
        Folder(tmp_path).keep(NAME, io.BytesIO(TEXT))
    else:
        with pytest.raises(Rejected, match="differs"):
            Folder(tmp_path).keep(NAME, io.BytesIO(TEXT))
    assert path.read_bytes() == (TEXT if is_ours else TEXT[:written] + strange)


def test_a_file_is_read_only_and_no_link_or_pipe_is_followed(tmp_path):
    Folder(tmp_path).keep(NAME, io.BytesIO(TEXT))
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o444
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((Rejected, Unavailable)):
        Folder(tmp_path).keep("linked", io.BytesIO(TEXT))
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "elsewhere").write_bytes(TEXT)
    os.mkfifo(tmp_path / "pipe")
    for name in ("linked", "pipe"):
        with pytest.raises((Rejected, Unavailable)):
            Folder(tmp_path).keep(name, io.BytesIO(TEXT))
        with pytest.raises(Unavailable):
            Folder(tmp_path).read(Entry(name))


def test_a_folder_that_is_not_mounted_is_not_made(tmp_path):
    with pytest.raises(Unavailable, match="is it mounted"):
        Folder(tmp_path / "mount").keep(NAME, io.BytesIO(TEXT))
    assert list(tmp_path.iterdir()) == []


def test_a_half_file_that_was_finished_is_durable_and_read_only(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").readlink()))
    (tmp_path / NAME).write_bytes(TEXT[:3])
    Folder(tmp_path).keep(NAME, io.BytesIO(TEXT))
    assert synced == [tmp_path / NAME, tmp_path]
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o444


def test_a_bucket_locks_what_it_keeps_against_its_owner_too(moto, locked):
    locked.keep(NAME, io.BytesIO(TEXT))
    (entry,) = locked.entries()
    s3, key = moto.client("s3"), f"{locked.address.removeprefix('s3://audit/')}/{NAME}"
    about = s3.head_object(Bucket="audit", Key=key)
    days = (about["ObjectLockRetainUntilDate"] - datetime.now(UTC)).total_seconds() / 86_400
    assert about["ObjectLockMode"] == "COMPLIANCE"
    assert 2.9 < days <= 3
    with pytest.raises(ClientError):
        s3.delete_object(Bucket="audit", Key=key, VersionId=entry.version)


def test_what_is_laid_over_a_file_or_marks_it_as_deleted_hides_nothing(moto, locked):
    locked.keep(NAME, io.BytesIO(TEXT))
    s3, key = moto.client("s3"), f"{locked.address.removeprefix('s3://audit/')}/{NAME}"
    s3.put_object(Bucket="audit", Key=key, Body=b"forged")
    locked.keep(NAME, io.BytesIO(TEXT))
    assert {locked.read(each) for each in locked.entries()} == {TEXT, b"forged"}
    s3.delete_object(Bucket="audit", Key=key)
    assert TEXT in {locked.read(each) for each in locked.entries()}


def test_a_bucket_without_a_lock_keeps_nothing(moto):
    with pytest.raises(Rejected):
        keeper_of("s3://unlocked", connection(moto), 3).keep(NAME, io.BytesIO(TEXT))


def test_what_is_larger_than_a_piece_is_read_back_whole(locked, monkeypatch):
    monkeypatch.setattr(bucket_module, "PIECE", 4)
    locked.keep(NAME, io.BytesIO(TEXT))
    locked.keep(NAME, io.BytesIO(TEXT))
    assert [locked.read(each) for each in locked.entries()] == [TEXT]
    monkeypatch.setattr(bucket_module, "MOST_BYTES", 4)
    with pytest.raises(Rejected, match="too_large"):
        locked.keep("large", io.BytesIO(TEXT))


def test_a_bucket_that_is_not_there_or_not_reached_says_so(moto):
    with pytest.raises(Rejected, match="not_found"):
        keeper_of("s3://nowhere", connection(moto), 3).keep(NAME, io.BytesIO(TEXT))
    nobody = Connection("audit", "aws", endpoint_url="http://127.0.0.1:9", credential=connection(moto).credential)
    with pytest.raises(Unavailable, match="unreachable"):
        keeper_of("s3://audit", nobody, 3).keep(NAME, io.BytesIO(TEXT))


def test_a_bucket_of_the_configuration_is_reached_over_its_connection(moto, tmp_path):
    secret = {"aws_access_key_id": moto.admin_id, "aws_secret_access_key": moto.admin_secret.reveal()}
    (tmp_path / "aws.json").write_text(json.dumps(secret))
    own = {"name": "audit", "family": "aws", "endpoint_url": moto.endpoint_url, "credential": "file:aws.json"}
    evidence = {"keep": ["s3://audit/configured"], "connection": "audit", "retain_days": 3}
    configured = Settings(data_dir=tmp_path, folder=tmp_path, connections=[own], evidence=evidence)
    keeper(configured, "s3://audit/configured").keep(NAME, io.BytesIO(TEXT))
    assert moto.client("s3").get_object(Bucket="audit", Key=f"configured/{NAME}")["Body"].read() == TEXT


def test_an_auditor_reads_a_bucket_with_his_own_machines_login(moto, locked, monkeypatch):
    locked.keep(NAME, io.BytesIO(TEXT))
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", moto.admin_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", moto.admin_secret.reveal())
    his = keeper_of(locked.address, Connection("", "aws"), 1)
    assert [his.read(each) for each in his.entries()] == [TEXT]


def test_a_checkpoint_is_read_back_as_it_was_and_any_other_byte_is_none():
    (first, *_) = story().checkpoints
    content = content_of(first)
    assert checkpoint_in(content) == first
    assert checkpoint_in(content.replace(b'": "', b'":  "', 1)) is None
    assert checkpoint_in(content[:-1]) is None
    found = named(name_of(first))
    assert (found.number, found.hash) == (1, first.hash)
    assert named("notes.txt") is None


@pytest.mark.parametrize("address", ["", "s3://", "s3://A", "gs://audit", "s3://audit/a?b", "https://x"])
def test_what_is_no_place_is_refused(address):
    with pytest.raises(BadInput, match="no keeper"):
        bucket_of(address)


def test_a_bucket_and_its_prefix_are_told_apart_from_a_folder():
    assert bucket_of("s3://audit/a/b/") == ("audit", "a/b")
    assert bucket_of("s3://audit") == ("audit", "")
    assert bucket_of("/mnt/worm") is None
