"""What is configured of senders is checked in one line, and the doctor looks whether it can be used."""

from __future__ import annotations

import pytest

from rotator.cli.doctor import examine
from rotator.cli.options import Context
from rotator.errors import BadInput
from rotator.settings.file import load
from tests.fakes.alarm_sources import OWN, alarm_sources


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('sender = "github"', "the trigger github needs `secret`"),
        ('sender = "generic"\nsecret = "env:A"', "the trigger generic needs `name`"),
        ('sender = "aws-health"', "the trigger aws-health needs `topic`"),
        ('sender = "github-partner"\nsecret = "env:A"', "the trigger github-partner has no use for `secret`"),
        ('sender = "gitlab"\nsecret = "glpat-canary"', "not a reference to a secret"),
        ('sender = "gitlab"\nsecret = "env:A"\n[[triggers]]\nsender = "gitlab"\nsecret = "env:B"', "two triggers are"),
        ('sender = "githab"\nsecret = "env:A"', "github"),
        ('sender = "aws-health"\ntopic = "health"', "topic"),
    ],
)
def test_a_sender_that_cannot_be_let_in_so_is_refused_in_one_line(tmp_path, text, line):
    (tmp_path / "rotator.toml").write_text(f"[[triggers]]\n{text}\n")
    with pytest.raises(BadInput) as refused:
        load(tmp_path / "rotator.toml")
    assert line in str(refused.value)
    assert "canary" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_doctor_tells_of_a_secret_that_cannot_be_read_of_one_that_all_can_and_of_a_kind_that_is_not_there(tmp_path):
    (tmp_path / "open").write_text("word")
    (tmp_path / "open").chmod(0o644)
    (tmp_path / "rotator.toml").write_text(
        'data_dir = "data"\n[[triggers]]\nsender = "github"\nsecret = "file:gone"\nprevious = "file:open"\n'
        '[[triggers]]\nsender = "github-partner"\nkinds = {ours = "gitlab_tokn"}\n'
        '[[triggers]]\nsender = "pagerduty"\nsecret = "file:open"\n'
        '[[triggers]]\nsender = "generic"\nname = "siem"\nsecret = "file:open"\n'
    )
    findings = list(examine(Context(config=tmp_path / "rotator.toml", quiet=True)))
    bad = {each.what: each.mend for each in findings if not each.well}
    assert bad["trigger github: file:gone: there is no such file (mend the path, or put the file there)"]
    assert "gitlab_token" in bad["trigger github-partner: no kind is called gitlab_tokn"]
    assert "trigger generic/siem: not_ready: our own secret has fewer than 24 bytes" in bad
    assert f"everybody can read the secret in {tmp_path / 'open'}" in bad
    assert [each.what for each in findings if each.well and each.what.startswith("trigger")] == [
        "trigger pagerduty: is let in"
    ]


def test_the_doctor_asks_whoever_looks_at_what_alarms_point_to(tmp_path):
    with alarm_sources() as sources:
        (tmp_path / "own").write_text(OWN)
        (tmp_path / "own").chmod(0o600)
        text = "".join(
            f'[[connections]]\nname = "{family}"\nfamily = "{family}"\nendpoint_url = "{sources.address}"\n'
            f'credential = "file:own"\nkinds = []\n[[triggers]]\nsender = "{family}"\n'
            f'secret = "file:own"\nfetch = ["{family}"]\n'
            for family in ("github", "gitguardian", "pagerduty")
        )
        (tmp_path / "rotator.toml").write_text('data_dir = "data"\n' + text)
        sources.answers |= {"/v1/health": {"detail": "Valid API key."}}
        said = {each.what: each.well for each in examine(Context(config=tmp_path / "rotator.toml", quiet=True))}
    answers = "answers (what it may see shows with the first alarm)"
    assert said[f"alarms through gitguardian: {answers}"]
    assert [well for what, well in said.items() if what.startswith("alarms through pagerduty: permission_denied")] == [
        False
    ]
    assert not [what for what in said if "no playbook serves" in what]
