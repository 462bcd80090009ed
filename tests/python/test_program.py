"""Whatever a script does is a program: written, run by the command, pickled, gone back in."""

import copy
import json
import pickle
import random
from pathlib import Path

import pytest
from conftest import ROOT, make_pair

import polypath as pp

SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


def hashes(lab: pp.Lab) -> tuple[str, str, int]:
    return lab.trace_hash, lab.state_hash, lab.now


def random_script(seed: int, *, host: bool) -> pp.Lab:
    """A Lab in which a bit of everything has happened."""
    dice = random.Random(seed)
    lab, c0, c1, ns, first = make_pair(host=host, seed=seed, latitude=dice.choice(["benign", "random", "adversarial"]))
    hosts = [first] if first else []
    pending: list[pp.Request] = []
    for _ in range(dice.randint(5, 25)):
        controller = dice.choice([c0, c1])
        match dice.randint(0, 9):
            case 0:
                controller.admin("identify", dice.choice([0, 1, 9]), cdw10=dice.choice([0, 1, 2]))
            case 1:
                controller.detach(ns, [dice.choice([c0, c1])])
            case 2:
                controller.attach(ns, [dice.choice([c0, c1])])
            case 3 if hosts:
                pending.append(hosts[0].write(ns, lba=dice.randint(0, 99), data=dice.randbytes(700)))
            case 4 if hosts:
                pending.append(hosts[0].workload(ns, rate=2000, duration="3ms", depth=2))
            case 5 if pending:
                lab.run_until(pending.pop())
            case 6:
                controller.read_register(dice.choice([0, 8, 0x14, 0x1C]))
            case 7:
                lab.run()
            case 8 if not hosts:
                hosts.append(lab.host(policy="round-robin"))
            case 9 if hosts:
                lab.step("read", host=hosts[0], ns=ns, lba=3, actor=dice.choice(["other", "third"]))
            case _:
                lab.advance(dice.choice(["1us", "50us", "3ms", "7ns", "2s"]))
    return lab


@pytest.mark.parametrize("host", [False, True])
def test_a_pickled_lab_is_its_program_run_again(host: bool) -> None:
    for seed in range(40):
        lab = random_script(seed, host=host)
        again = pickle.loads(pickle.dumps(lab))
        assert hashes(again) == hashes(lab), seed
        # And the two go on alike.
        for one in (lab, again):
            one.advance("10us")
            one.controllers[0].read_register(0)
            one.run()
        assert hashes(again) == hashes(lab), seed
        assert again.to_scenario() == lab.to_scenario()


def test_a_scenario_text_is_the_whole_lab() -> None:
    for seed in range(40):
        lab = random_script(seed, host=True)
        again = pp.Lab.from_scenario(text=lab.to_scenario())
        lab.run()
        again.run()
        assert hashes(again) == hashes(lab), seed
        assert again.check() == lab.check()


def test_the_command_gives_the_same_hashes(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lab = random_script(5, host=True)
    lab.run()
    path = tmp_path / "script.yaml"
    path.write_text(lab.to_scenario())
    done = json.loads(command("run", path, "--no-store", "--json").stdout)
    assert (done["trace_hash"], done["state_hash"], done["virtual_ns"]) == hashes(lab)
    assert done["verdict"] == lab.check().verdict


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_file_runs_as_the_command_runs_it(command, path: Path) -> None:  # type: ignore[no-untyped-def]
    lab = pp.Lab.from_scenario(path)
    assert lab.run()
    done = json.loads(command("run", path, "--no-store", "--json").stdout)
    assert (done["trace_hash"], done["state_hash"], done["virtual_ns"]) == hashes(lab)
    assert done["verdict"] == lab.check().verdict


def test_seed_profile_latitude_and_faults_are_those_of_the_command(command, tmp_path: Path) -> None:  # type: ignore
    path = ROOT / "scenarios/failover.yaml"
    lab = pp.Lab.from_scenario(path, seed=3, latitude="adversarial", faults=["event-missing"])
    lab.run()
    options = ("--seed", "3", "--latitude", "adversarial", "--fault", "event-missing", "--no-store", "--json")
    done = json.loads(command("run", path, *options).stdout)
    assert (done["trace_hash"], done["state_hash"], done["virtual_ns"]) == hashes(lab)
    assert [f["rule"] for f in done["findings"]] == [f.rule for f in lab.check().findings]


def test_a_scenario_cut_in_the_middle_goes_on_as_if_nothing_had_been() -> None:
    whole, cut = (pp.Lab.from_scenario(ROOT / "scenarios/detach_under_io.yaml") for _ in range(2))
    whole.run()
    stops = 0
    while not cut.run(limit="3ms"):
        stops += 1
        with pytest.raises(pp.Error, match="finish it with run"):
            pickle.dumps(cut)
    assert stops > 5 and cut.trace_hash == whole.trace_hash
    assert pickle.loads(pickle.dumps(cut)).trace_hash == whole.trace_hash


def test_a_script_goes_on_after_a_scenario() -> None:
    lab = pp.Lab.from_scenario(ROOT / "scenarios/raw_driver.yaml", seed=9)
    lab.run()
    nvme2 = lab["nvme2"]
    assert isinstance(nvme2, pp.Controller)
    assert nvme2.admin("identify", 0, cdw10=1).ok
    again = copy.deepcopy(lab)
    assert hashes(again) == hashes(lab) and again.seed == 9
    assert lab.check().ok


def test_restore_goes_back_and_another_future_follows() -> None:
    lab, c0, c1, ns, host = make_pair(seed=4)
    assert host is not None
    lab.run_until(host.write(ns, data=b"before"))
    moment, then = lab.snapshot(), hashes(lab)
    after = host.write(ns, data=b"after!")
    lab.run_until(after)
    later = lab.snapshot()
    first = hashes(lab)
    assert c1.create_namespace("1MiB") in lab.namespaces
    lab.restore(moment)
    assert hashes(lab) == then and lab.namespaces == [ns]
    with pytest.raises(pp.Error, match="undone"):
        _ = after.done
    read = host.read(ns)
    lab.run_until(read)
    assert read.data[:6] == b"before"
    with pytest.raises(pp.Error, match="void"):
        lab.restore(later)
    lab.restore(moment)
    lab.run_until(host.write(ns, data=b"after!"))
    assert hashes(lab) == first
    assert hashes(pickle.loads(pickle.dumps(lab))) == first
    assert c0.admin("identify", cdw10=1).ok and c1.raw is False


def test_a_snapshot_of_another_lab_is_refused() -> None:
    one, other = make_pair().lab, make_pair().lab
    one.advance(1)
    other.advance(1)
    own = other.snapshot()
    with pytest.raises(pp.Error, match="another Lab's"):
        other.restore(one.snapshot())
    other.restore(own)
    late = other.host(paths=[])
    with pytest.raises(pp.Error, match="a host was added"):
        other.restore(own)
    assert late in other.hosts


def test_actors_run_beside_the_script() -> None:
    lab, _, _, ns, host = make_pair()
    beside = [lab.step("write", host=host, ns=ns, lba=lba, tag="A", actor="writer") for lba in range(3)]
    assert not beside[2].done
    lab.run_until(*beside)
    assert beside[2].done
    lab.step("wait", duration="1ms", label="pause")
    lab.step("read", host=host, ns=ns, lba=2, equals="A", after="pause", actor="reader")
    with pytest.raises(pp.InputError, match="no label"):
        lab.step("read", host=host, ns=ns, after="nowhere")
    lab.run()
    assert lab.check().ok and lab.trace[-1].kind == "app_complete"


def test_an_operand_may_be_the_kth_of_what_there_is() -> None:
    lab, c0, _, ns, host = make_pair()
    assert c0.create_namespace("1MiB").nsid == 2
    lab.step("attach", via={"live": 1}, ns={"live": 1}, controllers=[{"live": 0}, "nvme1"])
    lab.step("expect", list={"nvme0": [ns, "ns_created0"], "nvme1": ["ns1", "ns_created0"]})
    lab.step("expect", heads={"ns1": [c0, "nvme1"]})
    assert lab.check().ok
    lab.step("expect", list={"nvme0": []})
    assert [finding.rule for finding in lab.check().findings] == ["EXPECT"]
    assert "via: {live: 1}" in lab.to_scenario()
    with pytest.raises(pp.InputError, match="live"):
        lab.step("read", host=host, ns={"dead": 1})


def test_the_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    runs = []
    for seed in (1, 1, 2):
        lab, _, _, ns, host = make_pair(seed=seed, latitude="random")
        assert host is not None
        lab.run_until(host.workload(ns, rate=3000, duration="10ms"))
        runs.append(lab.trace_hash)
    assert runs[0] == runs[1] != runs[2]


def test_limits_stop_a_run_and_leave_the_lab_usable() -> None:
    lab, _, _, ns, host = make_pair()
    assert host is not None
    load = host.workload(ns, rate=1000, duration="10s")
    assert lab.run(limit="5ms") is False
    with pytest.raises(pp.TimeLimitError):
        lab.run_until(load, timeout="5ms")
    assert 5 <= load.completed <= 12
    assert host.read(ns).done is False
    assert hashes(pickle.loads(pickle.dumps(lab))) == hashes(lab)
    small, c0, _, _, _ = make_pair(max_events=200)
    with pytest.raises(pp.Error, match="max_events"):
        for _ in range(100):
            c0.admin("identify", 0, cdw10=1)
    assert len(small.trace) > 200
