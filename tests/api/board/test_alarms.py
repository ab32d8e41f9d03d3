"""Alarms of which no incident was made yet stand above the list of incidents: why, and when they are tried again."""

from __future__ import annotations

import pytest

from rotator.api.board.pages.incidents import ALARMS_SHOWN
from rotator.credential import Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.triggers.message import Trigger
from tests.api.board.pages import page
from tests.api.calling import api
from tests.fakes.deployment import sqlite

MATERIAL = "hunter2-hunter2"


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database)
    database.close()


def kept(served, number):
    leaked = Exposure("gitlab", "t", Leaked(secret=Secret(f"{MATERIAL}-{number}")), "https://x/1")
    told = Trigger(f"Push to <b>{number}</b>", Severity.HIGH, exposures=(leaked,))
    return served.parts.triggers.keep("gitlab", told, str(number).encode()).id


def test_what_waits_is_told_with_why_and_when_it_is_tried_again(served):
    assert 'data-part="alarms"' in page(served, "/incidents").source
    assert "no incident yet" not in page(served, "/incidents").text
    served.parts.triggers.put_off(kept(served, 1), "aws: unavailable")
    kept(served, 2)
    found = page(served, "/incidents")

    assert "2 alarms are no incident yet" in found.text
    assert "Push to <b>1</b> of gitlab" in found.text
    assert "It waits: aws: unavailable. By itself it is tried again at " in found.text
    assert "Push to <b>2</b> of gitlab" in found.text
    assert found.text.count("It is being looked at") == 1
    assert MATERIAL not in found.source


def test_of_many_the_first_are_shown_and_all_are_counted(served):
    for number in range(ALARMS_SHOWN + 1):
        kept(served, number)
    found = page(served, "/incidents")
    assert f"{ALARMS_SHOWN + 1} alarms are no incident yet" in found.text
    assert found.text.count("It is being looked at") == ALARMS_SHOWN
    assert f"The first {ALARMS_SHOWN} are shown" in found.text
