"""Polypath: a deterministic laboratory for NVMe multipath. `Lab` is where everything begins; see docs/python.md."""

from ._devices import Controller, Namespace, Subsystem
from ._errors import CommandError, Error, InputError, InternalError, TargetError, TimeLimitError
from ._host import Host
from ._lab import Lab, Snapshot
from ._results import Command, Completion, Finding, Io, Request, RuleCount, Verdict, Workload
from ._trace import Event, Trace

__version__ = "0.1.0"

__all__ = [
    "Command",
    "CommandError",
    "Completion",
    "Controller",
    "Error",
    "Event",
    "Finding",
    "Host",
    "InputError",
    "InternalError",
    "Io",
    "Lab",
    "Namespace",
    "Request",
    "RuleCount",
    "Snapshot",
    "Subsystem",
    "TargetError",
    "TimeLimitError",
    "Trace",
    "Verdict",
    "Workload",
]
