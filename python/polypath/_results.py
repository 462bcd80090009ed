"""What comes back: completion entries, requests of applications, verdicts."""

from __future__ import annotations

import errno as _errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _core
from ._errors import Error

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._lab import Lab

_DNR = 0x4000
_MORE = 0x2000


class _Payload:
    """Data that came back: bytes, or a NumPy array over the same memory."""

    __slots__ = ("_bytes", "_raw")

    def __init__(self, raw: _core.Data) -> None:
        self._raw = raw
        self._bytes: bytes | None = None

    @property
    def data(self) -> bytes:
        """The bytes that came back, b"" when none did."""
        if self._bytes is None:
            self._bytes = bytes(memoryview(self._raw)) if len(self._raw) else b""
        return self._bytes

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        """The same bytes as a read-only NumPy array that shares their memory. Needs NumPy."""
        import numpy

        if not len(self._raw):
            return numpy.zeros(0, numpy.uint8)
        return numpy.frombuffer(memoryview(self._raw), numpy.uint8)


class Completion(_Payload):
    """A completion queue entry, with the data of the command.

    Base specification, "Completion Queue Entry": SCT and SC say how the command ended, DNR whether a retry could help.
    """

    __slots__ = ("dw1", "error", "lost", "result", "status")

    status: int  #: 15 bits as Linux prints them: SC 7:0, SCT 10:8, CRD 12:11, M 13, DNR 14
    result: int  #: dword 0
    dw1: int  #: dword 1
    lost: bool  #: no entry came: a reset or a deleted queue took the command
    error: int  #: errno of the host's driver when it could not send the command, else 0

    def __init__(self, status: int, result: int, dw1: int, lost: bool, error: int, raw: _core.Data) -> None:
        super().__init__(raw)
        self.status = status
        self.result = result
        self.dw1 = dw1
        self.lost = lost
        self.error = error

    @property
    def sc(self) -> int:
        """Status Code."""
        return self.status & 0xFF

    @property
    def sct(self) -> int:
        """Status Code Type: 0 generic, 1 command specific, 2 media, 3 path, 7 vendor."""
        return self.status >> 8 & 7

    @property
    def crd(self) -> int:
        """Command Retry Delay."""
        return self.status >> 11 & 3

    @property
    def dnr(self) -> bool:
        """Do Not Retry."""
        return bool(self.status & _DNR)

    @property
    def more(self) -> bool:
        """An entry of the Error Information log says more."""
        return bool(self.status & _MORE)

    @property
    def name(self) -> str:
        """The standard's name of the status in snake case: "success", "invalid_field"."""
        return "lost" if self.lost else _core.status_name(self.status)

    @property
    def ok(self) -> bool:
        """The command succeeded."""
        return not self.lost and self.error == 0 and self.status & 0x7FF == 0

    def __repr__(self) -> str:
        what = f"errno {_errno.errorcode.get(self.error, self.error)}" if self.error else self.name
        dnr = ", dnr" if self.dnr else ""
        return f"<Completion {what} (sct {self.sct:#x}, sc {self.sc:#04x}{dnr}), result {self.result:#x}>"


class Request:
    """Something asked for that need not have ended. `lab.run_until(request)` or `request.wait()` waits for it."""

    __slots__ = ("_index", "_lab", "_raw")

    def __init__(self, lab: Lab, index: int) -> None:
        self._lab = lab
        self._index = index
        self._raw: _core.Data | None = None

    @property
    def step(self) -> int:
        """Id of the step of the program that this is."""
        return self._lab._core.outcome(self._index)[6]

    @property
    def done(self) -> bool:
        """It has ended, one way or the other."""
        return self._lab._core.outcome(self._index)[0]

    def wait(self, timeout: int | str | None = None) -> None:
        """Lets virtual time pass until it has ended; TimeLimitError after `timeout` ("5ms" or ns; None: no limit)."""
        self._lab.run_until(self, timeout=timeout)

    def _data(self) -> _core.Data:
        if not self.done:
            raise Error("this has not ended yet; wait for it with lab.run_until() before reading its outcome")
        if self._raw is None:
            self._raw = self._lab._core.take_data(self._index)
        return self._raw

    def __repr__(self) -> str:
        return f"<{type(self).__name__} step {self.step}, {'done' if self.done else 'in flight'}>"


class Command(Request):
    """A raw command that was submitted without waiting."""

    __slots__ = ()

    @property
    def completion(self) -> Completion:
        """The completion entry; Error while there is none."""
        raw = self._data()
        _, lost, status, error, dw0, dw1, _ = self._lab._core.outcome(self._index)
        return Completion(status, dw0, dw1, lost, error, raw)


class Io(Request):
    """A request of an application to a multipath head."""

    __slots__ = ()

    @property
    def error(self) -> int:
        """errno that the application sees, 0 for success (and while it is in flight)."""
        return self._lab._core.outcome(self._index)[3]

    @property
    def status(self) -> int:
        """NVMe status behind it, 15 bits as Linux prints them; 0 when a command succeeded or none was sent."""
        return self._lab._core.outcome(self._index)[2]

    @property
    def ok(self) -> bool:
        """It has ended without an error."""
        return self.done and self.error == 0

    @property
    def data(self) -> bytes:
        """What was read."""
        return _Payload(self._data()).data

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        """What was read, as a read-only NumPy array without a copy. Needs NumPy."""
        return _Payload(self._data()).array


class Workload(Request):
    """A load of reads and writes that runs beside the script."""

    __slots__ = ()

    @property
    def completed(self) -> int:
        """Requests that have ended so far."""
        return self._lab._core.outcome(self._index)[4]

    @property
    def errors(self) -> int:
        """Those of them that ended with an error."""
        return self._lab._core.outcome(self._index)[5]


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule, or an expectation of a step that did not hold (rule "EXPECT")."""

    rule: str  #: id, as `polypath rules` lists it
    scope: str  #: "standard", "host", "hazard" (lawful, and harmful all the same) or "scenario"
    area: str  #: the part of the specification it comes from
    time_ns: int  #: virtual time
    summary: str  #: one line
    allowed: str  #: what would have been right
    seen: str  #: what came
    controller: str | None
    events: list[tuple[int, str]]  #: numbers and lines of the events that show it

    def __str__(self) -> str:
        lines = [f"{self.rule} ({self.area}) at {self.time_ns} ns: {self.summary}"]
        if self.allowed:
            lines.append(f"  allowed   {self.allowed}")
        if self.seen:
            lines.append(f"  seen      {self.seen}")
        lines += [f"  {number:>7} {text}" for number, text in self.events]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How much a rule had to do."""

    rule: str
    exercised: int  #: times its precondition held
    violations: int
    inconclusive: int  #: times the facts were unknown
    waived: int  #: violations that the profile may have


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reference model says of everything that has happened."""

    verdict: str  #: "pass", "violation", "inconclusive"
    findings: tuple[Finding, ...]
    rules: tuple[RuleCount, ...]

    @property
    def ok(self) -> bool:
        """No rule was broken and every expectation held. Hazards alone do not make a violation."""
        return self.verdict != "violation"

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join([self.verdict, *(str(finding) for finding in self.findings)])


def verdict_of(judged: Any) -> Verdict:
    name, findings, rules = judged
    return Verdict(
        name,
        tuple(Finding(*row) for row in findings),
        tuple(RuleCount(*row) for row in rules),
    )
