"""The pictures of incidents that somebody looks at, each kept current by a thread of its own while he does.

An answer waits a moment for what was committed before it was asked for; where that takes longer, it is of before, and
its `at` says so.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.records import Progress
from rotator.shown.kept import Kept, moving_of, progress_of
from rotator.shown.picture import Picture

PATIENCE_S = 0.05
"""How long an answer waits at most for what is read anew; for a first picture, however little, it waits always."""
IDLE_S = 300.0
"""Who was not looked at for so long is forgotten."""
MOST = 20
"""So many incidents are kept at once; before one more, the one longest not looked at is forgotten."""


def live(parts: Rotator) -> Live:
    """Return the pictures that these parts keep, for everybody who looks at them."""
    found: Live = parts.__dict__.setdefault("live", Live(parts))
    return found


class Live:
    """The pictures of this process."""

    def __init__(self, parts: Rotator, idle_s: float = IDLE_S) -> None:
        self._parts, self._idle_s = parts, idle_s
        self._views: dict[str, _View] = {}
        self._lock = threading.Lock()

    def of(self, incident: str, patience_s: float | None = PATIENCE_S) -> Picture:
        """Return an incident's picture; without patience as it is, with None whole and of now.

        Raises BadInput for an incident that is not there, and what the ledger raises.
        """
        with self._lock:
            view = self._views.pop(incident, None)
            if view is None or view.is_over:
                view = _View(self._parts, incident, self._idle_s, self._forget)
            self._views[incident] = view  # the last one looked at stands last
            for name in list(self._views)[:-MOST]:
                self._views.pop(name).end()
        return view.look(patience_s)

    def progress(self, incident: str) -> Progress:
        """Return how an incident stands now: by its picture while somebody looks at it, else counted in the ledger.

        Raises what the ledger raises.
        """
        with self._lock:
            view = self._views.get(incident)
        picture = view.now() if view is not None else None
        if picture is None:
            return self._parts.reading.progress(incident, clock.now())
        return progress_of(picture, moving_of(self._parts, picture))

    def close(self) -> None:
        """Forget every picture, and let the threads end."""
        with self._lock:
            for view in self._views.values():
                view.end()
            self._views.clear()

    def _forget(self, view: _View) -> None:
        with self._lock:
            self._views = {name: each for name, each in self._views.items() if each is not view}


class _View:
    """A picture, and the thread that refreshes it whenever somebody asks."""

    def __init__(self, parts: Rotator, incident: str, idle_s: float, forget: Callable[[_View], None]) -> None:
        self._kept, self._idle_s, self._forget = Kept(parts, incident, self._tell), idle_s, forget
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._failed: Exception | None = None
        self.is_over = False
        threading.Thread(target=self._keep, name="picture", daemon=True).start()

    def look(self, patience_s: float | None) -> Picture:
        """Return the picture, if it can be had in that time as the ledger is now."""
        with self._changed:
            self._asked += 1
            mine = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done >= mine or self.is_over, patience_s)
            if self._kept.picture is None:
                self._changed.wait_for(lambda: self._kept.picture is not None or self._done >= mine or self.is_over)
            if self._failed is not None and (self._done >= mine or self._kept.picture is None):
                raise self._failed
            if self._kept.picture is None:
                raise BadInput("nothing is shown any more", "this process", "it is being stopped: ask again")
            return self._kept.picture

    def now(self) -> Picture | None:
        """Return the picture as the ledger is now; None while it is read for the first time, and once it is over."""
        found = self._kept.picture
        if self.is_over or found is None or not found.is_whole:
            return None
        found = self.look(None)
        return None if self.is_over else found

    def end(self) -> None:
        """Let the thread end once it is through with what it reads."""
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked > self._done or self.is_over, self._idle_s)
                if self._asked <= self._done or self.is_over:
                    self.is_over = True
                    self._changed.notify_all()
                    break
                number = self._asked
            was_whole = self._is_whole
            failed = self._refresh()
            if self._is_whole and not was_whole:
                _settle()
            with self._changed:
                self._done, self._failed = number, failed
                self._changed.notify_all()
        self._forget(self)
        gc.unfreeze()  # what others keep is looked through once more, and what is forgotten here is freed

    @property
    def _is_whole(self) -> bool:
        return self._kept.picture is not None and self._kept.picture.is_whole

    def _refresh(self) -> Exception | None:
        try:
            self._kept.refresh()
        except Exception as error:  # noqa: BLE001 - whoever waits is told, and the next one asks again
            return error
        return None


def _settle() -> None:
    """Have the collector leave alone what a picture holds: it stops every answer for half a second to look there.

    Garbage is few and young here; a row that is replaced goes by itself.
    """
    gc.collect()
    gc.freeze()
