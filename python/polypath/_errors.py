"""Exceptions. Everything that goes wrong in this package is a polypath.Error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._results import Completion


class Error(Exception):
    """Something could not be done; the text says what and what to do. The Lab stays usable."""


class InputError(Error, ValueError):
    """A bad argument, word, name or file. `place` says where: "controller(serial=)", "scenario.yaml:12:5"."""

    place: str

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        return (InputError, (str(self), self.place))


class TimeLimitError(Error, TimeoutError):
    """The virtual time that a call may take has passed; what was asked for goes on."""


class TargetError(Error):
    """The emulator that a Lab runs on has ended; the text says how: exit status or signal, and what it wrote on
    standard error. The Lab can still be looked at, judged and saved."""


class CommandError(Error):
    """A command that had to succeed did not. `completion` is what came."""

    completion: Completion

    def __init__(self, message: str, completion: Completion) -> None:
        super().__init__(message)
        self.completion = completion


class InternalError(Error):
    """A mistake of polypath itself. Please report it with the script."""
