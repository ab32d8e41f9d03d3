"""Fill a playbook's templates in, and read what an answer says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from rotator.errors import Rejected
from rotator.families.http_wire import Reply
from rotator.rest_answers import Answered
from rotator.rest_template import CREDENTIAL, EXPOSED, PLACEHOLDER, Asking

Values = Mapping[str, object]
Conditions = Mapping[str, tuple[object, ...]]

_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT})


@dataclass(frozen=True, slots=True)
class Filled:
    """A call with everything filled in. It may hold material, so it shows nothing of itself."""

    method: str
    path: str = field(repr=False)
    body: object = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


def filled(asking: Asking, values: Values) -> Filled:
    """Fill a call in. Raises Rejected when a placeholder has no value."""
    method, _, path = filled_call(asking.call, values).partition(" ")
    body = filled_body(asking.body, values) if asking.body else None
    form = filled_body(asking.form, values) if asking.form else None
    told = {name: str(value) for name, value in form.items()} if isinstance(form, dict) else None
    return Filled(method, path, body, told)


def filled_call(call: str, values: Values) -> str:
    """Fill a call's placeholders in, percent-encoded. Raises Rejected when one has no value."""
    return PLACEHOLDER.sub(lambda found: quote(str(_known(found[1], values)), safe=":@"), call)


def filled_text(template: str, values: Values) -> str:
    """Fill the placeholders of a text in. Raises Rejected when one has no value."""
    return PLACEHOLDER.sub(lambda found: str(_known(found[1], values)), template)


def filled_body(template: object, values: Values) -> object:
    """Fill a body's placeholders in; a text that is one placeholder becomes the value, with its JSON type.

    A field whose value would be null is left out: what the exposed credential has not, its replacement is not given.
    """
    if isinstance(template, str):
        if whole := PLACEHOLDER.fullmatch(template):
            return _value(whole[1], values)
        return filled_text(template, values)
    if isinstance(template, Mapping):
        done = {name: filled_body(each, values) for name, each in template.items()}
        return {name: each for name, each in done.items() if each is not None or template[name] is None}
    if isinstance(template, list):
        return [filled_body(each, values) for each in template]
    return template


def _value(name: str, values: Values) -> object:
    if name in values:
        return values[name]
    if name.startswith(EXPOSED):
        raise Rejected("nothing_to_copy", f"nothing was kept of the exposed credential's {name.removeprefix(EXPOSED)}")
    if name.startswith(CREDENTIAL):
        raise Rejected("no_credential", f"the connection's credential has no field `{name.removeprefix(CREDENTIAL)}`")
    raise Rejected(f"needs_{name}", f"there is no {name}")


def _known(name: str, values: Values) -> object:
    value = _value(name, values)
    if value is None:
        raise Rejected("nothing_to_copy", f"the exposed credential has no {name.removeprefix(EXPOSED)}")
    return value


def at(content: object, path: str) -> object:
    """Return what stands at a dotted path, None when nothing does."""
    for name in path.split("."):
        if isinstance(content, Mapping):
            content = content.get(name)
        elif isinstance(content, list) and name.isdigit() and int(name) < len(content):
            content = content[int(name)]
        else:
            return None
    return content


def holds(content: object, where: Conditions) -> bool:
    """Tell whether each field has one of its values; a missing and an empty one count as null."""
    return all(is_one(at(content, path), wanted) for path, wanted in where.items())


def is_one(found: object, wanted: tuple[object, ...]) -> bool:
    """Tell whether a value is one of those wanted; an empty one counts as null."""
    if found in ([], {}, ""):
        found = None
    return any(found == each and isinstance(found, bool) == isinstance(each, bool) for each in wanted)


def matched(reply: Reply, answers: Sequence[Answered]) -> Answered | None:
    """Return the one of these sorts that the answer is; what names more of it goes first."""
    found = [each for each in answers if reply.status in each.status and _is_of(reply, each)]
    return max(found, key=lambda each: each.names, default=None)


def told(reply: Reply, answers: Sequence[Answered]) -> Answered | None:
    """Return the one of these sorts that the answer is, where it is the service itself that says so.

    A status alone is said by whoever is in between as well, with a page of its own: it counts in JSON alone.
    """
    found = matched(reply, answers)
    if found is None or not found.by_status_alone or reply.content is not None or reply.status in _WITHOUT_BODY:
        return found
    return None


def is_nowhere(reply: Reply, answers: Sequence[Answered]) -> bool:
    """Tell whether it is a 404 that counts, and that whoever is in between could have said as well."""
    if reply.status != HTTPStatus.NOT_FOUND or not any(reply.status in each.status for each in answers):
        return False
    found = told(reply, answers)
    return found is None or found.by_status_alone


def _is_of(reply: Reply, sort: Answered) -> bool:
    if sort.says is not None:
        return sort.says in (reply.content if isinstance(reply.content, str) else reply.words)
    if sort.empty:
        return reply.content is None and not reply.words
    return holds(reply.content, sort.where)


def granted(reply: Reply, answers: Sequence[Answered] | None) -> bool:
    """Tell whether a service said yes: with any 2xx, unless the playbook says which answers mean that."""
    return reply.ok if answers is None else matched(reply, answers) is not None
