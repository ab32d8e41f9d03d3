"""Ask a REST service what the rotator's own credential may do, in the way and the words that a playbook names.

What an answer does not tell is unknown, and never granted. An answer that has not the published form is an error: a
gateway's JSON names no scope, and must not be read as one without any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus

from rotator.errors import Rejected
from rotator.families.http import RestService
from rotator.families.http_identity import OWN_UNKNOWN
from rotator.families.http_pages import answered
from rotator.families.http_template import Values, at, filled, filled_text, holds
from rotator.families.http_wire import Reply
from rotator.permissions import Permission
from rotator.rest_permissions import ANOTHER, EITHER, PermissionsCall, VerbName
from rotator.rest_template import placeholders

Held = Mapping[str, frozenset[str]]
"""The words that are held, each with the places that it is granted for, where the answer names places."""

NAME_AN_OWNER = "told of one owner alone: name an owner"
_NOT_ASKED = {"needs_owner": NAME_AN_OWNER, "needs_id": "nothing tells which credential the rotator's own is"}
_NO_ANSWER_TELLS = "no answer of the service tells"


def permitted(
    service: RestService, calls: Iterable[PermissionsCall], whose: Values, own: Callable[[], str | None]
) -> list[Permission]:
    """Make each call, and say of every verb what it needs and whether it is held.

    `whose` holds the `owner` that is asked about, nothing where it is all of them; `own` returns the rotator's own id,
    for a call that names it. Raises Rejected where the rotator is not let in, or where an answer has not the form that
    the playbook knows, Unavailable where there is none.
    """
    return [each for call in calls for each in (*_asked(service, call, whose, own), *_untold(call))]


def _asked(
    service: RestService, call: PermissionsCall, whose: Values, own: Callable[[], str | None]
) -> list[Permission]:
    values = {**service.given, **whose}
    its_own = _own_id(call, own)
    try:
        request = filled(call, {**values, **service.own_fields(), **its_own})
    except Rejected as refusal:
        return _unknown(call, values, _NOT_ASKED.get(refusal.reason, refusal.detail))
    reply = service.read(request)
    if reply.status == HTTPStatus.FORBIDDEN:
        return _unknown(call, values, "http_403: the rotator may not even ask")
    held = _held(call, reply, answered(reply, call.granted))
    return [
        Permission(verbs, _named(call, word, values), *_told(call, held, word, values))
        for word, verbs in _by_word(call.needs).items()
    ]


def _own_id(call: PermissionsCall, own: Callable[[], str | None]) -> dict[str, object]:
    if "id" not in placeholders(call.templates):
        return {}
    try:
        named = own()
    except Rejected as refusal:
        if refusal.reason != OWN_UNKNOWN:
            raise
        named = None
    return {} if named is None else {"id": named}


def _held(call: PermissionsCall, reply: Reply, content: object) -> Held:
    if call.held is not None:
        return _standing(call, content, call.held)
    text = reply.headers.get(call.header) if call.header is not None else at(content, call.words or "")
    if not isinstance(text, str) or not text.strip():
        raise _unreadable(call)
    return dict.fromkeys(text.replace(",", " ").split(), frozenset())


def _standing(call: PermissionsCall, content: object, path: str) -> Held:
    if call.each is None:
        return _leaves(call, [content], path)
    entries = at(content, call.each)
    if not isinstance(entries, list) or not all(isinstance(each, Mapping) for each in entries):
        raise _unreadable(call)
    given = _leaves(call, [each for each in entries if call.where is None or holds(each, call.where)], path)
    taken = _leaves(call, [each for each in entries if call.denied is not None and holds(each, call.denied)], path)
    return {word: places for word, places in given.items() if word not in taken}


def _leaves(call: PermissionsCall, found: list[object], path: str) -> Held:
    for name in path.split(".") if path != "." else ():
        if name != "*":
            found = [at(each, name) for each in found]
        elif all(isinstance(each, list) for each in found):
            found = [inner for each in found if isinstance(each, list) for inner in each]
        else:
            raise _unreadable(call)
    held: dict[str, frozenset[str]] = {}
    for leaf in found:
        for word, places in _of_leaf(call, leaf).items():
            held[word] = held.get(word, frozenset()) | places
    return held


def _of_leaf(call: PermissionsCall, leaf: object) -> Held:
    """Read one word, a list of them, or a table: of words with their places, or with true and false."""
    if isinstance(leaf, Mapping) and leaf:
        if all(map(_are_words, leaf.values())):
            return {str(word): frozenset(places) for word, places in leaf.items() if places}
        if not call.places and all(isinstance(each, bool) for each in leaf.values()):
            return {str(word): frozenset() for word, held in leaf.items() if held}
    words = [leaf] if isinstance(leaf, str) else leaf
    if not isinstance(words, list) or not _are_words(words) or call.places:
        raise _unreadable(call)
    return dict.fromkeys(words, frozenset())


def _are_words(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, str) for each in found)


def _told(call: PermissionsCall, held: Held, word: str, values: Values) -> tuple[bool | None, str]:
    """Return whether a word is held, or one of those that do as well, and why not."""
    answers = [_of_one(call, held, each.strip(), values) for each in word.split(EITHER)]
    return min(answers, key=lambda answer: (True, None, False).index(answer[0]))


def _of_one(call: PermissionsCall, held: Held, word: str, values: Values) -> tuple[bool | None, str]:
    if word == ANOTHER:
        return None, "it does not hold that; something else may do"
    if "owner" not in values and "owner" in placeholders(word):
        return None, NAME_AN_OWNER
    places = held.get(filled_text(word, values))
    if places is None:
        return False, "not among what it holds"
    if not call.places or places & {filled_text(each, values) for each in _fillable(call.places, values)}:
        return True, ""
    return (False, "it holds that elsewhere alone") if "owner" in values else (None, NAME_AN_OWNER)


def _fillable(templates: Iterable[str], values: Values) -> list[str]:
    return [each for each in templates if "owner" in values or "owner" not in placeholders(each)]


def _named(call: PermissionsCall, word: str, values: Values) -> str:
    """Return a word as the service has it, with the narrowest place that would do."""
    places = _fillable(call.places, values)
    word = word.removesuffix(f"{EITHER}{ANOTHER}")
    whole = f"{word} on {places[-1]}" if places else word
    return filled_text(whole, values) if _fillable([whole], values) else whole


def _by_word(needs: Mapping[VerbName, Sequence[str]] | Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    verbs: dict[str, tuple[str, ...]] = {}
    for verb, words in needs.items():
        for word in words:
            verbs[word] = (*verbs.get(word, ()), verb)
    return verbs


def _unknown(call: PermissionsCall, values: Values, why: str) -> list[Permission]:
    return [Permission(verbs, _named(call, word, values), None, why) for word, verbs in _by_word(call.needs).items()]


def _untold(call: PermissionsCall) -> list[Permission]:
    needs: dict[str, tuple[str, ...]] = {verb: (text,) for verb, text in call.untold.items()}
    return [Permission(verbs, text, None, _NO_ANSWER_TELLS) for text, verbs in _by_word(needs).items()]


def _unreadable(call: PermissionsCall) -> Rejected:
    where = f"header {call.header}" if call.header is not None else call.each or call.held or call.words
    return Rejected("answer_unreadable", f"{call.call} does not say what is held: no {where} of the known form")
