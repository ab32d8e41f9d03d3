"""A Secret is never shown, whoever asks and however; only `reveal` gives it."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import string
import traceback
from collections import Counter

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from rotator.credential import REDACTED, CredentialRef, Issued, Leaked, Secret, read_document
from rotator.flow.exposure import Exposure, Suspect

CANARY = "canary-1f2e3d4c"


@dataclasses.dataclass
class Holder:
    inner: Secret


SHOWN_BY = {
    "repr": repr,
    "str": str,
    "format": lambda secret: f"{secret}|{secret!r:>40}|{secret:.3}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "str.format": "{0} {0!r} {0!s:^30}".format,
    "template": lambda secret: string.Template("$s").substitute(s=secret),
    "container": lambda secret: str([secret, {"a": secret}, (secret,), {secret}]),
    "counter": lambda secret: repr(Counter([secret])),
    "dataclass": lambda secret: repr(Holder(secret)),
    "pprint": lambda secret: pprint.pformat({"secret": secret}),
    "rich": lambda secret: pretty_repr({"secret": secret}),
    "json": lambda secret: json.dumps({"secret": secret}, default=str),
    "leaked": lambda secret: repr(Leaked(id="AKIA", secret=secret)),
    "issued": lambda secret: repr(Issued(CredentialRef("p", "c", "o", "i"), secret, {"public": "x"})),
    "document": lambda secret: repr(Issued(CredentialRef("p", "c", "o", "i"), secret).document("token")),
    "exposure": lambda secret: repr(Exposure("list", "rule", Leaked(secret=secret))),
    "suspect": lambda secret: repr(Suspect("k", "key", Leaked(secret=secret), ())),
    "exception": lambda secret: repr(ValueError(secret)) + str(ValueError(secret)),
    "attributes": lambda secret: repr([name for name in dir(secret) if CANARY in name]) + repr(Secret.__slots__),
    "hash": lambda secret: str(hash(secret)),
}


@pytest.mark.parametrize("way", sorted(SHOWN_BY))
def test_it_is_never_shown(way):
    assert CANARY not in SHOWN_BY[way](Secret(CANARY))


@pytest.mark.parametrize(
    "take",
    [
        copy.copy,
        copy.deepcopy,
        lambda secret: copy.deepcopy([secret]),
        lambda secret: dataclasses.asdict(Holder(secret)),
    ]
    + [
        lambda secret, protocol=protocol: pickle.dumps(secret, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ],
)
def test_it_is_never_copied_or_pickled(take):
    with pytest.raises(TypeError) as refusal:
        take(Secret(CANARY))
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize("take", [json.dumps, "".join, bytes, int, len, iter, lambda secret: secret + "", vars])
def test_nothing_else_takes_it_and_its_complaint_does_not_show_it(take):
    secret = Secret(CANARY)
    with pytest.raises(TypeError) as refusal:
        take([secret]) if take == "".join else take(secret)
    assert CANARY not in "".join(traceback.format_exception(refusal.value))


def test_no_log_shows_it():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.Logger("of this test")  # noqa: LOG001 - one that no other test hears
    log.addHandler(handler)
    secret = Secret(CANARY)
    log.warning("%s and %r", secret, {"a": secret})
    try:
        {}[secret]
    except KeyError:
        log.exception("with %s", secret)
    for render in (structlog.processors.JSONRenderer(), structlog.dev.ConsoleRenderer(colors=False)):
        stream.write(str(render(None, "warning", {"event": "seen", "secret": secret, "many": [secret]})))
    assert "seen" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_no_traceback_shows_it_even_with_its_locals():
    def deep(secret: Secret) -> None:
        held = {"secret": secret}
        raise KeyError(held["secret"])

    console = Console(file=io.StringIO(), width=200)
    try:
        deep(Secret(CANARY))
    except KeyError as error:
        console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    shown = console.file.getvalue()
    assert REDACTED in shown
    assert CANARY not in shown.replace("deep(Secret(CANARY))", "")


@given(st.text(), st.text())
def test_it_is_equal_to_the_same_material_alone(one, other):
    try:
        equal = Secret(one) == Secret(other)
    except UnicodeEncodeError:
        return  # half a character is no material
    assert equal == (one == other)
    assert (hash(Secret(one)) == hash(Secret(other))) or not equal
    assert Secret(one) != one
    assert bool(Secret(one)) == bool(one)


@given(st.text(min_size=1), st.dictionaries(st.text(min_size=1), st.text(), max_size=3), st.text())
def test_what_is_delivered_is_read_back_as_it_was(name, public, material):
    public = {key: value for key, value in public.items() if key not in {"id", "token"}}
    issued = Issued(CredentialRef("p", "c", "o", name), Secret(material), public)
    credential_id, secret, fields = read_document(issued.document("token"), "token")
    assert (credential_id, secret.reveal(), fields) == (name, material, public)


@pytest.mark.parametrize("text", ["", "canary", "[]", "null", '"canary"', "{}", '{"id": "1"}', '{"token": "canary"}'])
def test_what_rotator_did_not_write_is_refused_without_showing_it(text):
    with pytest.raises(ValueError, match="not a document that rotator wrote") as refusal:
        read_document(Secret(text), "token")
    assert "canary" not in "".join(traceback.format_exception(refusal.value)).replace("canary\\", "")


def test_a_credential_is_named_without_its_material():
    ref = CredentialRef("aws", "prod", "", "AKIA1")
    assert str(ref) == "aws/prod/?/AKIA1"
    assert ref.with_id("AKIA2") == CredentialRef("aws", "prod", "", "AKIA2")
    assert len({ref, ref.with_id("AKIA1"), dataclasses.replace(ref, generation=1)}) == 2


@pytest.mark.parametrize(
    ("said", "account", "address", "fits"),
    [
        (Leaked(id="1"), "111", "https://a", True),
        (Leaked(id="1", account="111"), "111", None, True),
        (Leaked(id="1", account="222"), "111", None, False),
        (Leaked(id="1", account="222"), None, "https://a", True),
        (Leaked(id="1", address="https://a"), None, "https://a:8200", True),
        (Leaked(id="1", address="https://a:8200"), None, "https://a:8201", False),
        (Leaked(id="1", address="a:8200"), None, "https://a:8200/path", True),
        (Leaked(id="1", address="https://b"), None, "https://a", False),
        (Leaked(id="1", address="https://a:port"), None, "https://a", False),
    ],
)
def test_what_a_report_names_must_fit_and_what_it_leaves_out_does(said, account, address, fits):
    assert said.may_belong_to(account, address) is fits
