"""Applications on hosts: I/O, errors, paths, policies, changing hands."""

from collections import Counter

import pytest
from conftest import make_pair

import polypath as pp


def test_io_returns_at_once_and_ends_with_time() -> None:
    lab, _, _, ns, host = make_pair()
    assert host is not None
    io = host.write(ns, lba=0, data=b"x" * 4096)
    assert not io.done and not io.ok
    with pytest.raises(pp.Error, match="not ended yet"):
        _ = io.data
    lab.run_until(io)
    assert io.done and io.ok and (io.error, io.status) == (0, 0)
    read = host.read(ns, lba=0, blocks=9)
    read.wait()
    assert read.data == b"x" * 4096 + bytes(512)
    many = [host.read(ns, lba=lba) for lba in range(50)]
    lab.run_until(*many)
    assert all(one.ok for one in many)


def test_short_data_ends_with_zeros_up_to_the_block() -> None:
    lab, _, _, ns, host = make_pair()
    assert host is not None
    lab.run_until(host.write(ns, data=b"..."))
    read = host.read(ns)
    lab.run_until(read)
    assert read.data == b"..." + bytes(509)


def test_every_kind_of_request() -> None:
    lab, _, _, ns, host = make_pair()
    assert host is not None
    steps = [
        host.write(ns, lba=0, blocks=4, tag="A"),
        host.flush(ns),
        host.write_zeroes(ns, lba=8, blocks=8),
    ]
    lab.run_until(*steps)
    same = host.compare(ns, 8, bytes(512))
    other = host.compare(ns, 8, b"y" * 512)
    tagged = host.read(ns, lba=0, blocks=4, equals="A")
    lab.run_until(same, other, tagged)
    assert (same.error, other.error) == (0, 61)
    assert lab.check().ok
    wrong = host.read(ns, lba=0, blocks=4, equals="B")
    lab.run_until(wrong)
    verdict = lab.check()
    assert [finding.rule for finding in verdict.findings] == ["EXPECT"] and not verdict


def test_an_application_sees_an_errno() -> None:
    lab, _, _, ns, host = make_pair()
    assert host is not None
    past_the_end = host.read(ns, lba=1 << 40)
    no_disk = host.read(9)
    lab.run_until(past_the_end, no_disk)
    assert past_the_end.error != 0 and no_disk.error == 6


def test_policies_choose_paths() -> None:
    counts = {}
    for policy in ("numa", "round-robin"):
        lab, c0, c1, ns, host = make_pair()
        assert host is not None
        host.set_policy(policy)
        lab.run_until(*[host.read(ns, lba=lba) for lba in range(20)])
        paths = Counter(e.controller for e in lab.trace if e.kind == "submitted" and e.queue > 0)
        counts[policy] = sorted(paths.values())
    assert counts == {"numa": [20], "round-robin": [10, 10]}


def test_a_load_runs_beside_the_script() -> None:
    lab, c0, _, ns, host = make_pair()
    assert host is not None
    load = host.workload(ns, rate=1000, duration="20ms", read_percent=0)
    lab.advance("10ms")
    halfway = load.completed
    c0.reset()
    lab.run_until(load)
    assert 5 <= halfway < load.completed == 20 and load.errors == 0
    assert lab.check().ok


def test_admin_commands_on_a_hosts_controller_go_through_its_driver() -> None:
    lab, c0, _, _, _ = make_pair()
    assert not c0.raw
    assert c0.admin("identify", 0, cdw10=1).ok
    c0.take()
    assert c0.raw
    c0.enable()
    assert c0.admin("identify", 0, cdw10=1).ok
    c0.give()
    assert not c0.raw and c0.reset() == 0
    assert c0.shutdown() == 0
    assert lab.check().ok


def test_a_host_may_come_after_raw_commands() -> None:
    pair = make_pair(host=False)
    seen = pair.c0.admin("identify", 0, cdw10=1).data
    assert pair.c1.detach(pair.ns, [pair.c0]).ok
    before = pair.lab.now
    host = pair.lab.host(policy="round-robin")
    assert host.paths == [pair.c0, pair.c1] and pair.lab.now > before
    lab = pair.lab
    lab.run_until(*[host.write(pair.ns, data=b"z" * 512) for _ in range(4)])
    paths = {e.controller for e in lab.trace if e.kind == "submitted" and e.queue > 0}
    assert paths == {"nvme1"}  # the namespace is detached from the other one still
    assert pair.c0.admin("identify", 0, cdw10=1).data[:64] == seen[:64]
    assert lab.check().ok
    again = pp.Lab.from_scenario(text=lab.to_scenario())
    again.run()
    lab.run()
    assert (again.trace_hash, again.state_hash) == (lab.trace_hash, lab.state_hash)


def test_the_tables_of_nvme_list() -> None:
    lab, _, _, _, host = make_pair()
    assert host is not None
    lab.run()
    assert "nvme0n1" in host.list_text() and "nvme0, nvme1" in host.list_text()
