"""Somebody at a browser of their own: what they do, and what the browser complains of meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.browser.house import House

expect.set_options(timeout=20_000)
VIOLATED = """addEventListener("securitypolicyviolation", broken =>
    console.error(`policy: ${broken.violatedDirective} ${broken.blockedURI} ${broken.sourceFile}`))"""
"""Tell what the page's own policy forbade, wherever it was."""

_NOTE = """words => {
    window.seen = []
    const line = document.querySelector("#live")
    new MutationObserver(() => {
        if (line.dataset.state === "live") seen.push(document.querySelector("main").innerText.includes(words))
    }).observe(line, {attributeFilter: ["data-state"]})
}"""
_ACT = """async ([method, path, said, csrf]) => {
    const token = csrf || document.querySelector("meta[name=csrf-token]").content
    const headers = {"Content-Type": "application/json", "X-CSRF-Token": token, "Idempotency-Key": crypto.randomUUID()}
    const answer = await fetch(path, {method, headers, body: JSON.stringify(said)})
    return {...await answer.json(), status: answer.status}
}"""


@dataclass
class Person:
    """A browser's context, with its one page. `wrong` is what no page may do: errors, and what the policy forbids."""

    name: str
    house: House
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)
    own_alone: bool = False
    expected: tuple[str, ...] = ()
    """Parts of complaints that a test has asked for: a refusal is told in the console too."""

    @classmethod
    def seated(cls, browser: Browser, house: House, name: str = "", **context: Any) -> Person:
        """Open a browser; signed in where a name is given."""
        opened = browser.new_context(base_url=house.address, reduced_motion="reduce", **context)
        opened.set_default_timeout(20_000)
        opened.add_init_script(VIOLATED)
        self = cls(name, house, opened, opened.new_page())
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.wrong.append(f"{self.page.url}: {error}"))
        if name:
            self.sign_in()
        return self

    def _told(self, message: ConsoleMessage) -> None:
        if self.own_alone and not self.page.url.startswith(self.house.address):
            return
        if message.type in {"error", "warning"} and not any(each in message.text for each in self.expected):
            self.wrong.append(f"{self.page.url}: {message.text}")

    def sign_in(self) -> None:
        """Show a new token of one's own."""
        self.page.goto("/sign-in")
        self.page.get_by_label("token").fill(self.house.token(self.name))
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("banner")).to_contain_text(self.name)

    def button(self, name: str) -> Locator:
        """Return what opens an act's form, by the words on it."""
        return self.page.locator("summary.button", has_text=re.compile(rf"^\s*{re.escape(name)}\s*(\(.*\))?\s*$"))

    def opens(self, name: str) -> Locator:
        """Open an act's form; return it."""
        opened = self.page.locator("details.act", has=self.button(name)).first
        opened.locator("summary").click()
        return opened

    def does(self, name: str, **fields: str) -> None:
        """Open an act's form, fill its fields, send it and read what came of it."""
        form = self.opens(name).locator("form")
        for name_of, value in fields.items():
            one = form.locator(f"[name={name_of}]")
            if one.evaluate("each => each.tagName") == "SELECT":
                one.select_option(value)
            else:
                one.fill(value)
        form.locator("button").click()
        expect(self.page.locator("#said")).not_to_be_empty()

    def approves(self, name: str, words: str) -> None:
        """Say yes to a plan on its page, and type the words that are asked for."""
        self.expected += ("status of 409",)  # the words are asked for by a refusal
        form = self.opens(name).locator("form")
        form.locator("button").click()
        expect(form.get_by_role("alert")).to_contain_text(words)
        form.get_by_role("textbox", name="Type the words").fill(words)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#said")).to_contain_text("Your yes is kept")

    def downloads(self, name: str, at: str = "") -> str:
        """Follow a link that gives a file; return what is in it."""
        if at:
            self.page.goto(at)
        with self.page.expect_download() as given:
            self.page.get_by_role("link", name=name, exact=True).click()
        return given.value.path().read_text()

    def marks(self) -> None:
        """Mark the page as it was loaded: one that is loaded in its place has no such mark."""
        self.page.evaluate("window.marked = true")

    @property
    def is_marked(self) -> bool:
        return bool(self.page.evaluate("window.marked"))

    def forgives_others(self) -> None:
        """Count nothing that pages of another service do."""
        self.own_alone = True

    def is_live(self) -> None:
        """Wait until the page says that it is."""
        expect(self.page.locator("#live")).to_have_attribute("data-state", "live")

    def sees_when_live(self, words: str) -> None:
        """Let the page note, each time it turns live, whether it shows these words then."""
        self.page.evaluate(_NOTE, words)

    def counts(self, words: str) -> None:
        """Wait until the line of counts says so."""
        expect(self.page.locator("p.counts")).to_contain_text(words)

    def acts(self, method: str, path: str, said: dict[str, Any], csrf: str = "") -> dict[str, Any]:
        """Send an act as the page's own module does, whatever buttons there are; return the answer and its status."""
        self.expected += ("the server responded with a status of 4",)
        return self.page.evaluate(_ACT, [method, path, said, csrf])

    def leave(self) -> None:
        """Close the browser."""
        self.context.close()
