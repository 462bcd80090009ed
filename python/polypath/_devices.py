"""Subsystems, controllers and namespaces: handles by name. What they do becomes steps of the Lab's program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from . import _core
from ._errors import CommandError, Error, InputError
from ._results import Command, Completion

if TYPE_CHECKING:
    from typing import Any

    import numpy.typing as npt
    from typing_extensions import Buffer

    from ._lab import Lab

Size: TypeAlias = "int | str"  # bytes, or "128MiB"
Time: TypeAlias = "int | str"  # virtual nanoseconds, or "5ms"
BytesLike: TypeAlias = "Buffer | npt.NDArray[Any]"  # whatever gives its bytes
NamespaceLike: TypeAlias = "Namespace | int | str"

#: How long a call waits for a completion entry unless it says otherwise.
COMMAND_TIMEOUT = "60s"


def word(driver: str, properties: dict[str, object]) -> str:
    """A device in QEMU's -device words; None is left out, True and False are on and off, a comma is doubled.

    QEMU writes some properties with - where Python has to write _.
    """
    known = _core.properties(driver)
    parts = [driver]
    for key, value in properties.items():
        if value is None:
            continue
        text = ("on" if value else "off") if isinstance(value, bool) else str(value)
        dashed = key.replace("_", "-")
        parts.append(f"{dashed if dashed in known else key}={text.replace(',', ',,')}")
    return ",".join(parts)


class _Named:
    __slots__ = ("_lab", "id")

    id: str  #: its name in the topology

    def __init__(self, lab: Lab, id: str) -> None:
        self._lab = lab
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and self._who() == other._who()

    def _who(self) -> tuple[type, int, str]:
        return type(self), id(self._lab), self.id

    def __hash__(self) -> int:
        return hash(self._who())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


class Namespace(_Named):
    """A namespace of a subsystem."""

    __slots__ = ("_facts",)

    def __init__(self, lab: Lab, id: str) -> None:
        super().__init__(lab, id)
        self._facts: tuple[int, int] | None = None

    def _known(self) -> tuple[int, int]:
        if self._facts is None:
            self._facts = self._lab._namespace_facts(self.id)
        return self._facts

    @property
    def nsid(self) -> int:
        """Namespace identifier."""
        return self._known()[0]

    @property
    def block_size(self) -> int:
        """Bytes of a logical block."""
        return self._known()[1]


def ns_operand(ns: NamespaceLike) -> str | int:
    """A namespace as an operand: by name where it has one."""
    return ns.id if isinstance(ns, Namespace) else ns


class Subsystem(_Named):
    """An NVM subsystem: its controllers share its namespaces."""

    __slots__ = ()

    def controller(self, serial: str | None = None, *, id: str | None = None, **properties: object) -> Controller:
        """Adds a controller, before the first step.

        `serial`: up to 20 printable characters; the subsystem's id when left out. Later QEMU wants one serial for all
        controllers of a subsystem; where they differ, a Lab without a profile takes profile "qemu-2021". Other
        properties are those of QEMU's nvme device (docs/topology.md), with _ for -: `max_ioqpairs=8`, `cntlid=5`.
        """
        return self._lab._add_controller(self.id, self.id if serial is None else serial, id, properties)

    def namespace(
        self,
        nsid: int | None = None,
        size: Size | None = None,
        *,
        private_to: Controller | None = None,
        detached: bool = False,
        id: str | None = None,
        block_size: int | None = None,
        **properties: object,
    ) -> Namespace:
        """Adds a namespace, before the first step: shared and attached to all controllers, unless told otherwise.

        `size`: bytes or "128MiB". `private_to`: this controller alone can have it. `detached`: attached to none at the
        start. Other properties are those of QEMU's nvme-ns device: `uuid=`, `eui64=`, `drive=`.
        """
        return self._lab._add_namespace(self.id, nsid, size, private_to, detached, id, block_size, properties)

    @property
    def controllers(self) -> list[Controller]:
        """Its controllers, in order of declaration."""
        return [c for c in self._lab.controllers if c.subsystem == self.id]

    @property
    def nqn(self) -> str:
        """Its NQN."""
        return next(str(row[1]) for row in self._lab._core.topology()["subsystems"] if row[0] == self.id)


class Controller(_Named):
    """A controller, with raw access to its registers and queues.

    A controller belongs to a host's driver (`lab.host(paths=...)`) or to a raw driver. Raw admin commands on a host's
    controller go through that driver, as passthrough does; registers are reachable always. A raw driver enables the
    controller by itself before its first admin command, unless `enable` or another raw step came before.
    """

    __slots__ = ()

    def _fact(self, column: int) -> object:
        return next(row[column] for row in self._lab._core.topology()["controllers"] if row[0] == self.id)

    @property
    def serial(self) -> str:
        """Serial number."""
        return str(self._fact(1))

    @property
    def subsystem(self) -> str:
        """Id of its subsystem."""
        return self._lab._subsystem_of[self.id]

    @property
    def cntlid(self) -> int:
        """Controller identifier, as controller lists name it."""
        return int(str(self._fact(3)))

    @property
    def raw(self) -> bool:
        """A raw driver has it, not a host's."""
        return self._lab._core.raw(self.id)

    # --- any command

    def _completion(self, index: int) -> Completion:
        return Command(self._lab, index).completion

    def _ready(self) -> None:
        if self._lab._core.wants_enable(self.id):
            self.enable()

    def _step(self, kind: str, operands: dict[str, object], timeout: Time | None = COMMAND_TIMEOUT) -> int:
        operands["controller"] = self.id
        return self._lab._step(kind, operands, timeout=timeout)

    def admin(
        self,
        opcode: int | str,
        nsid: NamespaceLike | None = None,
        *,
        cdw2: int | None = None,
        cdw3: int | None = None,
        cdw10: int | None = None,
        cdw11: int | None = None,
        cdw12: int | None = None,
        cdw13: int | None = None,
        cdw14: int | None = None,
        cdw15: int | None = None,
        data: BytesLike | None = None,
        data_len: int | None = None,
        flags: int | None = None,
        prp1: int | None = None,
        prp2: int | None = None,
        cid: int | None = None,
        timeout: Time = COMMAND_TIMEOUT,
    ) -> Completion:
        """Sends any admin command and waits for its completion entry.

        `opcode`: a number, or a name of `polypath commands` ("identify"). `data`: bytes to send. `data_len`: bytes of
        the buffer; left out: what the command moves by the standard, else the length of `data`. `prp1`, `prp2`: as
        they are, instead of a buffer. A bad status is no exception: look at `.ok`, `.sct`, `.sc`. TimeLimitError after
        `timeout` of virtual time.
        """
        self._ready()
        index = self._step(
            "admin",
            {
                "opcode": opcode,
                "nsid": None if nsid is None else ns_operand(nsid),
                "cdw2": cdw2,
                "cdw3": cdw3,
                "cdw10": cdw10,
                "cdw11": cdw11,
                "cdw12": cdw12,
                "cdw13": cdw13,
                "cdw14": cdw14,
                "cdw15": cdw15,
                "data": data,
                "length": data_len,
                "flags": flags,
                "prp1": prp1,
                "prp2": prp2,
                "cid": cid,
            },
            timeout,
        )
        return self._completion(index)

    def io(
        self,
        qid: int,
        opcode: int | str,
        nsid: NamespaceLike | None = None,
        *,
        lba: int | None = None,
        blocks: int | None = None,
        cdw2: int | None = None,
        cdw3: int | None = None,
        cdw10: int | None = None,
        cdw11: int | None = None,
        cdw12: int | None = None,
        cdw13: int | None = None,
        cdw14: int | None = None,
        cdw15: int | None = None,
        data: BytesLike | None = None,
        data_len: int | None = None,
        flags: int | None = None,
        prp1: int | None = None,
        prp2: int | None = None,
        cid: int | None = None,
        timeout: Time = COMMAND_TIMEOUT,
    ) -> Completion:
        """Sends any I/O command on queue `qid` of a raw driver and waits for its completion entry.

        `lba` and `blocks` fill CDW10 to CDW12 as reads and writes want them. The rest is as in `admin`.
        """
        index = self._step(
            "io",
            {
                "queue": qid,
                "opcode": opcode,
                "nsid": None if nsid is None else ns_operand(nsid),
                "lba": lba,
                "blocks": blocks,
                "cdw2": cdw2,
                "cdw3": cdw3,
                "cdw10": cdw10,
                "cdw11": cdw11,
                "cdw12": cdw12,
                "cdw13": cdw13,
                "cdw14": cdw14,
                "cdw15": cdw15,
                "data": data,
                "length": data_len,
                "flags": flags,
                "prp1": prp1,
                "prp2": prp2,
                "cid": cid,
            },
            timeout,
        )
        return self._completion(index)

    def submit(
        self,
        opcode: int | str,
        nsid: NamespaceLike | None = None,
        *,
        qid: int = 0,
        lba: int | None = None,
        blocks: int | None = None,
        cdw2: int | None = None,
        cdw3: int | None = None,
        cdw10: int | None = None,
        cdw11: int | None = None,
        cdw12: int | None = None,
        cdw13: int | None = None,
        cdw14: int | None = None,
        cdw15: int | None = None,
        data: BytesLike | None = None,
        data_len: int | None = None,
        flags: int | None = None,
        prp1: int | None = None,
        prp2: int | None = None,
        cid: int | None = None,
    ) -> Command:
        """Puts any command on any queue of a raw driver and does not wait; `lab.advance("1us")` lets time pass."""
        self._ready()
        index = self._step(
            "submit",
            {
                "queue": qid,
                "opcode": opcode,
                "nsid": None if nsid is None else ns_operand(nsid),
                "lba": lba,
                "blocks": blocks,
                "cdw2": cdw2,
                "cdw3": cdw3,
                "cdw10": cdw10,
                "cdw11": cdw11,
                "cdw12": cdw12,
                "cdw13": cdw13,
                "cdw14": cdw14,
                "cdw15": cdw15,
                "data": data,
                "length": data_len,
                "flags": flags,
                "prp1": prp1,
                "prp2": prp2,
                "cid": cid,
            },
        )
        return Command(self._lab, index)

    # --- registers, doorbells, queues

    def read_register(self, offset: int, size: int = 4) -> int:
        """Reads `size` bytes (4 or 8 where the standard allows) at byte `offset` of the controller's registers."""
        dw0, dw1 = self._lab._core.outcome(self._step("register_read", {"offset": offset, "bytes": size}))[4:6]
        return dw0 | dw1 << 32

    def write_register(self, offset: int, value: int, size: int = 4) -> None:
        """Writes `value` to a register. What follows from it takes virtual time: `lab.advance()`."""
        self._step("register_write", {"offset": offset, "value": value, "bytes": size})

    def ring_doorbell(self, qid: int, value: int, *, completion: bool = False) -> None:
        """Writes any value to the tail doorbell of a submission queue, or the head doorbell of a completion queue."""
        self._step("doorbell", {"queue": qid, "value": value, "cq": completion or None})

    def create_queue_pair(self, qid: int = 1, depth: int = 64, *, vector: int | None = None) -> Completion:
        """A raw driver creates an I/O completion queue and a submission queue on it, `depth` entries each."""
        self._ready()
        return self._completion(self._step("create_queue_pair", {"queue": qid, "depth": depth, "vector": vector}))

    def delete_queue_pair(self, qid: int = 1) -> Completion:
        """A raw driver deletes a submission queue and its completion queue."""
        return self._completion(self._step("delete_queue_pair", {"queue": qid}))

    def mask_vector(self, vector: int, masked: bool = True) -> None:
        """Masks or unmasks an interrupt vector."""
        self._step("mask_vector", {"vector": vector, "masked": masked})

    def reap(self) -> None:
        """A raw driver takes the completion entries that are there, without an interrupt."""
        self._step("reap", {})

    # --- life of a controller

    def enable(self, depth: int = 32) -> None:
        """A raw driver sets AQA, ASQ, ACQ (`depth` entries each) and CC.EN, and waits for CSTS.RDY.

        Error when it does not come, or CSTS.CFS does.
        """
        csts = self._lab._core.outcome(self._step("enable", {"depth": depth}))[4]
        if csts & 3 != 1:
            raise Error(f"{self.id} did not become ready: CSTS reads {csts:#x}; look at what was written to it before")

    def disable(self) -> None:
        """A raw driver clears CC.EN and waits for CSTS.RDY = 0. Commands in flight are lost."""
        self._step("disable", {})

    def reset(self) -> int:
        """Resets the controller and sets it up again: by its host's driver, else `disable` and `enable`.

        Returns the errno that the host's driver ends with, 0 for success.
        """
        if self.raw:
            self.disable()
            self.enable()
            return 0
        return self._lab._core.outcome(self._step("reset", {}))[3]

    def shutdown(self, *, abrupt: bool = False) -> int:
        """Shuts the controller down: by its host's driver (the path is gone then), else by CC.SHN.

        Returns the errno that the host's driver ends with, 0 for success.
        """
        if not self.raw:
            return self._lab._core.outcome(self._step("shutdown", {"abrupt": abrupt or None}))[3]
        configuration = self.read_register(0x14) & ~0xC000
        self.write_register(0x14, configuration | (0x8000 if abrupt else 0x4000))
        for _ in range(60_000):
            if self.read_register(0x1C) >> 2 & 3 == 2:  # CSTS.SHST: shutdown complete
                return 0
            self._lab.advance("1ms")
        raise Error(f"{self.id} does not complete its shutdown: CSTS.SHST is not 2 after a minute of virtual time")

    def take(self) -> None:
        """The raw driver takes the controller from its host."""
        self._step("take", {})

    def give(self) -> None:
        """The raw driver gives the controller back to its host, which sets it up again."""
        self._step("give", {})

    def rescan(self) -> None:
        """The host's driver reads the list of namespaces again."""
        self._step("rescan", {})

    # --- attachment and namespaces, through this controller

    def _through(self, kind: str, operands: dict[str, object], as_: str = "") -> int:
        self._ready()
        operands["via"] = self.id
        return self._lab._step(kind, operands, timeout=COMMAND_TIMEOUT, as_=as_)

    def attach(self, ns: NamespaceLike, controllers: Iterable[Controller | str]) -> Completion:
        """Namespace Attachment, attach: this controller processes the command, the named ones get the namespace."""
        operands: dict[str, object] = {"ns": ns_operand(ns), "controllers": _ids(controllers)}
        return self._completion(self._through("attach", operands))

    def detach(self, ns: NamespaceLike, controllers: Iterable[Controller | str]) -> Completion:
        """Namespace Attachment, detach."""
        operands: dict[str, object] = {"ns": ns_operand(ns), "controllers": _ids(controllers)}
        return self._completion(self._through("detach", operands))

    def create_namespace(
        self, size: Size, *, shared: bool = True, block_size: int = 512, id: str | None = None
    ) -> Namespace:
        """Namespace Management, create. The namespace is attached to no controller yet. CommandError when it fails."""
        name = self._lab._fresh_name("ns_created") if id is None else id
        operands: dict[str, object] = {"size": size, "shared": shared, "block_size": block_size}
        made = self._completion(self._through("create", operands, as_=name))
        if not made.ok:
            raise CommandError(f"{self.id} did not create a namespace: {made.name}", made)
        return self._lab._created(name, made.result, block_size)

    def delete_namespace(self, ns: NamespaceLike) -> Completion:
        """Namespace Management, delete."""
        return self._completion(self._through("delete", {"ns": ns_operand(ns)}))


def _ids(controllers: Iterable[Controller | str]) -> list[str]:
    if isinstance(controllers, str | Controller):
        raise InputError("controllers=: is one controller; give a list of them", "controllers=")
    return [c.id if isinstance(c, Controller) else c for c in controllers]
