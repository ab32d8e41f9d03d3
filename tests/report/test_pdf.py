"""A report as PDF: whole, with what a reader finds his way by, the same bytes each time, and nothing fetched for it."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from pypdf import PdfReader

from rotator.errors import BadInput
from rotator.report import compliance_page, files, html_form, pdf
from rotator.report.files import Form
from rotator.report.incident import build
from tests.report.test_compliance import BEGUN, HOSTILE, built, dead, response

MADE_AT = BEGUN + 3600.0
MANY = 60


@pytest.fixture(scope="module")
def period():
    found, report = built(
        *[response(number, owner=HOSTILE if number else "payments") for number in range(MANY)], dead(99, 5.0)
    )
    return compliance_page.text(report, found, MADE_AT)


@pytest.fixture(scope="module")
def read(period):
    return PdfReader(BytesIO(pdf.made(period)))


def test_it_says_what_it_is_and_when_it_was_made(read):
    told = read.metadata
    assert told.title.startswith("Exposed credentials, 2026-09-21 to 2026-09-22")
    assert told.creation_date.timestamp() == told.modification_date.timestamp() == MADE_AT
    assert "rotator" in told.creator


def test_who_reads_it_with_a_machine_finds_language_tags_and_bookmarks(read):
    root = read.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en", True)
    assert "/StructTreeRoot" in root
    whole, below = read.outline[0], read.outline[1]
    assert whole.title == "How exposed credentials were answered"
    titles = [each.title for each in below if not isinstance(each, list)]
    assert {"Population and sample", "Controls", "Exceptions"} <= set(titles)


def test_each_page_has_its_number_and_a_table_that_breaks_has_its_heads_again(read):
    texts = [page.extract_text() for page in read.pages]
    assert all(f"{number} of {len(texts)}" in text for number, text in enumerate(texts, 1))
    listing = [text for text in texts if "inc-1.r2" in text]
    assert len(listing) > 1
    assert all("Incident, run" in text for text in listing)


def test_every_exception_is_there_and_a_hostile_name_is_text(read):
    whole = "".join("".join(page.extract_text() for page in read.pages).split())
    assert all(f"inc-1.r{number}" in whole for number in range(MANY))
    assert "<script>alert(1)</script>" in whole
    assert not {"/AA", "/OpenAction", "/JavaScript", "/EmbeddedFiles"} & {
        name for each in (read.trailer["/Root"], read.trailer["/Root"].get("/Names", {})) for name in each
    }
    assert not [page for page in read.pages if "/Annots" in page]


def test_the_same_page_is_the_same_file(period):
    assert pdf.made(period) == pdf.made(period)


def test_nothing_is_fetched_and_no_file_is_read(tmp_path):
    asked = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    secret = tmp_path / "secret.txt"
    secret.write_text("this-must-stay-here")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        there = f"http://127.0.0.1:{server.server_address[1]}"
        made = pdf.made(
            f'<title>x</title><link rel=stylesheet href="{there}/a.css"><link rel=attachment href="{secret.as_uri()}">'
            f'<style>@import "{there}/b.css"; @font-face {{ font-family: x; src: url({there}/f) }}'
            f"p {{ background: url({secret.as_uri()}); font-family: x }}</style><p>text<img src={there}/i.png>"
            f'<a rel=attachment href="{secret.as_uri()}">y</a><object data="{there}/o"></object>'
            f'<svg><image href="{there}/s.png"/><use href="{there}/u#x"/></svg>'
        )
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []
    read = PdfReader(BytesIO(made))
    assert "text" in read.pages[0].extract_text()
    assert read.attachments == {}
    assert b"this-must-stay-here" not in made


def test_of_a_large_incident_paper_has_what_is_open_first_and_says_what_it_leaves_out(house):
    company, deployment = house
    found = [company.stolen("aws_iam_access_key")[0] for _ in range(3)]
    plan = deployment.declare(found)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest()
    report = build(deployment.record())
    last = report["credentials"][-1]
    last["state"] = "held"
    short = html_form.text(report, 2e9, 1, 1)
    assert short.count("<h3>inc-1.") == 1
    assert f"<h3>{last['run']}" in short
    assert "1 of 3, what is not proven dead first" in short
    assert "what is not proven dead first" not in html_form.text(report, 2e9)
    assert b"".join(files.of_incident(report, Form.PDF, 2e9)).startswith(b"%PDF-")


@pytest.mark.parametrize(("lacking", "mend"), [(ImportError, "rotator[pdf]"), (OSError, "libpango")])
def test_where_it_cannot_be_made_one_line_says_how_to_get_it(monkeypatch, lacking, mend):
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)

    class Finder:
        def find_spec(self, name, *_):
            if name == "weasyprint":
                raise lacking("no")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(BadInput) as told:
        pdf.made("<p>x")
    assert mend in str(told.value)
    assert "\n" not in str(told.value)
