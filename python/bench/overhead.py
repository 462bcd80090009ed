"""What one call costs, the simulator's own work included: microseconds per call, best of five rounds.

    .venv/bin/python python/bench/overhead.py [--calls 2000]
"""

import argparse
import time
from collections.abc import Callable

import polypath as pp


def microseconds(call: Callable[[], object], calls: int) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls * 1e6


def fresh() -> tuple[pp.Lab, pp.Controller, pp.Namespace, pp.Host]:
    """A Lab with a raw controller that has a queue pair, and one of a host."""
    lab = pp.Lab(seed=1)
    subsystem = lab.subsystem()
    raw, hosted = subsystem.controller(), subsystem.controller()
    ns = subsystem.namespace(size="64MiB")
    host = lab.host(paths=[hosted])
    raw.create_queue_pair(1, depth=64)
    return lab, raw, ns, host


def calls_of(lab: pp.Lab, raw: pp.Controller, ns: pp.Namespace, host: pp.Host) -> dict[str, Callable[[], object]]:
    block = bytes(4096)
    return {
        "read_register (4 bytes)": lambda: raw.read_register(0x1C),
        "advance('1us')": lambda: lab.advance("1us"),
        "admin (Get Features)": lambda: raw.admin(0x0A, cdw10=7),
        "admin (Identify, 4 KiB back)": lambda: raw.admin(0x06, cdw10=1),
        "io (read of 4 KiB)": lambda: raw.io(1, 0x02, ns, lba=8, blocks=8),
        "io (write of 4 KiB)": lambda: raw.io(1, 0x01, ns, lba=8, blocks=8, data=block),
        "host.read of 4 KiB and its end": lambda: lab.run_until(host.read(ns, lba=8, blocks=8)),
        "lab.now": lambda: lab.now,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    calls = parser.parse_args().calls
    best: dict[str, float] = {}
    for _ in range(5):
        devices = fresh()
        for name, call in calls_of(*devices).items():
            best[name] = min(best.get(name, 1e9), microseconds(call, calls))
    for name, value in best.items():
        print(f"{name:<32}{value:>8.1f} us")


if __name__ == "__main__":
    main()
