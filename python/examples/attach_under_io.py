"""A namespace is attached to and detached from one controller while a load runs on it: what did the load notice?

Prints a row for each phase: through which controllers requests went, and how many failed.
"""

from collections import Counter

import polypath as pp


def main() -> int:
    lab = pp.Lab(seed=7, name="attach and detach under I/O")
    subsystem = lab.subsystem("subsys0")
    nvme0, nvme1, nvme2 = (subsystem.controller() for _ in range(3))
    ns = subsystem.namespace(nsid=1, size="64MiB")
    host = lab.host(policy="round-robin", paths=[nvme0, nvme1, nvme2])

    load = host.workload(ns, rate=5000, duration="60ms", depth=8, length=8192)
    print(f"{'phase':<28} {'virtual time':>12}  " + "  ".join(f"{c.id:>6}" for c in lab.controllers) + "  failed")
    seen, failed = 0, 0

    def phase(what: str) -> None:
        nonlocal seen, failed
        lab.advance("10ms")
        events = lab.trace[seen:]
        seen, errors, failed = len(lab.trace), load.errors - failed, load.errors
        paths = Counter(e.controller for e in events if e.kind == "submitted" and e.queue > 0)
        row = "  ".join(f"{paths[c.id]:>6}" for c in lab.controllers)
        print(f"{what:<28} {lab.now / 1e6:>9.3f} ms  {row}  {errors:>6}")

    phase("all three attached")
    for controller in (nvme0, nvme1):
        completion = nvme2.detach(ns, [controller])
        assert completion.ok, completion
        phase(f"detached from {controller.id}")
    for controller in (nvme0, nvme1):
        completion = nvme2.attach(ns, [controller])
        assert completion.ok, completion
        phase(f"attached to {controller.id}")

    lab.run()
    verdict = lab.check()
    print(f"{load.completed} requests, {load.errors} failed; verdict {verdict.verdict}; trace {lab.trace_hash}")
    for hazard in verdict.findings:
        print(f"{hazard.rule}: {hazard.summary}")
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
