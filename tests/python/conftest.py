"""Tests of the package `polypath`, one for each promise of docs/python.md."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import polypath as pp

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]


class Pair(NamedTuple):
    """Two controllers of one subsystem, a shared namespace, and a host with both as paths unless it is None."""

    lab: pp.Lab
    c0: pp.Controller
    c1: pp.Controller
    ns: pp.Namespace
    host: pp.Host | None


def make_pair(*, host: bool = True, **arguments: object) -> Pair:
    lab = pp.Lab(**arguments)  # type: ignore[arg-type]
    subsystem = lab.subsystem("subsys0")
    c0, c1 = subsystem.controller(), subsystem.controller()
    ns = subsystem.namespace(nsid=1, size="64MiB")
    return Pair(lab, c0, c1, ns, lab.host(policy="round-robin") if host else None)


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the `polypath` command of this build."""
    path = os.environ.get("POLYPATH_COMMAND", str(ROOT / "build/release/polypath"))

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, timeout=120)

    return run
