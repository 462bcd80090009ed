"""What a run leaves behind: the trace, arrays of it, verdicts, the store."""

from pathlib import Path

import numpy
import pandas
import pytest
from conftest import make_pair

import polypath as pp


def test_events_are_a_sequence_that_grows() -> None:
    lab, c0, _, _, _ = make_pair(host=False)
    assert len(lab.trace) == 0
    c0.admin("identify", 0, cdw10=1)
    trace = lab.trace
    events = list(trace)
    assert len(events) == len(trace) > 10 and trace[-1] == events[-1]
    assert [e.index for e in trace[2:5]] == [2, 3, 4]
    assert [e.time_ns for e in events] == sorted(e.time_ns for e in events)
    first = events[0]
    assert (first.kind, first.controller) == ("register_read", "nvme0")
    submitted = next(e for e in events if e.kind == "submitted")
    assert "identify" in str(submitted) and trace.payload(submitted.index)[0] == 0x06
    with pytest.raises(IndexError):
        _ = trace[len(trace)]
    assert trace.text(first=1, count=2).count("\n") == 2
    assert "[" in trace.text(inside=True)


def test_arrays_and_frames_hold_every_event() -> None:
    lab, _, _, ns, host = make_pair()
    assert host is not None
    lab.run_until(host.workload(ns, rate=2000, duration="10ms"))
    rows = lab.trace.array()
    assert rows.dtype.itemsize == 56 and len(rows) == len(lab.trace)
    frame = lab.trace.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == len(lab.trace)
    for event in lab.trace[::50]:
        row = frame.iloc[event.index]
        assert (row.time_ns, row.kind, row.queue, row.c) == (event.time_ns, event.kind, event.queue, event.c)
        assert (None if pandas.isna(row.controller) else row.controller) == event.controller
    by_kind = frame.groupby("kind", observed=True).size()
    assert by_kind["app_submit"] == by_kind["app_complete"] == 20
    assert len(make_pair(host=False).lab.trace.array()) == 0


def test_payloads_come_from_any_buffer_and_go_out_without_a_copy() -> None:
    lab, c0, _, ns, host = make_pair()
    assert host is not None
    pattern = numpy.arange(2048, dtype=numpy.uint32)
    lab.run_until(host.write(ns, lba=0, data=pattern), host.write(ns, lba=100, data=bytearray(b"q" * 512)))
    read = host.read(ns, lba=0, blocks=16)
    lab.run_until(read)
    assert (read.array.view(numpy.uint32) == pattern).all()
    assert read.array.ctypes.data == read.array.ctypes.data and not read.array.flags.owndata
    assert not read.array.flags.writeable
    raw = make_pair(host=False)
    raw.c0.create_queue_pair(1)
    every_other = pattern[::2].astype(numpy.uint16)[::2]  # strides of its own
    assert raw.c0.io(1, "write", raw.ns, lba=1, blocks=2, data=every_other).ok
    assert raw.c0.io(1, "read", raw.ns, lba=1, blocks=2).data == every_other.tobytes()
    identify = c0.admin("identify", 0, cdw10=1)
    assert identify.array.tobytes() == identify.data
    corner = pattern.reshape(32, 64)[:, :32]
    lab.run_until(host.write(ns, lba=4, data=corner))
    again = host.read(ns, lba=4, blocks=8)
    again.wait()
    assert again.data == corner.tobytes()
    assert c0.admin(0xC3, data=memoryview(b"xy")).name == "invalid_opcode"


def test_the_verdict_names_rule_area_time_and_events() -> None:
    lab, c0, c1, ns, _ = make_pair(host=False, faults=["detached-ns-answers"])
    c0.admin("identify", cdw10=1)  # by its CNTLID the model knows whom a detach names
    c0.create_queue_pair(1)
    assert lab.check().ok and lab.check().verdict == "pass"
    c1.detach(ns, [c0])
    c0.io(1, "read", ns, lba=0, blocks=1)
    verdict = lab.check()
    assert not verdict and verdict.verdict == "violation"
    finding = verdict.findings[0]
    assert (finding.rule, finding.scope, finding.controller) == ("INV-NS-10", "standard", "nvme0")
    assert finding.area and finding.summary and finding.allowed and finding.seen
    assert 0 < finding.time_ns <= lab.now
    assert finding.events and all(lab.trace[number].text == text for number, text in finding.events)
    assert "INV-NS-10" in str(verdict)
    counts = {rule.rule: rule for rule in verdict.rules}
    assert counts["INV-NS-10"].violations == 1 and counts["INV-NS-10"].exercised >= 1


def test_a_fault_is_switched_while_the_script_runs() -> None:
    lab, c0, _, _, _ = make_pair(host=False)
    c0.admin("identify", 0, cdw10=1)
    lab.set_fault("phase-not-inverted")
    lab.set_fault("phase-not-inverted", False)
    assert "fault: {fault: phase-not-inverted" in lab.to_scenario()


def test_a_saved_run_is_what_the_command_shows(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lab, _, _, ns, host = make_pair(name="kept by a script")
    assert host is not None
    lab.run_until(host.write(ns, data=b"kept"))
    db = tmp_path / "run.db"
    first, second = lab.save(db), lab.save(str(db))
    assert (first, second) == (1, 2)
    shown = command("trace", "show", "1", "--db", db)
    assert shown.returncode == 0 and lab.trace[-1].text in shown.stdout
    with pytest.raises(pp.InputError) as caught:
        lab.save(tmp_path)
    assert caught.value.place == str(tmp_path)
