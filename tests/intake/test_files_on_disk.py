"""Credential files as they lie on disk.

git-credentials was written by git 2's `store` helper, npmrc by npm 11's `config set`, kubeconfig by `kubectl config
set-...` with a certificate of the cryptography library. aws_credentials, env, netrc, pypirc and docker_config.json were
written by hand after their programs' documentation. Every secret is made up.
"""

from __future__ import annotations

import json
import netrc

import pytest
from botocore.configloader import raw_config_parse
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rotator.credential import Leaked, Secret
from rotator.errors import BadInput
from rotator.flow.exposure import LIST
from rotator.intake.dotenv import NAMED, PAIRED
from rotator.intake.shapes import KINDS, kind_of, only_one_in
from rotator.playbook_file import SHIPPED
from tests.intake.planted import SAMPLES

GITLAB = "glpat-aKjIg8xNbe3nNyjOq9wM"
OURS = "rot_canaryOfTheSamplesAAAAAAAAAAAAAAAAAAAAAAAAA3CjRIO"
GITHUB = "ghp_X83RZJzzzzgEOzdmenCkhvMdgaKjIg8xNbe3"


@pytest.fixture
def told(sample, exposures):
    """Return what is told of each secret of a sample: rule and source, what leaked, and the line."""

    def reading(name):
        return {f"{each.source}:{each.rule}": (each.leaked, each.line) for each in exposures(sample(name), name)}

    return reading


def test_each_profile_pairs_id_and_secret_as_the_vendors_own_parser_has_it(sample, exposures):
    found = exposures(sample("aws_credentials"), "credentials")
    profiles = raw_config_parse(str(SAMPLES / "aws_credentials"))
    keys = {each["aws_access_key_id"]: each for each in profiles.values() if "aws_access_key_id" in each}
    assert {each.leaked.id for each in found} == set(keys)
    for each in found:
        profile = keys[each.leaked.id]
        if "aws_session_token" in profile:
            assert each.rule == "aws_sts_session"
            assert json.loads(each.leaked.secret.reveal()) == profile
        else:
            assert each.rule == "aws_iam_access_key"
            assert each.leaked.secret.reveal() == profile["aws_secret_access_key"]
    assert [each.where for each in found] == ["credentials:2", "credentials:6", "credentials:11"]


def test_a_git_credential_is_its_kind_or_its_hosts(told):
    assert told("git-credentials") == {
        "git-credentials:git.example.com:8443": (
            Leaked(secret=Secret("p@ss/word:1"), owner="a@b.c", address="https://git.example.com:8443"),
            1,
        ),
        # github.com is asked elsewhere than it is cloned from.
        "list:github_token": (Leaked(secret=Secret(GITHUB), address="https://api.github.com"), 2),
    }


def test_an_env_file_tells_kinds_by_looks_and_by_names(told):
    found = told("env")
    key = found.pop("list:ssh_authorized_key")
    assert key[0].secret.reveal().count("\n") == 4
    assert found == {
        "list:postgres_role": (
            Leaked(secret=Secret("postgres://payments:s%40fe@db.internal:5432/payments?sslmode=require")),
            4,
        ),
        "list:github_token": (Leaked(secret=Secret(GITHUB)), 5),
        "list:vault_token": (
            Leaked(secret=Secret("s.sajAIxNKu8iS2G8NPRVdD534"), address="https://vault.example.com:8200"),
            7,
        ),
        "list:aws_iam_access_key": (
            Leaked(id="AKIAUJZDEGXDNCF32EPF", secret=Secret("2hpChYgCfrL1spNxnyVmihA/2O76UMFxFkM/R5Kj")),
            9,
        ),
        "list:auth0_client_secret": (Leaked(id="abcDEF123", secret=Secret("not-to-be-shown")), 12),
        "dotenv:DB_PASSWORD": (Leaked(secret=Secret('it\'s "quoted" # and this is no comment')), 13),
        "list:stripe_api_key": (Leaked(secret=Secret("sk_live_aKjIg8xNbe3nNyjOq9wMxEhh")), 15),
        "list:rotator_api_token": (Leaked(secret=Secret(OURS)), 22),
    }


def test_a_token_of_rotators_own_is_known_by_its_checksum_whatever_found_it(exposures):
    finding = {"RuleID": "generic-api-key", "Secret": OURS, "File": "ci.yaml"}
    pair = {"provider": "rotator_api_token", "secret": OURS}
    for text in (OURS, f"{OURS}\n", json.dumps([finding]), json.dumps(pair)):
        (found,) = exposures(text.encode())
        assert (found.source, found.rule, found.leaked.secret) == (LIST, "rotator_api_token", Secret(OURS))
    mistyped = f"{OURS[:20]}x{OURS[21:]}"
    assert (kind_of(OURS), kind_of(mistyped)) == ("rotator_api_token", None)
    (found,) = exposures(json.dumps([{**finding, "Secret": mistyped}]).encode())
    assert found.rule == "generic-api-key"
    with pytest.raises(BadInput, match="of a form that is no one issuer's own"):
        exposures(mistyped.encode())


def test_a_secret_without_its_id_is_listed_and_not_paired(exposures):
    (found,) = exposures(b"A=1\nAWS_SECRET_ACCESS_KEY=abc\n")
    assert (found.source, found.leaked) == ("dotenv", Leaked(secret=Secret("abc")))
    (found,) = exposures(b"OKTA_CLIENT_SECRET=abc\n")
    assert (found.source, found.rule) == ("dotenv", "OKTA_CLIENT_SECRET")


def test_nothing_that_stands_there_twice_is_lost(exposures):
    ids = ("AKIAUJZDEGXDNCF32EPF", "AKIAH2KVJ72CEUVW75EF")
    pairs = "".join(f"AWS_ACCESS_KEY_ID={each}\nAWS_SECRET_ACCESS_KEY=of-{each}\n" for each in ids)
    found = exposures(f"{pairs}VAULT_TOKEN=one\nVAULT_TOKEN=two\nSOME_PASSWORD='$ecret'\n# it was {GITHUB}\n".encode())
    assert {each.leaked.secret.reveal() for each in found} == {
        *(f"of-{each}" for each in ids), "one", "two", "$ecret", GITHUB,
    }  # fmt: skip
    assert {each.leaked.id for each in found} == {*ids, None}


def test_settings_and_references_are_no_secrets(exposures):
    text = b"DEBUG=1\nTOKEN_URL=x\nA_TOKEN=${B}\nB_PASSWORD=\nC_SECRET=op://a/b\nAWS_REGION=x\n#D_TOKEN=x\nOKTA_CLIENT_ID=x\n"
    assert exposures(text) == []


def test_a_netrc_is_read_as_pythons_own_parser_has_it(told):
    found = told("netrc")
    hosts = netrc.netrc(SAMPLES / "netrc").hosts
    assert {leaked.secret.reveal() for leaked, _ in found.values()} == {secret for _, _, secret in hosts.values()}
    assert found["list:github_token"][0] == Leaked(secret=Secret(GITHUB), address="https://api.github.com")
    mirror = Leaked(secret=Secret("hunter 2"), owner="ci", address="https://mirror.example.com")
    assert found["netrc:mirror.example.com"] == (mirror, 6)


def test_a_password_may_have_a_hash_sign(exposures):
    first, second = exposures(b"machine a login u password x#y # a remark\nmachine b password #z\n")
    assert [each.leaked.secret.reveal() for each in (first, second)] == ["x#y", "#z"]


def test_package_indexes_are_their_kind_or_their_hosts(told, exposures):
    found = told("pypirc")
    assert found["pypirc:pypi.example.com"] == (
        Leaked(secret=Secret("hunter2"), owner="ci", address="https://pypi.example.com"),
        13,
    )
    assert found["list:pypi_token"][0].secret.reveal().startswith("pypi-AgEI")
    token = Leaked(secret=Secret("npm_aKjIg8xNbe3nNyjOq9wMxEhh2FDEEtfj1234"))
    assert told("npmrc") == {"list:npm_token": (token, 1)}
    older, other, basic = exposures(
        b"registry=https://x\n//npm.npmjs.example/:_authToken=0-1-2\n//a.example/npm/:_authToken=b\n"
        b"//b.example/:_auth=dTpwOnc=\n//c.example/:_authToken=${NPM_TOKEN}\n"
    )
    assert (older.rule, other.rule, other.source) == ("npm_token", "a.example", "npmrc")
    assert basic.leaked == Leaked(secret=Secret("p:w"), owner="u")
    assert [(each.source, each.rule) for each in exposures(b"_authToken=0-1-2\n")] == [(LIST, "npm_token")]
    near = b"//npmjsx.example/:_authToken=0-1-2\n//x.example/npmjs/:_authToken=3-4-5\n"
    assert [each.source for each in exposures(near)] == ["npmrc", "npmrc"]


def test_a_registrys_login_is_what_it_really_is(told, exposures):
    found = told("docker_config.json")
    assert found["list:dockerhub_pat"] == (Leaked(secret=Secret("dckr_pat_aKjIg8xNbe3nNyjOq9wMxEhh2Fz")), None)
    assert found["list:docker_registry_login"] == (
        Leaked(secret=Secret("hunter2"), owner="ci", address="https://registry.example.com:5000"),
        None,
    )
    for registry, token, api in (
        ("images.example", GITHUB, "https://api.github.com"),
        ("containers.github.example.com", GITHUB, "https://github.example.com"),
        ("https://registry.git.example.com:5050/v2/", GITLAB, "https://git.example.com"),
        ("git.example.com:5050", GITLAB, "https://git.example.com"),
    ):
        (login,) = exposures(json.dumps({"auths": {registry: {"username": "me", "password": token}}}).encode())
        assert login.leaked == Leaked(secret=Secret(token), address=api)
    (key,) = exposures(b'{"auths": {"eu.images.example": {"auth": "X2pzb25fa2V5OnsiYSI6IDF9"}}}')
    assert (key.rule, key.leaked) == ("gcp_service_account_key", Leaked(secret=Secret('{"a": 1}')))
    assert exposures(b'{"credsStore": "desktop", "auths": {"x": {}}}') == []


def test_a_kubeconfig_names_the_server_of_each_user(told, sample, exposures):
    found = told("kubeconfig")
    certificate = found.pop("list:kubernetes_client_certificate")[0]
    assert certificate.address == "https://k8s.example.com:6443"
    pem = certificate.secret.reveal().encode()
    signed = x509.load_pem_x509_certificate(pem)
    key = load_pem_private_key(pem[pem.index(b"-----BEGIN PRIVATE") :], None)
    assert signed.public_key().public_bytes_raw() == key.public_key().public_bytes_raw()
    token = found.pop("list:kubernetes_service_account_token")[0]
    assert (token.address, token.secret.reveal().count(".")) == ("https://k8s.example.com:6443", 2)
    assert found == {"kubeconfig:password": (Leaked(secret=Secret("hunter2"), owner="u"), None)}
    assert {each.path for each in exposures(sample("kubeconfig"), "k")} == {"k (admin)", "k (basic)", "k (ci)"}


def test_a_file_that_is_one_key_is_that_key(exposures):
    pem = (
        "-----BEGIN OPENSSH PRIVATE KEY-----\n"
        + "b3BlbnNzaC1rZXktdjEAAAAABG5v\n" * 3
        + "-----END OPENSSH PRIVATE KEY-----\n"
    )
    (key,) = exposures(pem.encode(), "id_ed25519")
    assert (key.source, key.rule, key.leaked, key.where) == (
        "list",
        "ssh_authorized_key",
        Leaked(secret=Secret(pem)),
        "id_ed25519",
    )
    account = json.dumps({"type": "service_account", "private_key": "-----", "client_email": "a@b"})
    (key,) = exposures(account.encode())
    assert (key.rule, key.leaked) == ("gcp_service_account_key", Leaked(secret=Secret(account)))


@pytest.mark.parametrize("token", ["s.sajAIxNKu8iS2G8NPRVdD534", "s.sajAIxNKu8iS2G8NPRVdD534.nsid1", GITHUB])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_that_is_one_token_is_that_token(exposures, token, end):
    (found,) = exposures(f"{token}{end}".encode(), ".vault-token")
    kind = "github_token" if token == GITHUB else "vault_token"
    assert (found.source, found.rule, found.leaked) == ("list", kind, Leaked(secret=Secret(token)))
    assert token not in repr(found)
    with pytest.raises(BadInput):
        exposures(f"{token} {token}{end}".encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\naws_secret_access_key = hunter2\n", "line 2: a secret access key without its id"),
        ("[a]\naws_access_key_id = hunter2\n", "line 2: `aws_access_key_id` is not an access key's id"),
        ("https://a:hunter2@h\nhunter2\n", "line 2: this is not an address with user and password"),
        ('A=1\n\nB="hunter2\n', "line 3: a quote without its end"),
        ("machine h login u password hunter2\nhunter2", "line 2: this is not a netrc file"),
        ('machine h login u password "hunter2\n', "line 1: a quote without its end"),
        ("machine h\n password", "the file ends in the middle"),
        ("//h/:_auth=hunter2!\n", "line 1: `_auth` is not base64"),
        ("//h/:_auth=hunter2\u0080\n", "line 1: `_auth` is not base64"),
        ('{"auths": {"h": {"auth": "hunter2!"}}}', "registry 1: the login is not base64"),
        ('{"auths": {"h": {"auth": "hunter2\u0080"}}}', "registry 1: the login is not base64"),
        ("apiVersion: v1\nkind: Config\nusers: [hunter2\n", "line 4: this is not YAML"),
        (
            "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {client-key-data: '!'}}]\n",
            "user 1: `client-key-data`",
        ),
        ("-----BEGIN PRIVATE KEY-----\nhunter2\n", "this is not one whole key"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_no_secret(exposures, text, says):
    with pytest.raises(BadInput) as refused:
        exposures(text.encode())
    assert str(refused.value).removeprefix("report, ").removeprefix("report: ").startswith(says)
    assert "hunter2" not in str(refused.value)


def test_every_kind_that_is_told_has_a_playbook(exposures):
    told = KINDS | set(NAMED.values()) | {kind for _, kind in PAIRED.values()}
    samples = [each.read_bytes() for each in SAMPLES.iterdir() if each.suffix in {"", ".json"} and "_" not in each.stem]
    told |= {one.rule for each in samples if b"REDACTED" not in each for one in exposures(each) if one.source == LIST}
    assert {each.stem for each in SHIPPED.glob("*.yaml")} >= told


@pytest.mark.parametrize(
    "text", ["", "hunter2", "s.sajAIxNKu8iS2G8NPRVdD534", "sk-0123456789", "AKIA123", "http://a:b@c"]
)
def test_what_could_be_anothers_has_no_kind(text):
    assert kind_of(text) is None


def test_a_line_with_two_secrets_tells_neither():
    other = GITHUB[:-1] + "4"
    assert only_one_in(f"x = '{GITHUB}'; x = {GITHUB}") == GITHUB
    assert not only_one_in(f"{GITHUB} {other}")
