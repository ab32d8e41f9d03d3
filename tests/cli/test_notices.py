"""What is configured of channels is checked in one line, none of whose words is a secret; the doctor reaches out."""

from __future__ import annotations

import pytest

from rotator.cli.doctor import examine
from rotator.cli.options import Context
from rotator.errors import BadInput
from rotator.practice.process import free_port
from rotator.settings.file import load
from tests.fakes import channels

pytestmark = pytest.mark.usefixtures("ready")

SMTP = 'smtp = {host = "mail.example", sender = "a@example.com", to = ["b@example.com"]'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('slack = "https://hooks.slack.com/services/T0CANARY/canary"', "a webhook's address is a secret"),
        ("", "needs `slack` or `smtp`"),
        (f'slack = "env:A"\n{SMTP}}}', "needs `slack` or `smtp`"),
        (f'{SMTP}, user = "x"}}', "a login needs `user` and `password`"),
        (f'{SMTP}, user = "x", password = "canary"}}', "not a reference to a secret"),
        (f'{SMTP}, user = "x", password = "env:A", security = "none"}}', "a password is not sent in the clear"),
        (SMTP.replace("b@", "b\\r\\nBcc: x@") + "}", "must be a mail address"),
        ('slack = "env:A"\nevents = ["stoped"]', "stopped"),
        ('slack = "env:A"\n[[notices]]\nname = "sec"\nslack = "env:B"', "two channels of [[notices]] are called sec"),
    ],
)
def test_a_channel_that_cannot_be_used_so_is_refused_in_one_line(tmp_path, text, line):
    (tmp_path / "rotator.toml").write_text(f'[[notices]]\nname = "sec"\n{text}\n')
    with pytest.raises(BadInput) as refused:
        load(tmp_path / "rotator.toml")
    assert line in str(refused.value)
    assert "canary" not in str(refused.value).lower()
    assert "\n" not in str(refused.value)


def test_the_doctor_finds_a_channel_that_cannot_be_reached_and_tells_nobody_anything(tmp_path):
    with channels.slack() as hook:
        for name, url in (("well", hook.url), ("gone", f"{hook.url}x")):
            (tmp_path / name).write_text(url)
            (tmp_path / name).chmod(0o600)
        (tmp_path / "rotator.toml").write_text(
            'data_dir = "data"\n'
            + "".join(f'[[notices]]\nname = "{name}"\nslack = "file:{name}"\n' for name in ("well", "gone", "lost"))
        )
        findings = list(examine(Context(config=tmp_path / "rotator.toml", quiet=True)))
        assert hook.posted == []
    assert "notices to well: answers" in [each.what for each in findings if each.well]
    assert [each.what for each in findings if not each.well and each.what.startswith("notices")] == [
        "notices to gone: webhook_refused: http 404",
        "notices to lost: file:lost: there is no such file (mend the path, or put the file there)",
    ]
    assert "canary" not in str(findings)


def test_a_channel_that_is_not_there_and_an_empty_list_are_told_in_one_line(rotator, tmp_path):
    assert (
        "no channel is called sec (there is none: docs/notices.md says how to add one)"
        in rotator("notice", "test", "sec").ended(2).one_line
    )
    assert "docs/notices.md" in rotator("notice", "list").ended(0).one_line
    (tmp_path / "hook").write_text(f"http://127.0.0.1:{free_port()}/canary")
    (tmp_path / "rotator.toml").write_text('[[notices]]\nname = "sec"\nslack = "file:hook"\n')
    said = rotator("notice", "test", "sec").ended(1).one_line
    assert said.startswith("rotator: sec was not told: webhook_unreachable (is its address right")
