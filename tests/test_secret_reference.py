"""The rotator's own credentials are named in its configuration, never written there."""

from __future__ import annotations

import traceback

import pytest

from rotator.errors import BadInput, Unavailable
from rotator.practice.openbao import openbao
from rotator.practice.process import free_port
from rotator.secret_reference import check, read

CANARY = "canary-1f2e3d4c"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----\n"


def refused(reference, folder):
    with pytest.raises(BadInput) as refusal:
        read(reference, folder)
    assert "\n" not in str(refusal.value)
    assert CANARY not in "".join(traceback.format_exception(refusal.value))
    return str(refusal.value)


@pytest.mark.parametrize("reference", ["env:NAME", "file:PATH", "file:/a b/c", "vault:kv/app/rotator#token"])
def test_a_reference_is_known_by_its_scheme(reference):
    check(reference, "credential")


@pytest.mark.parametrize(
    "text", ["", CANARY, "AKIA:x", "env:", "file:", "vault:", "vault:kv/app", "https://a/b", "ENV:A"]
)
def test_what_is_no_reference_is_refused_and_not_repeated(text):
    """It may be the secret itself."""
    with pytest.raises(BadInput, match="not a reference") as refusal:
        check(text, "credential")
    assert CANARY not in str(refusal.value)


def test_the_environment_and_files_are_read_at_each_use(tmp_path, monkeypatch):
    for text in (f" {CANARY}\n", "rotated"):
        monkeypatch.setenv("OWN", text)
        (tmp_path / "own").write_text(text)
        assert read("env:OWN", tmp_path).reveal() == text.strip()
        assert read("file:own", tmp_path).reveal() == text.strip()
        assert read(f"file:{tmp_path}/own", tmp_path / "elsewhere").reveal() == text.strip()


def test_a_key_keeps_its_last_line_end(tmp_path):
    """OpenSSH refuses a private key without it."""
    (tmp_path / "key").write_text(PEM)
    assert read("file:key", tmp_path).reveal() == PEM


def test_what_is_not_there_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("OWN", raising=False)
    monkeypatch.setenv("EMPTY", " \n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(CANARY.encode() + b"\xff")
    for reference in ("env:OWN", "env:EMPTY", "file:empty"):
        assert "is empty" in refused(reference, tmp_path)
    for reference in ("file:missing", "file:.", "file:binary", "file:~nobody-of-that-name/key", "file:a\0b"):
        assert "cannot be read" in refused(reference, tmp_path)
        assert reference.partition("\0")[0] in refused(reference, tmp_path)


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as server:
        server.put("rotator/own", {"token": CANARY, "number": 7})
        yield server


def test_a_vault_is_asked_at_each_use(vault, tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", vault.address + "/")
    monkeypatch.setenv("VAULT_TOKEN", vault.rotator.token.reveal())
    assert read("vault:secret/rotator/own#token", tmp_path).reveal() == CANARY
    assert "no such secret" in refused("vault:secret/rotator/own#other", tmp_path)
    assert "no such secret (status 404)" in refused("vault:secret/rotator/missing#token", tmp_path)
    assert "no such secret" in refused("vault:secret#token", tmp_path)
    monkeypatch.setenv("VAULT_TOKEN", "wrong")
    assert "no such secret (status 403)" in refused("vault:secret/rotator/own#token", tmp_path)
    monkeypatch.delenv("VAULT_TOKEN")
    assert "VAULT_ADDR and VAULT_TOKEN" in refused("vault:secret/rotator/own#token", tmp_path)


def test_a_vault_that_does_not_answer_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", CANARY)
    monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="vault_unreachable") as refusal:
        read("vault:secret/rotator/own#token", tmp_path)
    assert CANARY not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("address", ["nonsense", "http://[::1", "ftp://127.0.0.1", "http://127.0.0.1:port"])
def test_an_address_that_is_none_is_told_in_one_line(address, tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", address)
    monkeypatch.setenv("VAULT_TOKEN", CANARY)
    assert "VAULT_ADDR" in refused("vault:secret/rotator/own#token", tmp_path)


def test_a_token_that_cannot_be_sent_is_told_in_one_line(vault, tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", vault.address)
    for token in (f"{CANARY}\nX: y", f"{CANARY}é"):
        monkeypatch.setenv("VAULT_TOKEN", token)
        assert refused("vault:secret/rotator/own#token", tmp_path)
