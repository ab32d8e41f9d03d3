"""The board's frame: who is let in, what a page may load, what it says of what it cannot show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from sqlalchemy import text

from rotator.api.board import application
from rotator.cli.main import app
from tests.api.board.pages import HTML, page
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

PAGES = ("/incidents", "/incidents?show=closed", "/incidents?show=all", "/incidents/inc-1", "/no-such-page")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    database = sqlite(folder / "ledger.db")
    company, deployment = founded(folder, database=database)
    deployment.start([company.stolen("aws_iam_access_key")[0]])
    deployment.rest()
    yield api(folder, database)
    database.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_holds_no_script_or_style_of_its_own(served, path):
    found = page(served, path)
    assert found.status == (404 if path == "/no-such-page" else 200)
    assert "script-src 'self'" in found.headers["content-security-policy"]
    assert "unsafe" not in found.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", found.source)
    assert found.source.count("<h1") == 1
    assert found.links["#main"] == "Skip to the content"


def test_a_list_counts_in_words_that_fit_and_says_what_it_has_none_of(served):
    assert "1 incident" in (text := page(served, "/incidents?show=all").text)
    assert "1 incidents" not in text
    assert "No incident is closed." in page(served, "/incidents?show=closed").text
    behind = page(served, "/incidents?show=all&page=9").text  # the last page was left empty meanwhile
    assert "1 incident" in behind
    assert "There is no incident" not in behind


def test_what_turns_a_line_or_stands_unseen_is_shown_as_a_terminal_shows_it(tmp_path):
    unseen = "\x1b\x07\u202e\u2067\u200b"
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    deployment.start([company.stolen("aws_iam_access_key")[0]])
    with database.write() as connection:
        connection.execute(text("UPDATE incident SET title = :title"), {"title": f"Invoice {unseen}gnp.exe"})
    for path in ("/incidents", "/incidents/inc-1", "/incidents/inc-1/plan"):
        found = page(api(tmp_path, database), path)
        assert "Invoice \ufffd\ufffd\ufffd\ufffd\ufffdgnp.exe" in found.text
        assert not set(unseen) & set(found.source)
    database.close()


@pytest.mark.parametrize("path", ["/incidents", "/incidents/inc-1", "/incidents/inc-none"])
def test_who_is_not_known_is_asked_to_sign_in_and_comes_back(served, path):
    answer = served.client.get(f"{path}?x=1", headers=HTML, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/sign-in?next={path.replace('/', '%2F')}%3Fx%3D1",
    )


def test_nothing_moves_for_who_asked_for_that():
    sheet = (Path(application.__file__).parent / "static" / "board.css").read_text()
    calm = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{(?:[^{}]|\{[^{}]*\})*\}", "", sheet)
    moves = r"transition|animation|@keyframes|scroll-behavior"
    assert re.search(moves, sheet)
    assert not re.search(moves, calm)


def test_a_file_is_kept_by_who_asks_for_it_as_it_is(served):
    address = re.search(r'href="(/static/board.css[^"]*)"', page(served, "/incidents").source)[1]
    answer = served.client.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert served.client.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert "immutable" not in served.client.get("/static/board.css").headers["cache-control"]
    assert served.client.get("/static/nothing.css").status_code == 404


def test_programs_are_answered_as_ever_where_there_is_nothing(served):
    answer = served.client.get("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert served.client.post("/healthz").status_code == 405
    assert served.client.get("/", follow_redirects=False).headers["location"] == "/incidents"


def test_each_command_that_a_page_names_is_one():
    pages = Path(application.__file__).parent.glob("templates/*.html")
    named = [each for page in pages for each in re.findall(r"<code>rotator ([^<]+)</code>", page.read_text())]
    assert named
    for each in named:
        found = typer.main.get_command(app)
        for word in re.match(r"[a-z -]+?(?= -|$| [A-Z])", each)[0].split():
            found = found.commands[word]
        assert not hasattr(found, "commands"), each
