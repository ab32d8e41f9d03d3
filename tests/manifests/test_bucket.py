"""A bucket is told as a folder would be; what is written meanwhile, or may not be read, is said."""

from __future__ import annotations

import hashlib
import json

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable
from rotator.families import aws_objects
from rotator.manifests import bucket, hashing
from rotator.manifests.entry import Entry, Kind
from rotator.manifests.hashing import Meter
from rotator.ports.connection import Connection

KEY = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint):
    found = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}), **KEY
    )
    found.create_bucket(Bucket="data")
    yield found
    for each in found.list_objects_v2(Bucket="data").get("Contents", ()):
        found.delete_object(Bucket="data", Key=each["Key"])
    found.delete_bucket(Bucket="data")


@pytest.fixture
def connection(endpoint):
    return Connection("aws-prod", "aws", endpoint_url=endpoint, credential=lambda: Secret(json.dumps(KEY)))


def entries(connection, prefix="set/"):
    return list(hashing.entries(bucket.walk(connection, "data", prefix), Meter()))


def file(path, content):
    return Entry(path, Kind.FILE, len(content), hashlib.sha256(content).hexdigest())


def test_objects_below_a_prefix_are_told_with_their_content(s3, connection, monkeypatch):
    monkeypatch.setattr(aws_objects, "PIECE", 4)
    content = {"a": b"", "b": b"four", "dir/c": b"nine byte", "odd %": b"x"}
    for key, body in {**{f"set/{name}": body for name, body in content.items()}, "setting": b"no"}.items():
        s3.put_object(Bucket="data", Key=key, Body=body)
    told = {"a": "a", "b": "b", "dir/c": "dir/c", "odd %": "odd %25"}
    assert entries(connection) == [file(told[name], content[name]) for name in sorted(content)]


def test_more_than_a_page_of_objects_is_told(s3, connection, monkeypatch):
    asked = aws_objects.Account.exchange
    pages = []

    class Small:
        def __init__(self, exchange):
            self._exchange = exchange

        def read(self, service, operation, **given):
            if operation == "list_objects_v2":
                pages.append(given)
                given["MaxKeys"] = 2
            return self._exchange.read(service, operation, **given)

    for number in range(5):
        s3.put_object(Bucket="data", Key=f"set/{number}", Body=b"x")
    monkeypatch.setattr(aws_objects.Account, "exchange", lambda account: Small(asked(account)))
    assert [each.path for each in entries(connection)] == list("01234")
    assert len(pages) == 3


def test_what_is_written_while_it_is_read_is_said(s3, connection, monkeypatch):
    monkeypatch.setattr(aws_objects, "PIECE", 4)
    s3.put_object(Bucket="data", Key="set/a", Body=b"first content")
    (found,) = bucket.walk(connection, "data", "set/")
    really, pieces = aws_objects._asked, []

    def writing(*args):
        pieces.append(args)
        if len(pieces) == 2:
            s3.put_object(Bucket="data", Key="set/a", Body=b"other content")
        return really(*args)

    monkeypatch.setattr(aws_objects, "_asked", writing)
    assert found(Meter()) == hashing.changed("a")


@pytest.mark.parametrize(("error", "tries"), [(Rejected("access_denied"), 1), (Unavailable("cut_off"), 3)])
def test_what_is_not_given_is_said_and_the_rest_is_told(s3, connection, monkeypatch, error, tries):
    for name in "ab":
        s3.put_object(Bucket="data", Key=f"set/{name}", Body=b"x")
    really, asked = aws_objects._asked, []

    def refusing(account, name, found, *span):
        if found.key.endswith("a"):
            asked.append(found)
            raise error
        return really(account, name, found, *span)

    monkeypatch.setattr(aws_objects, "_asked", refusing)
    assert entries(connection) == [Entry("a", Kind.UNREAD, None, error.reason), file("b", b"x")]
    assert len(asked) == tries


def test_a_bucket_that_is_not_there_is_an_error(connection):
    with pytest.raises(Rejected) as error:
        list(bucket.walk(connection, "none", ""))
    assert error.value.reason == "not_found"
