"""A period's report is taken from the board; the board's own script leaves that form alone."""

from __future__ import annotations


def test_a_period_is_taken_as_the_file_that_the_button_says(person):
    ana = person("ana")
    ana.page.goto("/reports")
    ana.page.get_by_label("From").fill("2020-01-01")
    with ana.page.expect_download() as given:
        ana.page.get_by_role("button", name="PDF", exact=True).click()
    assert given.value.suggested_filename == "compliance.pdf"
    assert given.value.path().read_bytes().startswith(b"%PDF-")
    assert "from=2020-01-01" in given.value.url
