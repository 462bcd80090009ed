"""Path policies side by side: the same load, seed and topology, and through which controllers it went."""

from collections import Counter

import polypath as pp


def requests_by_controller(policy: str, failing: bool) -> tuple[Counter[str], int]:
    """Commands on I/O queues of each controller; in the middle of a failing run one controller is reset."""
    lab = pp.Lab(seed=3, name=f"policy {policy}")
    subsystem = lab.subsystem()
    controllers = [subsystem.controller() for _ in range(4)]
    ns = subsystem.namespace(size="256MiB")
    host = lab.host(policy=policy, paths=controllers)
    load = host.workload(ns, rate=10_000, duration="100ms", depth=16, blocks=8, read_percent=70)
    if failing:
        lab.advance("50ms")
        controllers[0].reset()
    lab.run_until(load)
    verdict = lab.check()
    assert verdict.ok, verdict
    counts = Counter(e.controller for e in lab.trace if e.kind == "submitted" and e.queue > 0 and e.controller)
    return counts, load.errors


def main() -> None:
    names = [f"nvme{k}" for k in range(4)]
    print(f"{'policy':<14}{'controller reset':<18}" + "".join(f"{name:>8}" for name in names) + f"{'failed':>8}")
    for policy in ("numa", "round-robin"):
        for failing in (False, True):
            counts, errors = requests_by_controller(policy, failing)
            row = "".join(f"{counts[name]:>8}" for name in names)
            print(f"{policy:<14}{'nvme0 at 50 ms' if failing else 'none':<18}{row}{errors:>8}")


if __name__ == "__main__":
    main()
