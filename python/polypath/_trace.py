"""The trace: what an observer between host and controllers saw, in order of virtual time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from ._lab import Lab

#: Names of the kinds of events by their permanent numbers (docs/traces.md).
KINDS = (
    "none",
    "register_write",
    "register_read",
    "sq_doorbell",
    "cq_doorbell",
    "submitted",
    "fetched",
    "dma",
    "completed",
    "interrupt",
    "vector_mask",
    "async_event",
    "app_submit",
    "app_complete",
    "function",
    "administrator",
)

_COLUMNS = [
    ("time_ns", "<u8"),
    ("latest_ns", "<u8"),
    ("c", "<u8"),
    ("a", "<u4"),
    ("b", "<u4"),
    ("slot", "<u4"),
    ("step", "<u4"),
    ("payload_offset", "<u4"),
    ("payload_bytes", "<u4"),
    ("controller", "<u2"),
    ("queue", "<u2"),
    ("kind", "u1"),
    ("flags", "u1"),
    ("reserved", "<u2"),
]


@dataclass(frozen=True, slots=True)
class Event:
    """One boundary event. What a, b, c and slot mean depends on the kind: docs/traces.md."""

    index: int
    time_ns: int
    kind: str
    controller: str | None
    queue: int
    slot: int
    a: int
    b: int
    c: int
    step: int  #: id of the step that led to it, 0 unknown
    text: str  #: the line that `polypath trace show` prints

    def __str__(self) -> str:
        return self.text


class Trace(Sequence[Event]):
    """Boundary events so far; grows with the Lab."""

    __slots__ = ("_lab",)

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def __len__(self) -> int:
        return self._lab._core.events

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [self._event(i) for i in range(*index.indices(len(self)))]
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"event {index} of {length}")
        return self._event(index % length)

    def __iter__(self) -> Iterator[Event]:
        index = 0
        while index < len(self):
            yield self._event(index)
            index += 1

    def _event(self, index: int) -> Event:
        number, time, kind, controller, queue, slot, a, b, c, step, text = self._lab._core.event(index)
        name = KINDS[kind] if kind < len(KINDS) else str(kind)
        return Event(number, time, name, controller, queue, slot, a, b, c, step, text)

    def payload(self, index: int) -> bytes:
        """Payload of an event (its layout: docs/traces.md)."""
        return self._lab._core.event_payload(index)

    def text(self, *, inside: bool = False, first: int = 0, count: int | None = None) -> str:
        """Lines as `polypath trace show` prints them; `inside`: with the simulator's own annotations."""
        return self._lab._core.trace_text(inside, first, count)

    def array(self) -> npt.NDArray[np.void]:
        """All events as a structured NumPy array (kind and controller as numbers). Needs NumPy."""
        import numpy

        dtype = numpy.dtype(_COLUMNS)
        if not len(self):
            return numpy.zeros(0, dtype)
        return numpy.frombuffer(memoryview(self._lab._core.event_table()), dtype)

    def to_pandas(self) -> pd.DataFrame:
        """All events as a DataFrame, kind and controller by name. Needs pandas."""
        try:
            import numpy
            import pandas
        except ImportError as missing:
            raise ImportError("trace.to_pandas() needs pandas; install polypath[pandas]") from missing
        rows = self.array()
        names = [controller.id for controller in self._lab.controllers]
        kinds = pandas.Categorical.from_codes(rows["kind"].astype(numpy.int8), categories=list(KINDS))
        # 0xFFFF, no controller, is -1 as a signed number: pandas' code for "none".
        controllers = pandas.Categorical.from_codes(rows["controller"].astype(numpy.int16), categories=names)
        columns = {"time_ns": rows["time_ns"], "kind": kinds, "controller": controllers}
        columns |= {name: rows[name] for name in ("queue", "slot", "a", "b", "c", "step", "flags", "payload_bytes")}
        return pandas.DataFrame(columns)
