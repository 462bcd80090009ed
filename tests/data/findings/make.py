"""Long random programs in which one planted fault each is noticed: what `polypath minimize` is measured on.

make.py POLYPATH DIRECTORY   writes DIRECTORY/FAULT.yaml for ten faults; the same on every machine
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

FAULTS = ["detached-ns-answers", "event-on-wrong-controller", "stale-read-on-other-path", "reset-hits-peer",
          "write-zeroes-short", "event-repeats-masked", "delete-event-missing", "write-last-block-lost",
          "reset-restores-attachment", "log-read-clears-peer"]
STEPS = 60

HEAD = """name: {fault} in random program {number}
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=shared,subsys=subsys0
  - nvme,id=nvme1,serial=shared,subsys=subsys0
  - nvme,id=nvme2,serial=shared,subsys=subsys0
  - nvme,id=nvme3,serial=shared,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0
  - nvme-ns,id=ns2,nsid=2,size=1MiB,subsys=subsys0
  - nvme-ns,id=ns3,nsid=3,size=1MiB,subsys=subsys0,detached=on
hosts:
  - {{id: host0, policy: round-robin, paths: [nvme0, nvme1, nvme2]}}
  - {{id: host1, paths: [nvme3]}}
seed: {number}
faults: [{fault}]
steps:
"""


def step(choose):
    host, driver = choose.choice(["host0", "host1"]), choose.choice(["nvme0", "nvme1", "nvme2", "nvme3"])
    ns, target = choose.choice(["ns1", "ns2", "ns3"]), choose.choice(["nvme0", "nvme1", "nvme2", "nvme3"])
    lba, blocks = 8 * choose.randrange(4), choose.choice([1, 2, 8])
    where = f"host: {host}, ns: {ns}, lba: {lba}, blocks: {blocks}"
    kind = choose.choice(["write", "write", "read", "read", "write_zeroes", "compare", "flush", "attach", "attach",
                          "detach", "detach", "create", "delete", "reset", "rescan", "wait"])
    free = f"latitude: {choose.randrange(1, 4)}, " if choose.random() < 0.4 else ""
    beside = "nowait: true, " if choose.random() < 0.3 else ""
    text = {
        "write": f"write: {{{where}, tag: {choose.choice('ABCDEF')}}}",
        "read": f"read: {{{where}}}",
        "write_zeroes": f"write_zeroes: {{{where}}}",
        "compare": f"compare: {{{where}, equals: {choose.choice('ABCDEF')}}}",
        "flush": f"flush: {{host: {host}, ns: {ns}}}",
        "attach": f"attach: {{via: {driver}, ns: {ns}, controllers: [{target}]}}",
        "detach": f"detach: {{via: {driver}, ns: {ns}, controllers: [{target}]}}",
        "create": f"create: {{via: {driver}, size: 1MiB, shared: true}}",
        "delete": f"delete: {{via: {driver}, ns: {choose.choice([3, 4, 5])}}}",
        "reset": f"reset: {{controller: {driver}}}",
        "rescan": f"rescan: {{controller: {driver}}}",
        "wait": f"wait: {{duration: {choose.choice([1, 5])}ms}}",
    }[kind]
    return f"  - {{{free}{beside}{text}}}\n"


def without_fault(path, fault):
    return path.read_text().replace(f"faults: [{fault}]\n", "")


def breaks_a_rule(polypath, program):
    """`program`: a path, or the text of one."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "program.yaml"
        path.write_text(program if isinstance(program, str) else program.read_text())
        done = subprocess.run([polypath, "run", "--no-store", "--json", path], capture_output=True, text=True,
                              check=False)
    if done.returncode != 1:
        return False
    return any(f["scope"] in ("standard", "host") for f in json.loads(done.stdout)["findings"])


def main(polypath, directory):
    for fault in FAULTS:
        for number in range(1, 400):
            choose = random.Random(number)
            path = Path(directory) / f"{fault}.yaml"
            path.write_text(HEAD.format(fault=fault, number=number) + "".join(step(choose) for _ in range(STEPS)))
            if breaks_a_rule(polypath, path) and not breaks_a_rule(polypath, without_fault(path, fault)):
                print(path, "program", number)
                break
        else:
            sys.exit(f"{fault}: no program shows it")


if __name__ == "__main__":
    main(*sys.argv[1:])
