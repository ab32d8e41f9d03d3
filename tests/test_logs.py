"""Each line of a task's or a request's work says whose it is, whoever wrote it, and none says what must not be said."""

from __future__ import annotations

import io
import json
import logging
import sys
from types import SimpleNamespace

import pytest
import structlog
from celery import Celery
from fastapi import FastAPI
from starlette.testclient import TestClient

from rotator import api_token, logs
from rotator.api.named import HEADER, Named
from workers.tasks import advance

BRANCH = {"incident": "inc-1", "run": "inc-1.r2", "branch": "inc-1.r2.0.1"}
LIBRARY = logging.getLogger("vendor.library")


@pytest.fixture
def lines(monkeypatch):
    """Set up logging as a worker does that nobody watches; return what was written, read as JSON."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure()
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def said(line, *names):
    return {name: line.get(name) for name in names}


def test_each_line_of_a_task_names_its_incident_run_and_branch(lines):
    def work(_branch):
        structlog.get_logger().warning("ours")
        LIBRARY.warning("theirs")

    app = Celery("test", set_as_current=False)
    app.rotator = SimpleNamespace(engine=SimpleNamespace(advance=work))
    bound = app.tasks[advance.name]
    bound(BRANCH["branch"])
    structlog.get_logger().warning("after it")
    ours, theirs, after = lines()
    assert said(ours, *BRANCH, "event", "level") == {**BRANCH, "event": "ours", "level": "warning"}
    assert said(theirs, *BRANCH, "event", "logger") == {**BRANCH, "event": "theirs", "logger": "vendor.library"}
    assert not BRANCH.keys() & after.keys()


@pytest.mark.parametrize(
    ("given", "kept"), [("from-a-proxy.1", True), ("", False), ('two\n{"level": "x"}', False), ("x" * 65, False)]
)
def test_each_line_of_a_request_names_it_and_a_stranger_writes_no_line(lines, given, kept):
    app = FastAPI()

    @app.get("/")
    def work() -> None:
        structlog.get_logger().warning("ours")
        LIBRARY.warning("theirs")

    app.add_middleware(Named)
    answer = TestClient(app).get("/", headers={HEADER: given.encode()})
    name = answer.headers[HEADER]
    assert (name == given) is kept
    assert [each["request"] for each in lines()] == [name, name]


def test_an_exception_is_told_by_its_kind_alone(lines):
    def fail():
        material = "canary"
        raise RuntimeError(material)

    for log in (structlog.get_logger(), LIBRARY):
        try:
            fail()
        except RuntimeError:
            log.exception("it failed")
    LIBRARY.warning("in a tuple", exc_info=(ValueError, ValueError("canary"), None))
    told = lines()
    assert [each["exception"] for each in told] == ["RuntimeError", "RuntimeError", "ValueError"]
    assert "canary" not in json.dumps(told)


def test_no_line_holds_a_token_of_our_own_whoever_wrote_it(lines):
    token = api_token.minted().reveal()
    LIBRARY.warning("GET /x?title=%s refused", token)
    structlog.get_logger().info("asked", title=f"found {token}")
    assert [line["event"] for line in lines()] == ["GET /x?title=[secret] refused", "asked"]
    assert lines()[1]["title"] == "found [secret]"
