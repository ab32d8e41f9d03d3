"""One night: some incidents on one ledger, several workers, two dispatchers, a broker that forgets, and faults."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections import deque
from collections.abc import Callable

from rotator.clock import SteadyClock
from rotator.dispatcher import Dispatcher
from rotator.ledger import timekeeping
from rotator.ledger.database import Database
from rotator.ledger.due import DueWork
from tests.fakes.deployment import WEEK, Deployment, Watched
from tests.fakes.world import START
from tests.soak import steady
from tests.soak.estate import Case, Estate
from tests.soak.faults import NIGHTLY, Faults
from tests.soak.growth import Growth
from tests.soak.people import People
from tests.soak.stage import Actor, Process, Stage, acting
from tests.soak.vendors import Pausing
from tests.soak.watch import Watch
from tests.soak.world import RotatorsView, SoakWorld

WORKERS, THREADS = 3, 2
LONGEST_S = 6 * WEEK
MOST_EVENTS = 60_000
"""A night has some 10,000, the busiest of two hundred 30,500; one with so many goes round in a circle."""
HORIZON_S = 3 * WEEK


class Night:
    """Plays until everything has come to rest, late effects too."""

    def __init__(self, seed: str, database: Database, incidents: range) -> None:
        self.seed, self.stage, self.faults = seed, Stage(), Faults(f"{seed}/faults")
        self.world = SoakWorld(self.stage, self.faults, seed)
        self.estate = Estate(self.world, f"{seed}/estate")
        self.view = RotatorsView(self.world)
        self.deployment = Deployment(self.view, self.estate.outside, database)  # type: ignore[arg-type]
        at_work = self.world, self.estate, self.deployment, self.faults
        dice = (random.Random(f"{seed}/{each}") for each in ("people", "doubts", "growth", "holds", "vendors"))
        self.people = People(*at_work, next(dice), next(dice))
        self.growth = Growth(*at_work, next(dice), next(dice))
        self.pausing = Pausing(*at_work, next(dice))
        ledger = sqlite3.connect(str(database.url.database), check_same_thread=False)
        self.watch = Watch(self.world, self.estate, ledger)
        self._database, self.stuck = database, False
        self.messages: list[str] = []
        self._post: deque[str] = deque()
        self._in_flight: set[int] = set()
        self._numbers = itertools.count()
        self._processes: list[Process] = []
        self._dispatchers: list[tuple[Process, Actor, Dispatcher]] = []
        self._hired, self._busy_people, self._pause_s = 0, len(incidents), 1.0
        for number in incidents:
            self.stage.after(self.faults.die.uniform(0.0, 60.0), self._arrival(number))

    def play(self) -> None:
        """Let the night pass."""
        steady.follow(lambda: self.stage.now)
        self.world.on_trouble = self._trouble
        self.people.stir = self.growth.stir = self.pausing.stir = self._stir
        self.pausing.harm = self.watch.harmed_vendor
        self.growth.told += [self.people.know, self.watch.expect]
        for _ in range(WORKERS):
            self._hire()
        for _ in range(2):
            self._hire_dispatcher()
        self._plan_weather()
        self.pausing.plan()
        self._tick()
        self.stuck = not self.stage.play(until=START + LONGEST_S, events=MOST_EVENTS)
        self.stage.clear()
        steady.follow(None)
        self.watch.close()

    def dismiss(self) -> None:
        """End every thread that still waits for work."""
        for process in self._processes:
            for actor in process.actors:
                if not actor.busy:
                    actor.dismiss()

    def _arrival(self, number: int) -> Callable[[], None]:
        def arrive() -> None:
            case = self.estate.plant(number)
            self.growth.hold_back(case)
            self.people.declare(case)
            self.watch.expect(case, case.stolen)
            self.people.plan_mischief(case)
            self.growth.plan_merge(case)
            self.growth.plan_hold(case)
            self.stage.after(self.faults.die.uniform(0.0, 20.0), lambda: self._approve(case))

        return arrive

    def _approve(self, case: Case) -> None:
        self.people.approve(case)
        self._busy_people -= 1
        self._stir()

    def _plan_weather(self) -> None:
        die, down = self.faults, self.world.down
        for kind, chance in NIGHTLY.items():
            if not die.chance(chance):
                continue
            self.stage.after(die.die.uniform(5.0, 250.0), self._nightly(kind, down))

    def _nightly(self, kind: str, down: dict[str, float]) -> Callable[[], None]:
        def happen() -> None:
            self.faults.count(kind)
            die = self.faults.die
            until = self.stage.now + die.choice([6.0, 30.0, 120.0, 400.0])
            if kind == "issuer down":
                down[die.choice(["aws", "acme", "vault", "hosts"])] = until
            elif kind == "store down":
                down[die.choice(["kv", "kv-2"])] = until
            elif kind == "consumer down":
                down.update(dict.fromkeys(self.estate.outside.consumers, until))
            elif kind == "broker emptied":
                self._post.clear()
                self._in_flight.clear()
            else:
                jump = 3600.0 if kind == "clock jumped ahead" else -3600.0
                self._jump(jump)
                self.stage.after(die.uniform(300.0, 7200.0), lambda: self._jump(-jump))

        return happen

    def _jump(self, seconds: float) -> None:
        self.world.skew += seconds
        self.watch.clock_jumped()

    def _start_clock(self) -> SteadyClock:
        """Begin a process: all of a machine go by the clock that the ledger keeps for it."""
        clock = self.view.begin_process()
        timekeeping.keep(self._database, clock)
        return clock

    def _hire(self) -> None:
        self._start_clock()
        engine = self.deployment.engine()
        process = Process(f"worker-{self.deployment.workers}", engine)
        for _ in range(THREADS):
            Actor(self.stage, process)
        self._processes.append(process)
        self._hand_out()

    def _hire_dispatcher(self) -> None:
        self._hired += 1
        process = Process(f"dispatcher-{self._hired}")
        due = Watched(DueWork(self._database, self._start_clock()), self.view)  # type: ignore[arg-type]
        dispatcher = Dispatcher(due, self._send, process.name)  # type: ignore[arg-type]
        self._processes.append(process)
        self._dispatchers.append((process, Actor(self.stage, process), dispatcher))

    def _trouble(self, actor: Actor) -> None:
        """Replace what died, and what froze, after a while."""
        self._stir()
        if actor.process.name.startswith("dispatcher"):
            if actor.process.dead:
                self._dispatchers = [each for each in self._dispatchers if each[0] is not actor.process]
            if len(self._dispatchers) < 4:
                self.stage.after(self.faults.die.uniform(1.0, 30.0), self._hire_dispatcher)
        elif sum(self._works(each) for each in self._processes) < WORKERS:
            self.stage.after(self.faults.die.uniform(1.0, 10.0), self._hire)

    def _works(self, process: Process) -> bool:
        return process.engine is not None and not process.dead and process.frozen_until <= self.stage.now

    def _tick(self) -> None:
        """Let every dispatcher tick, the more seldom the longer nothing moves; stop when nothing is to come."""
        if self._all_over():
            return
        for _, actor, dispatcher in self._dispatchers:
            if actor.idle:
                actor.begin(self._ticking(dispatcher), _nothing)
        self.stage.after(self._pause_s, self._tick)
        self._pause_s = min(self._pause_s * 1.4, 86400.0)

    def _ticking(self, dispatcher: Dispatcher) -> Callable[[], None]:
        def tick() -> None:
            try:
                dispatcher.tick()
            except Exception as error:  # noqa: BLE001 - as workers/beat.py does: told, and tried again
                self.watch.failed("dispatcher", error)

        return tick

    def _all_over(self) -> bool:
        busy = self._busy_people, self.people.busy, self.growth.busy, self.pausing.busy
        if any(busy) or self._post or self._in_flight:
            return False
        if any(each.busy for each in self._processes):
            return False
        return not self.deployment.due.busy_until(HORIZON_S)

    def _stir(self) -> None:
        """Something moved: the dispatchers look closely again."""
        self._pause_s = 1.0

    def _send(self, branch: str, _lane: str) -> None:
        """Put a message into the broker, which may lose, double or delay it."""
        self._stir()
        self.messages.append(branch)
        fault = self.faults.at_message()
        acting().park(0.0)  # type: ignore[union-attr]
        if fault == "message lost":
            return
        late = self.faults.die.uniform(20.0, 900.0) if fault == "message late" else 0.0
        self._deliver(branch, late)
        if fault == "message doubled":
            self._deliver(branch, self.faults.die.uniform(0.0, 60.0))

    def _deliver(self, branch: str, late_s: float) -> None:
        number = next(self._numbers)
        self._in_flight.add(number)

        def arrive() -> None:
            if number in self._in_flight:
                self._in_flight.remove(number)
                self._post.append(branch)
                self._hand_out()

        self.stage.after(0.005 + late_s, arrive)

    def _hand_out(self) -> None:
        for process in self._processes:
            for actor in process.actors:
                if self._post and actor.idle and process.engine:
                    actor.begin(self._advancing(process, self._post.popleft()), self._hand_out)

    def _advancing(self, process: Process, branch: str) -> Callable[[], None]:
        def advance() -> None:
            self._stir()
            try:
                process.engine.advance(branch)
            except Exception as error:  # noqa: BLE001 - a task that fails; its branch is sent again
                self.watch.failed("worker", error)
            self._stir()

        return advance


def _nothing() -> None:
    """Tell nobody."""
