"""What a board offers is what the report says, by the same door as programs use, and to nobody who may not."""

from __future__ import annotations

import re

import pytest

from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.settings.file import load
from rotator.shown import buttons
from tests.api.calling import Api

COMMANDS = {
    "rotator run retry inc-1.r2 contain --reason …": "/runs/inc-1.r2/steps/contain/retry",
    "rotator run skip inc-1.r2 contain --reason …": "/runs/inc-1.r2/steps/contain/skip",
    "rotator run undo inc-1.r2 contain --reason …": "/runs/inc-1.r2/steps/contain/undo",
    "rotator run done inc-1.r2 contain --reason …": "/runs/inc-1.r2/steps/contain/done",
    "rotator hold release inc-1.r2 destroy --reason …": "/runs/inc-1.r2/steps/destroy/release",
    "rotator gate open inc-1 no_legal_hold --reason …": "/incidents/inc-1/gates/no_legal_hold/open",
    "rotator host isolate inc-1 web-1 --reason …": "/incidents/inc-1/hosts/web-1/isolate",
    "rotator host isolate inc-1 a/b?c --reason …": "/incidents/inc-1/hosts/a%2Fb%3Fc/isolate",
    "rotator review inc-1 --note …": "/incidents/inc-1/review",
    "rotator continue --reason …": "/continue",
    "rotator continue inc-1 --reason …": "/incidents/inc-1/continue",
    "rotator continue aws --reason …": "/connections/aws/continue",
    "rotator incident reopen inc-1 --reason …": "/incidents/inc-1/reopen",
}
PAGES = {
    "rotator approve inc-1 --digest 9a3e --scope destruction": "/incidents/inc-1/plan",
    "rotator report inc-2": "/incidents/inc-2",
    "rotator incident add inc-1 FILE…": "/incidents/new?to=inc-1",
    "rotator incident declare FILE --title …": "/incidents/new",
}
ALIVE = {"run": "inc-1.r2", "dismissed": None, "evidence": "none"}


def every_form():
    found = [buttons.button(command, "", Role.ADMIN) for command in COMMANDS]
    of = (buttons.stop, buttons.hold, lambda *who: buttons.ending(*who, is_closed=False))
    found += [each("inc-1", Role.ADMIN) for each in of]
    found += [buttons.stop_all(Role.ADMIN), buttons.stop_connection("aws", Role.ADMIN)]
    return [*found, buttons.dismissal("inc-1", ALIVE, Role.ADMIN)]


@pytest.mark.parametrize(("command", "path"), COMMANDS.items())
def test_a_command_of_the_report_is_the_same_act_over_http(command, path):
    assert buttons.button(command, "", Role.ADMIN).path == "/api/v1" + path


@pytest.mark.parametrize(("command", "page"), PAGES.items())
def test_what_is_done_on_a_page_leads_there(command, page):
    found = buttons.button(command, "", Role.ADMIN)
    assert (found.link, found.path) == (page, "")


@pytest.mark.parametrize("command", ["rotator up", "rotator incident watch inc-1", "rotator exposure list inc-1"])
def test_what_no_browser_can_give_stays_a_command(command):
    found = buttons.button(command, "", Role.ADMIN)
    assert (found.command, found.path, found.link) == (command, "", "")


def test_every_form_fits_an_operation_of_the_api_and_its_shape(tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    described = Api(Rotator(load(tmp_path / "rotator.toml"))).described
    for each in every_form():
        path = each.path.removeprefix(buttons.API)
        fitting = [one for one in described["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one), path)]
        assert fitting, each.path
        body = described["paths"][fitting[0]]["post"]["requestBody"]["content"]["application/json"]["schema"]
        shape = described["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        asked = {one["name"] for one in each.fields}
        assert set(shape.get("required", ())) <= asked <= set(shape["properties"])


@pytest.mark.parametrize(
    ("command", "least"),
    [("rotator run retry inc-1.r2 contain --reason …", Role.RESPONDER), ("rotator run skip x y", Role.APPROVER)],
)
def test_who_may_not_is_told_which_role_it_needs(command, least):
    roles = list(Role)
    for role in roles:
        found = buttons.button(command, "", role)
        assert bool(found.refused) == (roles.index(role) < roles.index(least))
        assert not found.refused or least.value in found.refused


@pytest.mark.parametrize("more", [{"evidence": "proven"}, {"evidence": "stated"}, {"dismissed": {"by": "ann"}}])
def test_what_is_dead_or_left_alone_is_not_offered_to_be_left_alone(more):
    assert buttons.dismissal("inc-1", ALIVE | more, Role.ADMIN) is None
