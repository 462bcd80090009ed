"""The Lab."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from . import _core
from ._devices import Controller, Namespace, NamespaceLike, Size, Subsystem, Time, ns_operand, word
from ._errors import Error, InputError
from ._host import Host
from ._results import Command, Request, Verdict, verdict_of
from ._trace import Trace

_LATITUDES = {"benign": 0, "random": 1, "adversarial": 2}


def _latitude(value: str | int) -> int:
    if isinstance(value, str) and value in _LATITUDES:
        return _LATITUDES[value]
    if isinstance(value, int) and 0 <= value <= 255:
        return value
    raise InputError(
        f"Lab(latitude=): is {value!r}; give 'benign', 'random', 'adversarial' or 0 to 255", "Lab(latitude=)"
    )


class Snapshot:
    """A moment of a Lab to which `lab.restore` goes back."""

    __slots__ = ("_core", "_created_ns", "_lab")

    def __init__(self, lab: Lab, core: _core.Snapshot, created: dict[str, tuple[int, int]]) -> None:
        self._lab = weakref.ref(lab)
        self._core = core
        self._created_ns = created


class Lab:
    """A deterministic laboratory: subsystems, hosts, virtual time, and a reference model that judges what happened.

    Declare devices and hosts, then act. Whatever is done becomes a step of a program (`to_scenario`); a Lab is that
    program and its seed: pickled, it runs again with equal hashes. A Lab belongs to one thread at a time, and lets
    other threads run while it works.

    `seed`: answers every decision that is left open. `profile`: kind of controller ("spec", "qemu-2021" ...); left out,
    "spec", or "qemu-2021" when controllers of one subsystem have serials of their own. `latitude`: how freely open
    choices are made: "benign", "random", "adversarial" or 0 to 255. `faults`: planted faults that are on from the start
    (`polypath mutants list`). `max_events`: how many events the trace may hold (about 100 bytes each).

    `target`: "sim", the simulated device, or "qemu", QEMU's NVMe device without a guest (Debian's qemu-system-x86, or
    the program that POLYPATH_QEMU names; docs/qemu.md). An emulator of its own starts with the first step and ends with
    the Lab; TargetError says how when it ends before. On it there are no snapshots and no planted faults, and hashes of
    two runs are equal as far as the device does things in the same order.
    """

    __slots__ = ("__weakref__", "_core", "_created_ns", "_next", "_subsystem_of", "_used")

    _created_ns: dict[str, tuple[int, int]]  # name to NSID and block size
    _used: set[str]  # names of devices and hosts
    _next: dict[str, int]  # the number to try next after each stem
    _subsystem_of: dict[str, str]  # by controller

    def __init__(
        self,
        seed: int = 0,
        profile: str | None = None,
        latitude: str | int = "benign",
        *,
        name: str = "lab",
        faults: Iterable[str] = (),
        max_events: int = 8_000_000,
        target: str = "sim",
    ) -> None:
        _check_target(target)
        if max_events < 1:
            raise InputError(f"Lab(max_events=): is {max_events}; give at least 1", "Lab(max_events=)")
        self._core = _core.Lab(
            _seed(seed), profile or "", name, _latitude(latitude), _faults(faults), max_events, target
        )
        self._created_ns, self._used, self._next, self._subsystem_of = {}, set(), {}, {}

    @classmethod
    def _of(cls, core: _core.Lab, created: dict[str, tuple[int, int]] | None = None) -> Lab:
        lab = cls.__new__(cls)
        lab._core = core
        lab._created_ns = created or {}
        lab._next = {}
        topology: dict[str, list[Any]] = core.topology()
        lab._used = {row[0] for rows in topology.values() for row in rows} | {row[0] for row in core.hosts()}
        lab._subsystem_of = {row[0]: row[2] for row in topology["controllers"]}
        return lab

    @classmethod
    def from_scenario(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        text: str | None = None,
        seed: int | None = None,
        profile: str | None = None,
        latitude: str | int = "benign",
        faults: Iterable[str] = (),
        max_events: int = 8_000_000,
        target: str = "sim",
    ) -> Lab:
        """A Lab of a scenario file, or of its text. `run()` does its steps; whatever the script does comes after them.

        `seed` and `profile` replace the file's; `latitude`, `faults` and `target` are those of `polypath run`.
        """
        _check_target(target)
        if (path is None) == (text is None):
            raise InputError("from_scenario(path=): give a path or text=, one of them", "from_scenario(path=)")
        core = _core.Lab.load(
            text or "",
            "" if path is None else os.fspath(path),
            profile or "",
            None if seed is None else _seed(seed),
            _latitude(latitude),
            _faults(faults),
            max_events,
            target,
        )
        return cls._of(core)

    # --- declaring

    def subsystem(self, id: str | None = None, **properties: object) -> Subsystem:
        """Adds an NVM subsystem, before the first step. Properties are those of QEMU's nvme-subsys (`nqn=`)."""
        name = id or self._fresh_name("subsys")
        self._core.add_device(word("nvme-subsys", {"id": name, **properties}), f"subsystem(id={name!r})")
        self._used.add(name)
        return Subsystem(self, name)

    def controller(self, serial: str | None = None, *, id: str | None = None, **properties: object) -> Controller:
        """Adds a controller that stands alone, in a subsystem of its own. See Subsystem.controller."""
        return self._add_controller(None, serial or "polypath", id, properties)

    def namespace(
        self,
        nsid: int | None = None,
        size: Size | None = None,
        *,
        private_to: Controller,
        id: str | None = None,
        block_size: int | None = None,
        **properties: object,
    ) -> Namespace:
        """Adds a namespace that one controller alone can have. See Subsystem.namespace."""
        return self._add_namespace(None, nsid, size, private_to, False, id, block_size, properties)

    def host(
        self,
        policy: str = "numa",
        paths: Sequence[Controller | str] | None = None,
        *,
        id: str | None = None,
        queues: int = 1,
        queue_depth: int = 64,
        io_timeout: Time = "30s",
    ) -> Host:
        """Adds a host that reaches the controllers `paths`, probed in this order (left out: all that no host has).

        `policy`: "numa" or "round-robin". `queues`, `queue_depth`: I/O queue pairs per controller and their entries.
        `io_timeout`: when the host gives a command up. Once something has run, the host takes the controllers over
        from the raw drivers that have had them so far: it resets each and sets it up.
        """
        if policy not in ("numa", "round-robin"):
            raise InputError(f"host(policy=): is {policy!r}; give 'numa' or 'round-robin'", "host(policy=)")
        taken = {path for _, _, used in self._core.hosts() for path in used}
        names = (
            [c.id for c in self.controllers if c.id not in taken]
            if paths is None
            else [p.id if isinstance(p, Controller) else p for p in paths]
        )
        name = id or self._fresh_name("host")
        for argument, value, most in (("queues", queues, 64), ("queue_depth", queue_depth, 65535)):
            least = 2 if argument == "queue_depth" else 1
            if not least <= value <= most:
                raise InputError(f"host({argument}=): is {value}; give {least} to {most}", f"host({argument}=)")
        started = self._core.started
        self._core.add_host(name, policy, names, queues, queue_depth, io_timeout)
        self._used.add(name)
        if started:
            for path in names:
                Controller(self, path).give()
        return Host(self, name)

    def _add_controller(
        self, subsystem: str | None, serial: str, id: str | None, properties: dict[str, object]
    ) -> Controller:
        name = id or self._fresh_name("nvme")
        device = word("nvme", {"id": name, "serial": serial, "subsys": subsystem, **properties})
        self._core.add_device(device, f"controller(id={name!r})")
        self._used.add(name)
        self._subsystem_of[name] = subsystem or name
        return Controller(self, name)

    def _add_namespace(
        self,
        subsystem: str | None,
        nsid: int | None,
        size: Size | None,
        private_to: Controller | None,
        detached: bool,
        id: str | None,
        block_size: int | None,
        properties: dict[str, object],
    ) -> Namespace:
        place = "namespace(size=)"
        name = id or (f"ns{nsid}" if nsid and f"ns{nsid}" not in self._used else self._fresh_name("ns", 1))
        if private_to is not None and subsystem is not None and private_to.subsystem != subsystem:
            raise InputError(
                f"namespace(private_to=): {private_to.id} is no controller of {subsystem}; give one of its own",
                "namespace(private_to=)",
            )
        device = word(
            "nvme-ns",
            {
                "id": name,
                "nsid": nsid,
                "size": None if size is None else _core.size_bytes(size, place),
                "bus": private_to.id if private_to else None,
                "subsys": None if private_to else subsystem,
                "detached": detached or None,
                "logical_block_size": block_size,
                **properties,
            },
        )
        self._core.add_device(device, f"namespace(id={name!r})")
        self._used.add(name)
        return Namespace(self, name)

    def _fresh_name(self, stem: str, first: int = 0) -> str:
        number = self._next.get(stem, first)
        while f"{stem}{number}" in self._used:
            number += 1
        self._next[stem] = number
        return f"{stem}{number}"

    def _created(self, name: str, nsid: int, block_size: int) -> Namespace:
        self._created_ns[name] = (nsid, block_size)
        self._used.add(name)
        return Namespace(self, name)

    def _namespace_facts(self, name: str) -> tuple[int, int]:
        if name in self._created_ns:
            return self._created_ns[name]
        rows: list[Any] = self._core.topology()["namespaces"]
        for row in rows:
            if row[0] == name:
                return row[2], row[4]
        raise InputError(f"namespace {name!r}: there is none of this name; a restore() may have undone it", "namespace")

    # --- what there is

    @property
    def subsystems(self) -> list[Subsystem]:
        """Subsystems, those of controllers that stand alone included."""
        return [Subsystem(self, str(row[0])) for row in self._core.topology()["subsystems"]]

    @property
    def controllers(self) -> list[Controller]:
        """Controllers, in order of declaration."""
        return [Controller(self, str(row[0])) for row in self._core.topology()["controllers"]]

    @property
    def namespaces(self) -> list[Namespace]:
        """Namespaces of the topology, then those that the script has created (deleted ones too)."""
        declared = [str(row[0]) for row in self._core.topology()["namespaces"]]
        return [Namespace(self, name) for name in (*declared, *self._created_ns)]

    @property
    def hosts(self) -> list[Host]:
        """Hosts, in order of declaration."""
        return [Host(self, id) for id, _, _ in self._core.hosts()]

    def __getitem__(self, id: str) -> Subsystem | Controller | Namespace | Host:
        """A device or host by its id: lab["nvme0"]."""
        named: list[Subsystem | Controller | Namespace | Host] = [*self.controllers, *self.namespaces, *self.hosts]
        for one in (*named, *self.subsystems):
            if one.id == id:
                return one
        raise KeyError(id)

    @property
    def now(self) -> int:
        """Virtual time in nanoseconds."""
        return self._core.now

    @property
    def seed(self) -> int:
        """The seed."""
        return self._core.settings[0]

    @property
    def profile(self) -> str:
        """Kind of controller."""
        return self._core.profile

    @property
    def target(self) -> str:
        """What the Lab runs on: "simulator", "qemu 7.2.22". Starts it."""
        return self._core.target

    # --- doing

    def _step(
        self,
        kind: str,
        operands: dict[str, object],
        *,
        timeout: Time | None = None,
        nowait: bool | None = None,
        as_: str = "",
    ) -> int:
        return self._core.step(kind, operands, "", "", "", as_, None, nowait, 0, timeout)

    def step(
        self,
        kind: str,
        *,
        actor: str = "",
        label: str = "",
        after: str = "",
        as_: str = "",
        at: Time | None = None,
        nowait: bool | None = None,
        latitude: str | int = 0,
        timeout: Time | None = "60s",
        **operands: object,
    ) -> Command:
        """Any step of a scenario file, with its operands by name: lab.step("expect", heads={"ns1": ["nvme0"]}).

        Kinds, operands, `label`, `after`, `at`, `as`, `nowait` and `latitude` are those of docs/scenario-format.md.
        Steps of another `actor` run beside the script, one after the other; steps of the script itself wait for their
        outcome unless `nowait`.
        """
        plain = {key: _operand(value) for key, value in operands.items()}
        level = 0 if latitude == 0 else _latitude(latitude)
        index = self._core.step(kind, plain, actor, label, after, as_, at, nowait, level, timeout)
        return Command(self, index)

    def run(self, for_: Time | None = None, *, limit: Time = "1h") -> bool:
        """Lets virtual time pass: `for_` ("10s" or ns); without it, until everything asked for has ended and the world
        has come to rest (one second later), which is where `polypath run` ends. False when `limit` passed before."""
        if for_ is None:
            return self._core.run_to_end(limit)
        self._step("wait", {"duration": for_})
        return True

    def advance(self, duration: Time) -> None:
        """Lets exactly this much virtual time pass: "1us", or nanoseconds."""
        self._step("wait", {"duration": duration})

    def run_until(self, *requests: Request, timeout: Time | None = None) -> None:
        """Lets time pass until every one of these has ended. TimeLimitError when `timeout` passes before, Error when
        nothing is pending that could end it."""
        for request in requests:
            if not isinstance(request, Request):
                kind = type(request).__name__
                raise InputError(f"run_until(): {kind} is no request; give one, or *requests", "run_until(request)")
            if request._lab is not self:
                raise InputError("run_until(): this request belongs to another Lab", "run_until(request)")
            self._core.run_until(request._index, timeout)

    def set_fault(self, fault: str, enabled: bool = True) -> None:
        """Switches a planted fault on or off (`polypath mutants list`)."""
        self._step("fault", {"fault": fault, "enabled": enabled})

    # --- judging and keeping

    def check(self) -> Verdict:
        """Judges everything that has happened so far by the reference model (docs/model.md).

        After `run()` without a time, what has not happened by then never will, and the model holds that against it.
        """
        return verdict_of(self._core.judge())

    @property
    def trace(self) -> Trace:
        """What an observer between hosts and controllers has seen."""
        return Trace(self)

    @property
    def trace_hash(self) -> str:
        """Hash of the trace so far, 16 hex digits, as `polypath run --json` gives it."""
        return f"{self._core.trace_hash:016x}"

    @property
    def state_hash(self) -> str:
        """Hash of the whole state of the world, 16 hex digits."""
        return f"{self._core.state_hash:016x}"

    def save(self, db: str | os.PathLike[str] = "polypath.db") -> int:
        """Keeps the run, its trace and its findings in a store; returns its number for `polypath trace show`."""
        return self._core.save(os.fspath(db))

    def to_scenario(self) -> str:
        """Everything the script did, as the text of a scenario file. `polypath run` of it gives the same trace."""
        return self._core.scenario()

    # --- going back, copying

    def snapshot(self) -> Snapshot:
        """This moment, to which `restore` goes back. Costs a copy of the world's tables. On the simulator only:
        InputError on target "qemu"."""
        return Snapshot(self, self._core.snapshot(), dict(self._created_ns))

    def restore(self, snapshot: Snapshot) -> None:
        """Back to a snapshot of this Lab; what was done since has not happened, later snapshots are void."""
        if snapshot._lab() is not self:
            raise Error("this snapshot is another Lab's; a Lab goes back to its own moments only")
        self._core.restore(snapshot._core)
        self._used -= self._created_ns.keys() - snapshot._created_ns.keys()
        self._created_ns = dict(snapshot._created_ns)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (*self._core.state(), self._created_ns))

    def __copy__(self) -> Lab:
        return _restored(*self._core.state(), dict(self._created_ns))

    def __deepcopy__(self, memo: object) -> Lab:
        return self.__copy__()

    def __repr__(self) -> str:
        return f"<Lab seed {self.seed}, {len(self.controllers)} controllers, {self._core.steps} steps, {self.now} ns>"


def _restored(
    program: bytes,
    settings: tuple[int, str, str, int, list[str], int, str],
    position: int,
    created: dict[str, tuple[int, int]],
) -> Lab:
    return Lab._of(_core.Lab.restored(program, settings, position), created)


def _operand(value: object) -> object:
    if isinstance(value, Controller | Namespace | Host):
        return value.id
    if isinstance(value, list | tuple):
        return [_operand(element) for element in value]
    if isinstance(value, dict):
        return {_operand(key): _operand(element) for key, element in value.items()}
    return value


def _seed(seed: int) -> int:
    if not isinstance(seed, int) or not 0 <= seed < 1 << 64:
        raise InputError(f"Lab(seed=): is {seed!r}; give an int from 0 to 2**64 - 1", "Lab(seed=)")
    return seed


def _faults(faults: Iterable[str]) -> list[str]:
    if isinstance(faults, str):
        raise InputError("Lab(faults=): is one str; give a list of ids", "Lab(faults=)")
    return list(faults)


def _check_target(target: str) -> None:
    if target not in ("sim", "qemu"):
        raise InputError(f"Lab(target=): is {target!r}; give 'sim' or 'qemu'", "Lab(target=)")


__all__ = ["Lab", "NamespaceLike", "Snapshot", "ns_operand"]
