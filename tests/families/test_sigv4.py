"""Our signature is the one that AWS's own library makes."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import Secret
from rotator.families.sigv4 import Signer

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(
    path=st.lists(WORDS.filter(lambda each: each.strip(".")), max_size=3),
    query=st.dictionaries(WORDS, WORDS, max_size=3),
    content=st.binary(max_size=40),
    token=st.one_of(st.none(), WORDS),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
)
def test_it_signs_as_botocore_does(path, query, content, token, method):
    address = "https://service.example/" + "/".join(quote(each, safe="") for each in path)
    if query:
        address += "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    theirs = AWSRequest(method=method, url=address, data=content, headers={"Content-Type": "text/plain"})
    theirs.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(Credentials("AKID", "material", token), "execute-api", "eu-west-1")
    theirs.headers["X-Amz-Date"] = theirs.context["timestamp"]
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    said = signer.signature(signer.string_to_sign(theirs, signer.canonical_request(theirs)), theirs)
    ours = Signer("AKID", Secret("material"), "eu-west-1", "execute-api", Secret(token) if token else None)
    headers = ours.headers(method, address, content, "text/plain", NOW)
    assert headers["Authorization"].endswith(f"Signature={said}")
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/execute-api/")
    assert headers.get("x-amz-security-token") == token
