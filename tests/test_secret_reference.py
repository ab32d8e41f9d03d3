"""The token with which a Vault is asked for the rotator's own secrets goes to that Vault only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rotator import secret_reference
from rotator.errors import BadInput, Unavailable
from rotator.practice.process import free_port
from tests.fakes.fault_proxy import fault_proxy


def test_no_proxy_that_the_environment_names_sees_the_token(monkeypatch):
    with fault_proxy(f"http://127.0.0.1:{free_port()}") as proxy:
        proxy.answer(200, {}, b'{"data": {"data": {"key": "from the proxy"}}}')
        monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("VAULT_TOKEN", "canary")
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises((Unavailable, BadInput)):
            secret_reference.read("vault:kv/rotator#key", Path())
        assert proxy.calls == []


def test_what_is_not_there_is_told_apart_from_what_is_empty_or_no_text(monkeypatch, tmp_path):
    monkeypatch.delenv("NOBODY_SET_THIS", raising=False)
    monkeypatch.setenv("EMPTY", " ")
    (tmp_path / "raw").write_bytes(bytes(range(128, 160)))
    for reference, said in [
        ("env:NOBODY_SET_THIS", "is not set"),
        ("env:EMPTY", "is empty"),
        ("file:nowhere", "there is no such file"),
        ("file:raw", "is not text (write it as text: raw bytes in base64)"),
    ]:
        with pytest.raises(BadInput, match=f"^{re.escape(f'{reference}: {said}')}"):
            secret_reference.read(reference, tmp_path)
