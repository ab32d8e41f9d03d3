"""A page of the board as a test reads it: its text, its links, and its forms with the label of each field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from rotator.flow.approval import Role
from tests.api.calling import Api

HTML = {"Accept": "text/html,application/xhtml+xml"}
_VOID = {"meta", "link", "input", "br", "img", "hr"}


@dataclass
class Form:
    """A form: its attributes, and its fields by name with the words of their labels, "" for a field without one."""

    attributes: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page(HTMLParser):
    """What a browser was sent."""

    status: int
    source: str
    headers: Any
    forms: list[Form] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    disabled: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, dict[str, str]]] = []
        self._labelled: list[tuple[Form, str]] = []
        self._label: list[str] = []
        self.feed(self.source)
        assert not self._open, f"never closed: {self._open}"

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def acts(self) -> dict[str, Form]:
        """Return the forms of acts by the path to which each goes."""
        return {each.attributes["data-path"]: each for each in self.forms if each.attributes.get("class") == "act"}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given))
        if tag in {"input", "select", "textarea"} and "name" in given and given.get("type") != "hidden":
            self.forms[-1].fields[given["name"]] = ""
            if any(name == "label" for name, _ in self._open):
                self._labelled.append((self.forms[-1], given["name"]))
        if tag not in _VOID and tag not in {"path", "rect"}:
            self._open.append((tag, given))

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """Pass by what is closed at once."""

    def handle_endtag(self, tag: str) -> None:
        if tag in {"path", "rect"}:
            return
        name, _ = self._open.pop()
        assert name == tag, f"<{name}> is closed by </{tag}>"
        if tag == "label":
            for form, field_name in self._labelled:
                form.fields[field_name] = "".join(self._label).strip()
            self._labelled, self._label = [], []

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        of = [name for name, _ in self._open]
        if of and of[-1] in {"script", "style"} and data.strip():
            raise AssertionError(f"a page holds {of[-1]} of its own: {data[:40]}")
        if "label" in of and "option" not in of:
            self._label.append(data)
        if "a" in of:
            address = next(given["href"] for name, given in reversed(self._open) if name == "a")
            self.links[address] = f"{self.links.get(address, '')}{data}".strip()
        if "button" in of and any("disabled" in given for name, given in self._open if name == "button"):
            self.disabled.append(data.strip())


def page(api: Api, path: str, role: Role = Role.VIEWER, token: str = "") -> Page:
    """Return a page as somebody of that role sees it."""
    answer = api.client.get(path, headers={**HTML, "Authorization": f"Bearer {token or api.token(role)}"})
    return Page(answer.status_code, answer.text, answer.headers)
