"""One leaked value is one credential, however many scanners say so, in however many places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import Leaked, Secret
from rotator.flow.exposure import Exposure, group

RECOGNISES = {
    ("kingfisher", "aws"): "aws_key",
    ("trufflehog", "AWS"): "aws_key",
    ("gitleaks", "aws"): "aws_key",
    ("kingfisher", "vault"): "vault_token",
    ("gitleaks", "vault"): "vault_token",
    ("list", "aws_key"): "aws_key",
    ("list", "vault_token"): "vault_token",
}


def fingerprint(secret: Secret) -> str:
    return f"fp-{secret.reveal()}"


def seen(source: str, rule: str, key_id: str | None = None, secret: str | None = None, path: str = "", **said: str):
    says = said.pop("scanner_says", None)
    leaked = Leaked(id=key_id, secret=Secret(secret) if secret else None, **said)
    return Exposure(source=source, rule=rule, leaked=leaked, path=path, scanner_says=says)


def grouped(*exposures: Exposure):
    return group(exposures, RECOGNISES, fingerprint)


def summary(*exposures: Exposure):
    return [
        (each.kind, each.leaked.id, each.leaked.secret and each.leaked.secret.reveal(), len(each.exposures))
        for each in grouped(*exposures)
    ]


def test_one_value_in_twenty_places_is_one_credential():
    found = [seen("kingfisher", "vault", secret="s.1", path=f"file-{place}") for place in range(20)]
    assert summary(*found) == [("vault_token", None, "s.1", 20)]


def test_an_id_alone_and_an_id_with_its_secret_are_one_key():
    assert summary(
        seen("gitleaks", "aws", "AKIA1"), seen("trufflehog", "AWS", "AKIA1", "x"), seen("list", "aws_key", "AKIA1")
    ) == [("aws_key", "AKIA1", "x", 3)]


def test_a_generic_rule_on_the_same_value_is_no_second_credential():
    generic = seen("gitleaks", "generic-api-key", secret="s.1")
    assert summary(generic, seen("kingfisher", "vault", secret="s.1")) == [("vault_token", None, "s.1", 2)]
    assert summary(seen("kingfisher", "vault", secret="s.1"), generic) == [("vault_token", None, "s.1", 2)]


def test_a_generic_rule_on_a_keys_secret_belongs_to_the_key():
    assert summary(seen("gitleaks", "generic-api-key", secret="x"), seen("kingfisher", "aws", "AKIA1", "x")) == [
        ("aws_key", "AKIA1", "x", 2)
    ]


def test_an_unknown_rule_on_a_keys_id_belongs_to_the_key():
    assert summary(seen("kingfisher", "aws-session", "AKIA1", "session"), seen("kingfisher", "aws", "AKIA1", "x")) == [
        ("aws_key", "AKIA1", "x", 2)
    ]


def test_what_no_playbook_recognises_is_listed_once():
    assert summary(
        seen("kingfisher", "github", secret="g"), seen("gitleaks", "github-pat", secret="g"), seen("gitleaks", "odd")
    ) == [(None, None, "g", 2), (None, None, None, 1)]


def test_two_keys_that_a_report_crosses_stay_two_keys():
    crossed = [seen("trufflehog", "AWS", key, secret, "credentials") for key in ("A", "B") for secret in ("a", "b")]
    assert [each[:2] for each in summary(*crossed)] == [("aws_key", "A"), ("aws_key", "B")]


def test_a_pair_found_where_no_other_secret_is_beats_a_crossed_one():
    crossed = [seen("trufflehog", "AWS", key, secret, "credentials") for key in ("A", "B") for secret in ("a", "b")]
    alone = seen("trufflehog", "AWS", "B", "b", ".env")
    assert summary(*crossed, alone) == [("aws_key", "A", "a", 2), ("aws_key", "B", "b", 3)]


def test_the_pair_that_the_scanner_validated_beats_all():
    first = seen("trufflehog", "AWS", "A", "wrong", ".env", account="1")
    assert summary(first, seen("trufflehog", "AWS", "A", "right", "x", scanner_says="active"))[0][2] == "right"


def test_one_id_in_two_accounts_is_two_credentials():
    found = grouped(
        seen("list", "vault_token", "17", connection="east"),
        seen("list", "vault_token", "17", connection="west"),
        seen("list", "vault_token", "17", connection="east", owner="ci"),
    )
    assert [(each.key, each.leaked.connection, each.leaked.owner) for each in found] == [
        ("17", "east", "ci"),
        ("17@west", "west", None),
    ]


def test_one_id_of_two_kinds_is_two_credentials():
    found = [seen("list", "vault_token", "17"), seen("list", "other", "17"), seen("list", "another", "17")]
    assert summary(*found) == [("vault_token", "17", None, 1), (None, "17", None, 1), (None, "17", None, 1)]


def test_servers_that_contradict_each_other_are_not_chosen_between():
    found = [seen("kingfisher", "vault", secret="s.1", address=f"https://{host}") for host in ("a", "b")]
    assert [each.leaked.address for each in grouped(*found)] == [None]
    assert [each.leaked.address for each in grouped(found[0], found[0])] == ["https://a"]


def test_suspects_come_in_the_order_in_which_they_were_seen():
    found = [
        seen("gitleaks", "generic", secret="z"),
        seen("kingfisher", "aws", "A", "a"),
        seen("kingfisher", "vault", secret="v"),
        seen("gitleaks", "generic", secret="a"),
    ]
    assert [each[2] for each in summary(*found)] == ["z", "a", "v"]


exposures = st.lists(
    st.builds(
        seen,
        st.sampled_from(["kingfisher", "gitleaks", "trufflehog", "list"]),
        st.sampled_from(["aws", "AWS", "vault", "generic", "aws_key", "other"]),
        st.none() | st.sampled_from(["A", "B"]),
        st.none() | st.sampled_from(["a", "b"]),
        st.sampled_from(["p", "q"]),
    ),
    max_size=12,
)


@given(exposures)
def test_no_exposure_is_lost_or_counted_twice(found):
    suspects = grouped(*found)
    assert sorted(map(id, found)) == sorted(id(each) for suspect in suspects for each in suspect.exposures)
    assert len({(each.kind, each.key) for each in suspects if each.kind}) == sum(1 for each in suspects if each.kind)


@given(exposures)
def test_material_is_never_paired_with_an_id_that_no_report_gave_it(found):
    told = {(each.leaked.id, each.leaked.secret) for each in found}
    for suspect in grouped(*found):
        if suspect.leaked.id and suspect.leaked.secret:
            assert (suspect.leaked.id, suspect.leaked.secret) in told
