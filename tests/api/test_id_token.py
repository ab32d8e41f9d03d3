"""No ID token is believed but the provider's own, for us, about this sign-in, now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from rotator.openid.id_token import ALGORITHMS, LEEWAY_S, Expected, NotBelieved, UnknownKey, claims_in, keys_in

NOW = 1_900_000_000.0
RSA = RSAKey.generate_key(2048, {"kid": "a", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "b", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "c", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "a"})
KEYS = keys_in(KeySet([RSA, EC, ED]).as_dict(private=False))
EXPECTED = Expected("https://id.example.com", "rotator", "the nonce", "the access token")
RIGHT = {
    "iss": "https://id.example.com",
    "aud": "rotator",
    "sub": "248289761001",
    "nonce": "the nonce",
    "iat": int(NOW) - 5,
    "exp": int(NOW) + 300,
}
LATE = int(LEEWAY_S) + 1


def signed(claims, key=RSA, algorithm="RS256", **header):
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


def half(hasher):
    digest = hasher(b"the access token").digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("key", "algorithm", "hasher"),
    [
        (RSA, "RS256", hashlib.sha256),
        (RSA, "PS384", hashlib.sha384),
        (RSA, "RS512", hashlib.sha512),
        (EC, "ES256", hashlib.sha256),
        (ED, "EdDSA", hashlib.sha512),
        (ED, "Ed25519", hashlib.sha512),
    ],
)
def test_a_right_one_is_believed_with_and_without_the_hash_of_its_access_token(key, algorithm, hasher):
    for more in ({}, {"at_hash": half(hasher)}):
        assert claims_in(signed(RIGHT | more, key, algorithm), KEYS, EXPECTED, NOW)["sub"] == RIGHT["sub"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://evil.example.com"}, "other_issuer"),
        ({"iss": "https://id.example.com/"}, "other_issuer"),
        ({"iss": None}, "other_issuer"),
        ({"aud": "another"}, "other_audience"),
        ({"aud": ["another"]}, "other_audience"),
        ({"aud": []}, "other_audience"),
        ({"aud": ["rotator", "another"]}, "other_audience"),
        ({"aud": ["rotator", "another"], "azp": "another"}, "other_audience"),
        ({"azp": "another"}, "other_audience"),
        ({"exp": int(NOW) - LATE}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "2099"}, "expired"),
        ({"exp": True}, "expired"),
        ({"exp": float("inf")}, "expired"),
        ({"iat": None}, "from_the_future"),
        ({"iat": float("-inf")}, "from_the_future"),
        ({"iat": int(NOW) + LATE}, "from_the_future"),
        ({"iat": "now"}, "from_the_future"),
        ({"nbf": int(NOW) + LATE}, "from_the_future"),
        ({"nonce": "another"}, "other_sign_in"),
        ({"nonce": None}, "other_sign_in"),
        ({"nonce": 7}, "other_sign_in"),
        ({"sub": ""}, "nobody"),
        ({"sub": None}, "nobody"),
        ({"sub": "x" * 256}, "nobody"),
        ({"at_hash": half(hashlib.sha512)}, "other_access_token"),
        ({"at_hash": None}, "other_access_token"),
    ],
)
def test_one_claim_that_is_not_right_is_enough(change, reason):
    with pytest.raises(NotBelieved) as refused:
        claims_in(signed(RIGHT | change), KEYS, EXPECTED, NOW)
    assert refused.value.reason == reason


def test_when_it_was_made_is_to_be_said():
    with pytest.raises(NotBelieved, match="from_the_future"):
        claims_in(signed({name: value for name, value in RIGHT.items() if name != "iat"}), KEYS, EXPECTED, NOW)


def test_an_access_token_of_no_text_is_another_one():
    expected = replace(EXPECTED, access_token="\ud800")
    with pytest.raises(NotBelieved, match="other_access_token"):
        claims_in(signed(RIGHT | {"at_hash": half(hashlib.sha256)}), KEYS, expected, NOW)


def test_a_key_of_no_form_keeps_none_of_the_others_from_being_known():
    odd = [{"kty": []}, {"kty": {"a": 1}}, {"kty": "RSA", "n": 7, "e": []}, RSA.as_dict(private=False)]
    assert claims_in(signed(RIGHT), keys_in({"keys": odd}), EXPECTED, NOW)


def test_clocks_may_differ_by_a_minute_and_others_may_hear_it_too():
    early, late = {"iat": int(NOW) + 30, "nbf": int(NOW) + 30}, {"exp": int(NOW) - 30}
    for change in (early, late, {"aud": ["rotator", "another"], "azp": "rotator"}):
        assert claims_in(signed(RIGHT | change), KEYS, EXPECTED, NOW)


def _bare(header, claims=RIGHT, signature=b""):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _with_the_public_key(form):
    """Sign as one does who has nothing but what the provider publishes."""
    key = RSA.as_pem(private=False) if form == "pem" else json.dumps(RSA.as_dict(private=False)).encode()
    first, second, _ = _bare({"alg": "HS256", "kid": "a"}).split(".")
    mac = hmac.new(key, f"{first}.{second}".encode(), hashlib.sha256).digest()
    return _bare({"alg": "HS256", "kid": "a"}, signature=mac)


@pytest.mark.parametrize(
    "token",
    [
        signed(RIGHT, OTHER),
        signed(RIGHT)[:-6] + "AAAAAA",
        ".".join(
            [
                signed(RIGHT).split(".")[0],
                _bare({}, RIGHT | {"sub": "admin"}).split(".")[1],
                signed(RIGHT).split(".")[2],
            ]
        ),
        _bare({"alg": "none"}),
        _bare({"alg": "none", "kid": "a"}),
        _bare({"alg": "None", "kid": "a"}),
        _bare({"kid": "a"}),
        _bare({"alg": "ES256", "kid": "a"}, signature=bytes(64)),
        _bare({"alg": "ES256", "kid": "b"}, signature=bytes(64)),
        _bare({"alg": "RS256", "jwk": OTHER.as_dict(private=False), "kid": "a"}),
        _with_the_public_key("pem"),
        _with_the_public_key("jwk"),
        "",
        "a.b.c",
        "....",
    ],
)
def test_no_other_hand_signs(token):
    with pytest.raises(NotBelieved):
        claims_in(token, KEYS, EXPECTED, NOW)


def test_a_key_that_is_not_known_is_told_from_a_wrong_one():
    with pytest.raises(UnknownKey):
        claims_in(signed(RIGHT, kid="z"), KEYS, EXPECTED, NOW)


def test_no_algorithm_is_taken_that_a_public_key_could_sign_with():
    assert not [each for each in ALGORITHMS if each.startswith("HS") or each == "none"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"keys": None},
        {"keys": [7]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]},
        {"keys": [{"kty": "RSA", "kid": "a"}]},
        {"keys": [RSA.as_dict(private=False) | {"use": "enc"}]},
    ],
)
def test_what_holds_no_key_that_signs_is_no_key_set(document):
    with pytest.raises(NotBelieved):
        keys_in(document)


@given(token=st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,40}")))
@settings(max_examples=60, deadline=None)
def test_whatever_is_sent_is_refused_in_one_word(token):
    with pytest.raises(NotBelieved):
        claims_in(token, KEYS, EXPECTED, NOW)


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.text(max_size=3))
)


@given(claims=st.fixed_dictionaries({}, optional=dict.fromkeys([*RIGHT, "azp", "nbf", "at_hash"], _VALUES)))
@settings(max_examples=60, deadline=None)
def test_whatever_a_provider_claims_is_refused_in_one_word_unless_it_is_right(claims):
    try:
        found = claims_in(signed(claims), KEYS, EXPECTED, NOW)
    except NotBelieved:
        return
    assert found["iss"] == RIGHT["iss"]
