"""Drills from the command line, against a real token service: held, listed, told of, and cleaned up."""

from __future__ import annotations

import json
import threading

import pytest

from rotator import drill_lock
from rotator.api import gauges
from rotator.bootstrap import Rotator
from rotator.cli.here import Here
from rotator.errors import BadInput
from rotator.examining.drills import drills as examined
from rotator.ledger import drills
from rotator.ledger.drills import DrillRow
from rotator.practice.consumer import Consumer, listening
from rotator.practice.token_server import token_server
from rotator.settings.file import load

CONFIGURED = """
data_dir = "data"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{server}"
credential = "file:admin"
[[connections]]
name = "disk"
family = "file"
folder = "{places}"
[drills]
target = "10m"
[[drills.exercises]]
name = "tokens"
connection = "acme"
kind = "acme_api_token"
owners = ["drill"]
like = "{like}"
trigger = "alarm"
deliver = [{{store = "file", connection = "disk", name = "drill.json"}}]
consumers = [{{webhook = "{webhook}"}}]
"""


EXERCISE = '[[drills.exercises]]\nname = "a"\nconnection = "x"\nkind = "k"\n'
TOKENS = ("run", "--connection", "acme", "--kind", "acme_api_token")


@pytest.fixture
def service(tmp_path):
    """Run a token service with a token of the drill's owner and one of somebody else; configure an exercise."""
    places = tmp_path / "places"
    places.mkdir(mode=0o700)

    def read():
        return {str(key): str(each) for key, each in json.loads((places / "drill.json").read_text()).items()}

    program = Consumer("program", read, lambda _document: [])
    with token_server() as server, listening(program) as webhook:
        server.plant("ci")
        like = server.plant("drill")
        (tmp_path / "admin").write_text(server.admin.reveal())
        (tmp_path / "admin").chmod(0o600)
        told = CONFIGURED.format(server=server.address, like=like.id, webhook=webhook, places=places)
        (tmp_path / "rotator.toml").write_text(told)
        yield server


@pytest.fixture
def worked(monkeypatch):
    """Have the engine work in this process whenever workers are asked for."""
    ended, at_work = threading.Event(), []

    def advance(parts):
        while not ended.wait(0.02):
            for branch, _lane in parts.due.take_due(100):
                parts.engine.advance(branch)

    def work(here, _answer):
        if not at_work:
            at_work.append(threading.Thread(target=advance, args=(here._parts,)))
            at_work[0].start()

    monkeypatch.setattr(Here, "work", work)
    yield
    ended.set()
    for each in at_work:
        each.join()


@pytest.mark.usefixtures("worked")
def test_a_drill_is_held_told_of_and_leaves_nothing_but_what_was_there(called, service, tmp_path):
    before = service.alive()
    [held] = json.loads(called("drill", "run", "tokens", "-o", "json").ended(0).out)
    assert service.alive() == before
    [canary] = held["canaries"]
    assert (held["outcome"], held["slow"], canary["stated"]) == ("proven", [], False)
    assert all(seconds is not None for seconds in canary["seconds"].values())
    assert json.loads(called("drill", "show", "last", "-o", "json").out) == held
    [listed] = json.loads(called("drill", "list", "-o", "json").out)
    assert (listed["incident"], listed["count"]) == (held["incident"], 1)
    [trend] = json.loads(called("drill", "trend", "-o", "json").out)
    assert (trend["provider"], trend["canaries"], trend["worst"]) == ("acme_api_token", 1, held["incident"])
    assert "every canary is proven dead, and nothing of it is left" in called("drill", "show").out
    assert "acme_api_token" in called("drill", "trend").out
    assert called("drill", "clean").ended(0).out == "no drill was left\n"
    parts = Rotator(load(tmp_path / "rotator.toml"))
    [found] = examined(parts, "rotator")
    assert found.what.startswith("drill of acme_api_token at ")
    assert 'rotator_drill_late{kind="acme_api_token"} 0' in gauges.lines(parts)
    late = parts.settings.model_copy(update={"drills": parts.settings.drills.model_copy(update={"target": 0.001})})
    warned = Rotator(late)
    [found] = examined(warned, "rotator")
    assert found.warns
    assert "took" in found.what
    assert 'rotator_drill_late{kind="acme_api_token"} 1' in gauges.lines(warned)
    parts.database.close()
    warned.database.close()


@pytest.mark.usefixtures("service")
def test_where_exercises_are_configured_and_none_was_held_the_doctor_says_so(tmp_path):
    parts = Rotator(load(tmp_path / "rotator.toml"))
    [found] = examined(parts, "rotator")
    assert (found.warns, found.what.partition(":")[0]) == (True, "no drill was held ever")
    assert not any(each.startswith("rotator_drill") for each in gauges.lines(parts))
    parts.database.close()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("run", "tokenz"), "no exercise is called tokenz (did you mean `tokens`?)"),
        (("run", "--connection", "acme"), "--kind is missing"),
        (TOKENS, "--owner is missing"),
        (("run", "--connection", "acme", "--kind", "acme_api_tokn", "--owner", "x"), "no kind is called acme_api_tokn"),
        (("run", "--connection", "acne", "--kind", "acme_api_token", "--owner", "x"), "no connection is called acne"),
        ((*TOKENS, "--owner", "x", "--like", "tok_9"), "x has no credential tok_9"),
        ((*TOKENS, "--owner", "x"), "name one as `like`"),
        (
            ("run", "--connection", "disk", "--kind", "acme_api_token", "--owner", "x"),
            "disk does not serve acme_api_token",
        ),
        (("show", "inc-1"), "no drill was held of that name"),
        (("show", "last"), "no drill was held of that name"),
    ],
)
@pytest.mark.usefixtures("service")
def test_what_cannot_be_held_or_shown_is_said_in_one_line(called, words, line):
    said = called("drill", *words).ended(2).err.splitlines()[-1]
    assert line in said
    assert called("drill", "clean").ended(0).out == "no drill was left\n"


def test_one_drill_is_held_at_a_time(called, service, tmp_path):
    with drill_lock.held(tmp_path / "data"):
        assert "another drill is held here" in called("drill", "run", "tokens").ended(2).err
    assert len(service.alive()) == 2


@pytest.mark.usefixtures("service")
def test_a_drill_that_was_left_is_ended_by_the_next_command(called, tmp_path):
    parts = Rotator(load(tmp_path / "rotator.toml"))
    with parts.database.write() as connection:
        drills.begin(connection, DrillRow("inc-20261123-aaaaaa", "tokens", "alarm", "jana", 1.0))
    parts.database.close()
    done = called("drill", "clean", "-o", "json").ended(0)
    assert "inc-20261123-aaaaaa: the drill tokens was left" in done.err
    assert [each["outcome"] for each in json.loads(done.out)] == ["abandoned"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("target = 0", "drills: target"),
        (f'{EXERCISE}owners = ["o"]', "connection x"),
        (f"{EXERCISE}owners = []", "owners"),
        (f'{EXERCISE}owners = ["o"]\ntrigger = "rumour"', "trigger"),
        (
            f'{EXERCISE}owners = ["o"]\nschedule = {{cron = "9", approved_by = "J", expires = 2027-01-01}}',
            "has 1 fields",
        ),
    ],
)
def test_a_mistake_of_the_table_is_told_in_one_line(tmp_path, said, line):
    (tmp_path / "rotator.toml").write_text(f"[drills]\n{said}\n")
    with pytest.raises(BadInput) as refused:
        load(tmp_path / "rotator.toml")
    assert line in str(refused.value)
