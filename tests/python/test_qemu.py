"""Labs on QEMU's device. Skipped where there is no QEMU."""

import copy
import os
import pickle
import re
import shutil
import signal
import threading
from pathlib import Path

import pytest
from conftest import ROOT, make_pair

import polypath as pp

QEMU = os.environ.get("POLYPATH_QEMU", "qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not here (install qemu-system-x86)")


def emulators() -> set[int]:
    """Processes that this one has started and that still run."""
    children = " ".join(file.read_text() for file in Path("/proc/self/task").glob("*/children"))
    return {int(pid) for pid in children.split()}


@needs_qemu
def test_a_raw_driver_works_as_on_the_simulator() -> None:
    answers = []
    for target in ("sim", "qemu"):
        pair = make_pair(host=False, target=target)
        for c in (pair.c0, pair.c1):
            assert c.admin("identify", cdw10=1).data[4:11] == b"subsys0"  # the serial number
            assert c.create_queue_pair(1, depth=8).ok
        payload = bytes(range(256)) * 16
        assert pair.c0.io(1, "write", pair.ns, lba=8, blocks=8, data=payload).ok
        assert pair.c1.io(1, "read", pair.ns, lba=8, blocks=8).data == payload  # through the other controller
        done = [pair.c1.detach(pair.ns, [pair.c0]), pair.c1.detach(pair.ns, [pair.c0])]
        done += [pair.c0.io(1, "read", pair.ns, lba=8, blocks=1), pair.c1.attach(pair.ns, [pair.c0])]
        done += [pair.c0.io(1, "read", pair.ns, lba=8, blocks=1), pair.c0.admin(0xC3)]
        answers.append([(one.name, one.dnr) for one in done])
        assert pair.c0.read_register(0x1C) & 1 == 1
        pair.c0.reset()
        assert pair.c0.read_register(0x1C) & 1 == 1
        pair.lab.run()
        assert pair.lab.check().ok
    assert answers[0] == answers[1]
    assert answers[0][1:3] == [("namespace_not_attached", True), ("invalid_field", True)]


@needs_qemu
def test_a_host_reaches_it_and_loses_a_path() -> None:
    pair = make_pair(target="qemu")
    assert pair.host is not None
    assert pair.lab.target.startswith("qemu ")
    write = pair.host.write(pair.ns, lba=0, data=b"hello, multipath")
    pair.lab.run_until(write)
    assert pair.c1.detach(pair.ns, [pair.c0]).ok
    read = pair.host.read(pair.ns, lba=0)
    pair.lab.run_until(read)
    assert (read.error, read.data[:16]) == (0, b"hello, multipath")
    pair.lab.run()
    assert "nvme0n1" in pair.host.list_text()
    # The log of effects does not know what QEMU announces: docs/findings/qemu-7.2.md.
    assert {finding.rule for finding in pair.lab.check().findings} == {"INV-LOG-01"}


@needs_qemu
def test_the_script_of_the_document_prints_what_stands_there(capsys: pytest.CaptureFixture[str]) -> None:
    section = (ROOT / "docs/python.md").read_text().split("## QEMU's device\n")[1]
    script = section.split("```python\n")[1].split("```")[0]
    shown = section.split("It prints\n\n")[1].split("\n\n")[0]
    exec(compile(script, "docs/python.md", "exec"), {})
    printed = re.sub(r"^qemu \S+", "qemu 7.2.22", capsys.readouterr().out)
    assert printed.splitlines() == [line.strip() for line in shown.splitlines()]


@needs_qemu
def test_a_copy_begins_anew_on_an_emulator_of_its_own() -> None:
    pair = make_pair(host=False, target="qemu")
    assert pair.c1.detach(pair.ns, [pair.c0]).ok
    for twin in (pickle.loads(pickle.dumps(pair.lab)), copy.copy(pair.lab)):
        assert twin.target == pair.lab.target
        assert twin.trace_hash == pair.lab.trace_hash
        assert twin.controllers[1].attach("ns1", ["nvme0"]).ok
    assert pair.c1.attach(pair.ns, [pair.c0]).ok  # the twins' attachments were not this one's


@needs_qemu
def test_what_only_the_simulator_has_is_refused() -> None:
    pair = make_pair(host=False, target="qemu")
    assert pair.c0.admin("identify", cdw10=1).ok
    steps = pair.lab.to_scenario()
    with pytest.raises(pp.InputError, match="an emulator cannot go back"):
        pair.lab.snapshot()
    with pytest.raises(pp.InputError, match="only the simulated device has"):
        pair.lab.set_fault("stale-read-on-other-path")
    with pytest.raises(pp.InputError, match="ask the controller instead"):
        pair.lab.step("expect", list={"nvme0": ["ns1"]})
    assert pair.lab.to_scenario() == steps
    odd = pp.Lab(target="qemu")
    controller = odd.controller(cntlid=9)
    with pytest.raises(pp.InputError, match="cntlid=9: QEMU 7.2 does not know this"):
        controller.admin("identify", cdw10=1)


@needs_qemu
def test_the_end_of_an_emulator_is_told_and_is_a_finding(tmp_path: Path) -> None:
    before = emulators()
    pair = make_pair(host=False, target="qemu")
    assert pair.c0.admin("identify", cdw10=1).ok
    (emulator,) = emulators() - before
    os.kill(emulator, signal.SIGTERM)
    for _ in range(2):
        with pytest.raises(pp.TargetError, match=r"^qemu \S+ ended: exit status 0"):
            pair.c0.admin("identify", cdw10=1)
    verdict = pair.lab.check()
    assert not verdict.ok and [finding.rule for finding in verdict.findings] == ["MACHINE"]
    assert pair.lab.save(tmp_path / "run.db") == 1


@needs_qemu
def test_a_lab_outlives_the_thread_that_began_it_and_its_emulator_ends_with_it() -> None:
    before = emulators()
    lab = pp.Lab(target="qemu")
    controller = lab.controller()
    thread = threading.Thread(target=controller.admin, args=("identify",), kwargs={"cdw10": 1})
    thread.start()
    thread.join()
    assert controller.admin("identify", cdw10=1).ok
    assert len(emulators() - before) == 1
    del lab, controller, thread
    assert emulators() - before == set()


def test_without_an_emulator_the_text_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYPATH_QEMU", "/no/such/emulator")
    with pytest.raises(pp.InputError, match="/no/such/emulator cannot be run; install qemu-system-x86"):
        make_pair(host=False, target="qemu").c0.admin("identify", cdw10=1)
