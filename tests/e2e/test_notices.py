"""As people live it: an incident, and a channel that hears what is wanted of them and that it is over; no secret."""

from __future__ import annotations

import json

from tests.e2e.commands import runtime_of, until
from tests.e2e.company import ACME
from tests.fakes import channels


def test_a_channel_hears_that_it_is_done_and_the_report_says_who_was_told(found_company):
    found = found_company(ACME)
    everything = ["declared", "approval_wanted", "approved", "needs_person", "done"]
    with channels.slack() as hook:
        (found.folder / "webhook").write_text(hook.url)
        (found.folder / "webhook").chmod(0o600)
        entry = {"name": "#sec-oncall", "slack": "file:webhook", "events": everything}
        found.configure(lambda settings: settings.update(notices=[entry]))
        assert "#sec-oncall took it (http 200)" in found.rotator("notice", "test", "#sec-oncall").ended(0).out
        assert "[TEST]" in hook.posted.pop()["text"]
        found.approve()
        found.rotator("incident", "watch", "last", "-q").ended(0)
        until(lambda: runtime_of(found.data_dir) is None)  # it does not end before people know
        said = json.dumps(hook.posted)
        assert "done: every exposed credential is dead: 1 proven dead" in said
        [name] = {each["channel"] for each in found.rotator("report", "last", "-o", "json").report["incident"]["told"]}
        assert name == "#sec-oncall"
        assert "told: #sec-oncall " in found.rotator("report", "last").ended(0).out
        assert "#sec-oncall" in found.rotator("notice", "list").ended(0).out
        assert [secret for secret in found.secrets if secret in said] == []
        assert not any(hook.url in each for each in found.rotator.said)
