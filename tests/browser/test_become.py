"""What is shown becomes what the service has rendered, also where two things of a list are called alike."""

from __future__ import annotations

import pytest

BECOMES = """async ([before, after]) => {
    const {become} = await import("/static/become.js")
    const made = (items) => {
        const list = document.createElement("ul")
        for (const [key, text] of items) {
            const one = document.createElement("li")
            if (key) one.dataset.key = key
            one.textContent = text
            list.append(one)
        }
        return list
    }
    const shown = made(before)
    become(shown, made(after))
    return [...shown.children].map((each) => [each.dataset.key ?? "", each.textContent])
}"""
ALIKE = [["/new", "ALIVE AGAIN: a"], ["/new", "ALIVE AGAIN: b"]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ALIKE, [["/new", "ALIVE AGAIN: a, now"], ["/new", "ALIVE AGAIN: b, now"]]),
        (ALIKE[:1], ALIKE),
        (ALIKE, ALIKE[1:]),
        ([["k", "one"], ["", "two"], *ALIKE], [*ALIKE, ["k", "one"]]),
        ([["", "two"]], [["k", "one"], ["", "two"], ["k", "other"]]),
    ],
)
def test_nothing_is_lost_that_is_called_as_another(person, before, after):
    anybody = person()
    anybody.page.goto("/sign-in")
    assert anybody.page.evaluate(BECOMES, [before, after]) == after


MEASURED = """async ([from, to]) => {
    const {measure} = await import("/static/between.js")
    for (const each of [from, to]) {
        const one = document.createElement("select")
        one.dataset.moment = ""
        one.append(new Option(each, each))
        document.body.append(one)
    }
    document.body.append(Object.assign(document.createElement("output"), { id: "between" }))
    measure()
    return document.querySelector("#between").textContent
}"""


@pytest.mark.parametrize(
    ("until", "said"),
    [("00:00:00.000", "0 s"), ("00:00:00.450", "0.5 s"), ("00:00:15.900", "15 s"), ("00:01:09.900", "1 min 9 s")],
)
def test_between_two_moments_it_is_as_long_as_the_list_says(person, until, said):
    anybody = person()
    anybody.page.goto("/sign-in")
    moments = ["2026-11-23T00:00:00.000Z", f"2026-11-23T{until}Z"]
    assert anybody.page.evaluate(MEASURED, moments) == said
