"""Walk one strategy's path through a playbook, and say which of the rules that keep it harmless it breaks.

The rules: look before you touch; knock while it lives, or a refusal proves nothing; under `replace_first` stop nothing
before its successor is in use, under `contain_first` make no successor before the exposed one is refused; end sessions
after the stop, since new ones can be opened until then; and let a verification have the last word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rotator.flow.playbook_line import Line
from rotator.flow.playbook_words import REPLACING, Expect, Strategy, Subject, Verb


class Can(StrEnum):
    """What a provider's object is able to do, beyond looking and knocking."""

    ISSUING = "issuing"
    CHOOSING = "choosing"
    SETTABLE = "settable"
    SUSPENDABLE = "suspendable"
    SESSION_ENDING = "session_ending"
    PRESERVING = "preserving"
    INSTALLABLE = "installable"
    REVOCABLE = "revocable"


MINTS = frozenset({Verb.ISSUE, Verb.GENERATE})
STOPS = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.REVOKE})
_ALL = 100
_UNPAIRED = "a refusal proves nothing: nobody knocked while the credential lived"
_UNDO_ALONE = frozenset({Verb.RESUME, Verb.DEMOTE})


@dataclass(frozen=True, slots=True)
class Misstep:
    """One thing wrong with a playbook: at which step (None: the playbook as a whole), what, and how to mend it."""

    step: str | None
    what: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"step `{self.step}`: " if self.step else ""
        return f"{where}{self.what}" + (f" ({self.mend})" if self.mend else "")


@dataclass(frozen=True, slots=True)
class Walk:
    """One strategy's path, for a provider that is `able` to do these things."""

    strategy: Strategy
    path: Sequence[Line]
    able: frozenset[Can]

    def problems(self) -> Iterator[Misstep]:
        """Yield every broken rule."""
        if not self.path:
            yield Misstep(None, f"{self.strategy} has no steps", "give it steps, or take it off `strategies`")
            return
        yield from self._never()
        yield from self._preserves_first()
        if self.strategy in REPLACING:
            yield from self._replaces()
        else:
            yield from self._replaces_nothing()
        if self.strategy is Strategy.CUT_ONLY:
            yield from self._only_cuts()
        else:
            yield from self._kills()
            yield from self._cuts_sessions()
        yield from self._keeps_order()
        yield from self._last_word()

    def _where(self, *verbs: Verb, of: Subject = Subject.EXPOSED) -> list[int]:
        return [n for n, line in enumerate(self.path) if line.do.verb in verbs and line.do.subject is of]

    def _knocks(self, expect: Expect | None, of: Subject = Subject.EXPOSED) -> list[int]:
        return [n for n in self._where(Verb.VERIFY, of=of) if self.path[n].expect is expect]

    def _refusals(self, at: str | None) -> list[int]:
        """Return where the exposed credential must be refused: everywhere it was stopped, so at each target if so."""
        return [n for n in self._knocks(Expect.REJECTED) if at is None or self.path[n].each == at]

    @property
    def _stops(self) -> list[int]:
        return self._where(*STOPS)

    @property
    def _at(self) -> str | None:
        return next((self.path[n].each for n in self._stops if self.path[n].each), None)

    def _wrong(self, at: int | None, what: str, mend: str = "") -> Misstep:
        return Misstep(None if at is None else self.path[at].id, f"under {self.strategy}, {what}", mend)

    def _never(self) -> Iterator[Misstep]:
        for n, line in enumerate(self.path):
            takes_back = line.do.subject is Subject.REPLACEMENT and line.do.verb in STOPS
            if line.do.verb in _UNDO_ALONE or takes_back:
                yield Misstep(line.id, f"`{line.do}` is never a step", "it takes a step back: write it as that `undo`")
            if line.do.verb is Verb.VERIFY and line.do.subject is Subject.EXPOSED and line.expect is Expect.ACCEPTED:
                yield self._wrong(n, "it waits for a stolen credential to work", "drop `expect`: it then only records")

    def _preserves_first(self) -> Iterator[Misstep]:
        if Can.PRESERVING in self.able and self.path[0].do.verb is not Verb.PRESERVE:
            yield self._wrong(
                0, "a step goes before `preserve exposed`", "the first knock overwrites the last use: preserve first"
            )

    def _replaces(self) -> Iterator[Misstep]:
        mints = self._where(*MINTS, of=Subject.REPLACEMENT)
        if not mints:
            yield self._wrong(None, "no step makes a replacement", "issue or generate one, or offer revoke_only alone")
        for n in mints[1:]:
            yield self._wrong(n, "a second replacement is made", "one mint on each path")
        promotes = self._where(Verb.PROMOTE, of=Subject.REPLACEMENT)
        if mints and not promotes:
            yield self._wrong(mints[0], "the replacement is never promoted", "add `promote replacement`")
        works = self._knocks(Expect.ACCEPTED, Subject.REPLACEMENT)
        installs = self._where(Verb.INSTALL, of=Subject.REPLACEMENT)
        if not installs and (chosen := self._where(Verb.GENERATE, of=Subject.REPLACEMENT)):
            yield self._wrong(chosen[0], "nobody learns the replacement that we made", "add `install replacement`")
        for n in promotes:
            seen = [k for k in works if k < n]
            at_each = (any(i < k and self.path[k].each == self.path[i].each for k in seen) for i in installs)
            if not seen or not all(at_each):
                yield self._wrong(
                    n, "a replacement is promoted that nobody saw work", "`verify replacement` with `expect: accepted`"
                )
        for n in self._stops if self.strategy is Strategy.REPLACE_FIRST else ():
            if not any(k < n for k in promotes):
                yield self._wrong(
                    n, "the exposed credential is stopped before its replacement is in use", "stop it after `promote`"
                )
        if self.strategy is Strategy.CONTAIN_FIRST:
            yield from self._contained_before(mints)

    def _contained_before(self, mints: list[int]) -> Iterator[Misstep]:
        for mint in mints[:1]:
            if not any(stop < n < mint for stop in self._stops for n in self._refusals(self._at)):
                yield self._wrong(
                    mint, "a replacement is made before the exposed credential is refused", "stop it, then verify that"
                )
            for n, line in enumerate(self.path[:mint]):
                if line.quorum is not None and line.quorum < _ALL:
                    yield self._wrong(
                        n, "a replacement is made while the exposed one still opens some doors", "drop `quorum`"
                    )

    def _replaces_nothing(self) -> Iterator[Misstep]:
        for n, line in enumerate(self.path):
            if line.do.subject is not Subject.EXPOSED:
                yield self._wrong(
                    n, f"`{line.do}` has no place: nothing is replaced", "name its strategies in `only_if`"
                )

    def _only_cuts(self) -> Iterator[Misstep]:
        for n in self._stops:
            yield self._wrong(n, f"`{self.path[n].do}` stops more than sessions", "that is revoke_only's work")
        cuts = self._where(Verb.END_SESSIONS)
        if not cuts:
            yield self._wrong(None, "nothing is cut", "add `end_sessions exposed`")
        for n in self._knocks(Expect.REJECTED):
            if self.able & {Can.SUSPENDABLE, Can.REVOCABLE, Can.INSTALLABLE}:
                yield self._wrong(n, "a refusal is expected of what is left alive", "drop `expect`: it then records")
            elif not any(k < cut < n for k in self._knocks(None) for cut in cuts):
                yield self._wrong(n, _UNPAIRED, "`verify exposed` without `expect`, then `end_sessions`, before this")

    def _kills(self) -> Iterator[Misstep]:
        if not self._stops:
            yield self._wrong(None, "nothing stops the exposed credential", "suspend, uninstall or revoke it")
            return
        refusals = self._refusals(self._at)
        if not refusals:
            yield self._wrong(
                self._stops[0],
                "no refusal is asked for wherever it was stopped",
                "`verify exposed`, `expect: rejected`",
            )
        for n in self._knocks(Expect.REJECTED):
            if not any(stop < n for stop in self._stops):
                yield self._wrong(n, "a refusal is expected of what nothing has stopped", "stop it first")
        paired = [n for n in self._knocks(None) if n < self._first_effect and (self._at is None or self.path[n].each)]
        if refusals and not paired and not all(self.path[n].by_hand for n in refusals):
            yield self._wrong(
                refusals[0],
                _UNPAIRED,
                "`verify exposed` without `expect`, before the first effect" + (", at each target" if self._at else ""),
            )

    @property
    def _first_effect(self) -> int:
        return min([*self._stops, *self._where(Verb.END_SESSIONS)], default=len(self.path))

    def _cuts_sessions(self) -> Iterator[Misstep]:
        if not self.able & {Can.SESSION_ENDING, Can.INSTALLABLE} or not self._stops:
            return
        cuts = [n for n in self._where(Verb.END_SESSIONS) if self._at is None or self.path[n].each]
        # The clock stops at the first refusal of the series, so the sessions must be over by then.
        first = [n for n in self._refusals(self._at) if n > self._stops[0]][:1]
        ends = [first, self._where(*MINTS, of=Subject.REPLACEMENT)[:1]]
        for end in ends if self.strategy is Strategy.CONTAIN_FIRST else ends[:1]:
            if end and not any(self._stops[0] < n < end[0] for n in cuts):
                yield self._wrong(
                    end[0],
                    "sessions opened with the stolen credential live on",
                    "end them after it is stopped, before this",
                )

    def _keeps_order(self) -> Iterator[Misstep]:
        mints = self._where(*MINTS, of=Subject.REPLACEMENT)
        promotes = self._where(Verb.PROMOTE, of=Subject.REPLACEMENT)
        for n, line in enumerate(self.path):
            if self.strategy not in REPLACING:
                break
            if line.do.subject is Subject.REPLACEMENT and line.do.verb not in MINTS and not any(m < n for m in mints):
                yield self._wrong(n, f"`{line.do}` comes before there is a replacement", "issue or generate first")
            if line.do.subject is Subject.CONSUMERS and not any(p < n for p in promotes):
                yield self._wrong(n, f"`{line.do}` comes before `promote`", "consumers would read the old one again")

    def _last_word(self) -> Iterator[Misstep]:
        of_exposed = [n for n, line in enumerate(self.path) if line.do.subject is Subject.EXPOSED]
        last = of_exposed[-1] if of_exposed else None
        cut_only = self.strategy is Strategy.CUT_ONLY
        knocks = self._where(Verb.VERIFY) if cut_only else self._refusals(self._at)
        if last is None or last not in knocks:
            wants = "`verify exposed`" if cut_only else "`verify exposed` with `expect: rejected`"
            where = " at each target" if self._at else ""
            yield self._wrong(
                last, "the last word on the exposed credential is not a verification", f"end with {wants}{where}"
            )
