"""What an operator writes is taken as it is meant, or refused in one line that says what, where and how to mend it."""

from __future__ import annotations

import base64
import json
import os

import pytest

from rotator.credential import Secret
from rotator.errors import BadInput
from rotator.flow.scope import ConsumerAddress
from rotator.ports.store import Place
from rotator.settings.configuration import Settings
from rotator.settings.file import load

CONNECTION = '[[connections]]\nname = "prod"\nfamily = "aws"\n'
CREDENTIAL = '[[credentials]]\nmatch = {owner = "ci"}\n'
POSTGRES = 'database_url = "postgresql+psycopg://db/rotator"\n'
REDIS = 'broker_url = "redis://broker/0"\n'
KEY = 'seal_key = "env:SEAL"\n'
FULL = """
data_dir = "data"
concurrency = 8
playbooks = ["ours"]

[[connections]]
name = "aws-prod"
family = "aws"
account = "123456789012"
credential = "file:own.json"
endpoint_url = "http://127.0.0.1:5000"
settle_s = 2.5
kinds = ["aws_iam_access_key"]
region = "eu-central-1"

[[connections]]
name = "vault"
family = "vault"

[[credentials]]
match = {provider = "aws_iam_access_key", owner = "ci"}
criticality = "high"
reads = ["vault:kv/payments/*"]
deliver = [{store = "vault_kv", connection = "vault", name = "ci/aws"}]
consumers = [{webhook = "http://127.0.0.1:8000/reload"}, {command = ["/bin/true", "now"]}]
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Stand in an empty folder, with no configuration of the machine's own."""
    for name in [name for name in os.environ if name.startswith("ROTATOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def written(tmp_path):
    def write(text: str, name: str = "rotator.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def refusal(path=None) -> BadInput:
    with pytest.raises(BadInput) as refused:
        load(path)
    assert "\n" not in str(refused.value)
    assert refused.value.where
    assert refused.value.mend
    return refused.value


def test_everything_that_is_written_is_taken(written, tmp_path):
    (tmp_path / "own.json").write_text('{"id": "1"}')
    settings = load(written(FULL))
    assert (settings.concurrency, settings.data_dir, settings.playbooks) == (8, tmp_path / "data", [tmp_path / "ours"])
    aws = settings.connection("aws-prod")
    assert (aws.account, aws.endpoint_url, aws.settle_s) == ("123456789012", "http://127.0.0.1:5000", 2.5)
    assert aws.kinds == ("aws_iam_access_key",)
    assert aws.settings["region"] == "eu-central-1"
    assert aws.credential() == Secret('{"id": "1"}')
    assert settings.connection("vault").credential() is None
    custody = settings.credentials[0].custody()
    assert custody.match == {"provider": "aws_iam_access_key", "owner": "ci"}
    assert (custody.criticality, custody.reads) == ("high", ("vault:kv/payments/*",))
    assert custody.deliver == (Place("vault_kv", "vault", "ci/aws"),)
    assert [(each.kind, each.address) for each in custody.consumers] == [
        (each.kind, each.address)
        for each in (
            ConsumerAddress("webhook", "http://127.0.0.1:8000/reload"),
            ConsumerAddress("command", ("/bin/true", "now")),
        )
    ]


def test_nothing_written_is_the_embedded_default(tmp_path):
    settings = load()
    assert settings.embedded
    assert settings.database_url == f"sqlite:///{tmp_path / 'share' / 'rotator' / 'ledger.db'}"
    assert settings.connections == []


def test_the_file_is_found_where_one_stands_then_in_the_users_own_folder(written, monkeypatch):
    written("concurrency = 3", "config/rotator/rotator.toml")
    assert load().concurrency == 3
    here = written("concurrency = 4")
    assert load().concurrency == 4
    named = written("concurrency = 5", "elsewhere/other.toml")
    monkeypatch.setenv("ROTATOR_CONFIG", str(named))
    assert load().concurrency == 5
    assert load(here).concurrency == 4


def test_paths_are_meant_from_the_files_own_folder(written, tmp_path):
    settings = load(written('data_dir = "data"\nplaybooks = ["ours"]', "elsewhere/rotator.toml"))
    assert settings.data_dir == tmp_path / "elsewhere" / "data"
    assert settings.playbooks == [tmp_path / "elsewhere" / "ours"]


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("ROTATOR_CONCURRENCY", "7", lambda settings: settings.concurrency == 7),
        ("ROTATOR_DATA_DIR", "other", lambda settings: settings.data_dir.name == "other"),
        (
            "ROTATOR_CONNECTIONS",
            json.dumps([{"name": "only", "family": "vault"}]),
            lambda settings: [each.name for each in settings.connections] == ["only"],
        ),
    ],
)
def test_the_environment_beats_the_file(written, monkeypatch, name, value, taken):
    path = written('concurrency = 3\ndata_dir = "data"\n' + CONNECTION)
    assert not taken(load(path))
    monkeypatch.setenv(name, value)
    assert taken(load(path))


BAD = {
    "an unknown key": ("concurency = 3", "concurency: unknown key (did you mean `concurrency`?)"),
    "a number that is none": ('concurrency = "many"', "concurrency: must be a whole number, not a text"),
    "too small": ("concurrency = 0", "concurrency: must be 1 or more, not 0"),
    "too great": ("concurrency = 1000", "concurrency: must be 256 or less, not 1000"),
    "no list": ('connections = "prod"', "connections: must be a list, not a text"),
    "no name": ('[[connections]]\nfamily = "aws"', "connections number 1: name: is missing"),
    "one table": ("[connections]", "connections: must be a list, not a table (write [[connections]], once for each)"),
    "an empty name": ('[[connections]]\nname = ""\nfamily = "aws"', "connections number 1: name: is too short"),
    "a name with a colon": ('[[connections]]\nname = "a:b"\nfamily = "aws"', "connections a:b: name: must match"),
    "no family": ('[[connections]]\nname = "prod"', "connections prod: family: is missing"),
    "the secret itself": (CONNECTION + 'credential = "canary-secret"', "connections prod: credential: not a reference"),
    "a negative wait": (CONNECTION + "settle_s = -1", "connections prod: settle_s: must be 0 or more, not -1"),
    "a budget of nothing": (
        CONNECTION + "budget = {calls_per_second = 0}",
        "budget: calls_per_second: must be above 0, not 0",
    ),
    "a budget's unknown key": (
        CONNECTION + "budget = {calls_per_second = 1, per = 2}",
        "prod: budget: per: unknown key (there are calls_per_second, burst)",
    ),
    "two of one name": (CONNECTION * 2, "two connections are called prod"),
    "no match": ('[[credentials]]\ncriticality = "low"', "credentials number 1: match: is missing"),
    "a match on nothing known": (
        '[[credentials]]\nmatch = {user = "ci"}',
        "credentials number 1: match: user: unknown key",
    ),
    "an unknown criticality": (
        CREDENTIAL + 'criticality = "huge"',
        "criticality: must be one of low, medium, high, critical, not huge",
    ),
    "a place that is no place": (
        CREDENTIAL + 'deliver = [{store = "vault_kv"}]',
        "credentials number 1: deliver number 1: connection: is missing",
    ),
    "a place that is not there": (
        CREDENTIAL + 'deliver = [{store = "vault_kv", connection = "gone", name = "x"}]',
        "deliver names the connection gone",
    ),
    "a consumer told in two ways": (
        CREDENTIAL + 'consumers = [{webhook = "http://a", command = ["b"]}]',
        "exactly one of `webhook`, `command`",
    ),
    "a consumer told in no way": (CREDENTIAL + "consumers = [{}]", "exactly one of `webhook`, `command`"),
    "a consumer whose connection is not there": (
        CREDENTIAL + 'consumers = [{kubernetes_rollout = "a/deployment/b", connection = "prod"}]',
        "consumers name the connection prod, which is not there",
    ),
    "a consumer without the connection that it needs": (
        CREDENTIAL + 'consumers = [{ecs_deployment = "a/b"}]',
        "`ecs_deployment` needs a `connection`",
    ),
    "a webhook through a connection": (
        CREDENTIAL + 'consumers = [{webhook = "http://a", connection = "aws-prod"}]',
        "`webhook` goes through no `connection`",
    ),
    "a command on no host": (
        CREDENTIAL + 'consumers = [{ssh_command = ["a"], connection = "aws-prod"}]',
        "`ssh_command` needs the `host`",
    ),
    "SQLite with a broker": (REDIS, "cannot be shared through a broker"),
    "PostgreSQL without a broker": (POSTGRES + KEY, "an in-memory broker cannot reach"),
    "PostgreSQL without a key": (POSTGRES + REDIS, "need one seal_key"),
    "a home that is nobody's": ('data_dir = "~nobody-of-that-name/data"', "data_dir"),
    "playbooks in a home that is nobody's": ('playbooks = ["~nobody-of-that-name/p"]', "playbooks"),
}


@pytest.mark.parametrize("what", sorted(BAD))
def test_each_mistake_is_told_in_one_line_with_its_place(written, what):
    text, said = BAD[what]
    path = written(text)
    told = refusal(path)
    assert said in str(told)
    assert str(path) in told.where
    assert "canary" not in str(told)
    # None of it is in the words of the library that found it.
    assert not any(words in str(told) for words in ("Input should", "Extra inputs", "Value error", "Field required"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("ROTATOR_CONCURRENCY", "many"), ("ROTATOR_CONCURRENCY", "0"), ("ROTATOR_CONNECTIONS", "prod")],
)
def test_a_mistake_in_the_environment_is_told_with_its_place_and_not_the_files(written, monkeypatch, name, value):
    path = written("concurrency = 3")
    monkeypatch.setenv(name, value)
    told = refusal(path)
    assert "environment" in told.where or name in told.where
    assert str(path) not in told.where


def test_a_mistake_in_an_entry_of_the_environment_is_told_by_that_entrys_name(written, monkeypatch):
    path = written(CONNECTION)
    monkeypatch.setenv("ROTATOR_CONNECTIONS", json.dumps([{"name": "other"}]))
    assert str(refusal(path)).startswith("ROTATOR_CONNECTIONS: connections other: family: is missing")


def test_a_file_that_cannot_be_read_is_told_in_one_line(written, tmp_path):
    assert "cannot be read" in str(refusal(tmp_path / "missing.toml"))
    assert "cannot be read" in str(refusal(tmp_path))
    told = refusal(written("[[connections]]\nname = \n"))
    assert "is not TOML" in str(told)
    assert "line 2" in str(told)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "is not TOML" in str(refusal(tmp_path / "binary.toml"))


def test_production_is_two_settings_and_a_key(written, monkeypatch):
    monkeypatch.setenv("SEAL", base64.b64encode(bytes(32)).decode())
    settings = load(written(POSTGRES + REDIS + KEY))
    assert not settings.embedded
    blob = settings.seal().close(Secret("x"), "r")
    assert settings.seal().open(blob, "r") == Secret("x")


def test_the_embedded_default_makes_its_key_once_and_never_anew_beside_a_ledger(written, tmp_path):
    settings = load(written('data_dir = "data"'))
    blob = settings.seal().close(Secret("x"), "r")
    assert settings.seal().open(blob, "r") == Secret("x")
    (tmp_path / "data" / "ledger.db").write_text("")
    (tmp_path / "data" / "seal.key").unlink()
    with pytest.raises(BadInput, match="the seal key is gone"):
        settings.seal()


def test_a_connection_that_nobody_configured_is_told_with_those_that_are(written):
    with pytest.raises(BadInput, match=r"no connection is called vault.*one of prod"):
        load(written(CONNECTION)).connection("vault")


def test_a_path_that_would_match_nothing_is_refused_with_the_way_to_write_it(written):
    vault = '[[connections]]\nname = "vault"\nfamily = "vault"\nmount = "kv"\n'
    with pytest.raises(BadInput, match=r"reads has vault:kv/\+, which matches no secret: write `\*`"):
        load(written(vault + CREDENTIAL + 'reads = ["vault:kv/+"]'))


def test_an_http_connection_says_what_it_serves_since_it_is_shown_leaked_secrets(tmp_path):
    with pytest.raises(ValueError, match="does not say what it serves"):
        Settings(
            folder=tmp_path, connections=[{"name": "acme", "family": "http", "endpoint_url": "http://127.0.0.1:9"}]
        )


def test_a_seal_key_is_a_reference_and_never_material(tmp_path):
    with pytest.raises((BadInput, ValueError), match="not a reference to a secret"):
        Settings(folder=tmp_path, seal_key="hunter2")
