"""Random commands at one controller of two, judged by the reference model: fuzzing in thirty lines of Python.

    python fuzz_one_controller.py [--programs 200] [--fault detached-ns-answers]

Stops at the first broken rule, says which, and writes the scenario file that shows it again.
"""

import argparse
import random
from collections import Counter

import polypath as pp


def run_one(seed: int, faults: list[str], statuses: Counter[str]) -> pp.Lab:
    """A Lab in which one random program has run to its end."""
    dice = random.Random(seed)
    lab = pp.Lab(seed=seed, latitude=dice.choice(["benign", "random"]), faults=faults, name=f"fuzz {seed}")
    subsystem = lab.subsystem()
    nvme0, nvme1 = subsystem.controller(), subsystem.controller()
    spaces = [subsystem.namespace(size="1MiB", detached=dice.random() < 0.3) for _ in range(3)]
    for controller in (nvme0, nvme1):
        controller.admin("identify", cdw10=1)  # CNTLIDs: whom an attachment names
        controller.create_queue_pair(1, depth=16)
    for _ in range(30):
        ns = dice.choice([*(space.nsid for space in spaces), 0, 9, 0xFFFFFFFF])
        controller = dice.choice([nvme0, nvme1])
        match dice.choice(["identify", "attach", "detach", "read", "write", "reset"]):
            case "identify":
                completion = controller.admin("identify", ns, cdw10=dice.choice([0, 1, 2, 3, 0x10, 0x12, 0x13, 0xFF]))
            case "attach":
                completion = controller.attach(ns, dice.sample([nvme0, nvme1], dice.randint(1, 2)))
            case "detach":
                completion = controller.detach(ns, dice.sample([nvme0, nvme1], dice.randint(1, 2)))
            case "reset" if dice.random() < 0.2:
                controller.reset()
                controller.create_queue_pair(1, depth=16)
                continue
            case "read":
                completion = controller.io(1, "read", ns, lba=dice.choice([0, 7, 2047]), blocks=dice.randint(1, 4))
            case _:
                data = dice.randbytes(512)
                completion = controller.io(1, "write", ns, lba=dice.choice([0, 7, 2047]), blocks=1, data=data)
        statuses[completion.name] += 1
    lab.run()
    return lab


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--output", default="finding.yaml")
    options = parser.parse_args()
    statuses: Counter[str] = Counter()
    for seed in range(options.programs):
        lab = run_one(seed, options.fault, statuses)
        verdict = lab.check()
        if not verdict.ok:
            print(f"program {seed}: {next(f for f in verdict.findings if f.scope != 'hazard')}")
            with open(options.output, "w") as file:
                file.write(lab.to_scenario())
            print(f"polypath run {options.output}   shows it again")
            return 1
    print(f"{options.programs} programs, {statuses.total()} commands, no rule broken")
    for name, count in statuses.most_common():
        print(f"{count:>7} {name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
