"""Declaring devices and hosts; bad words and arguments."""

import time
from collections.abc import Callable

import pytest
from conftest import make_pair

import polypath as pp

Act = Callable[[pp.Lab], object]


def test_names_numbers_and_sizes_in_words_or_integers() -> None:
    lab = pp.Lab(seed=1)
    subsystem = lab.subsystem()
    c0 = subsystem.controller(serial="a,b", max_ioqpairs=4)
    shared = subsystem.namespace(size="128MiB")
    private = subsystem.namespace(nsid=7, size=1 << 20, private_to=c0, block_size=4096)
    detached = subsystem.namespace(size="1MiB", detached=True)
    alone = lab.controller(serial="alone")
    its_own = lab.namespace(size="4MiB", private_to=alone)
    assert [c.id for c in lab.controllers] == ["nvme0", "nvme1"]
    assert [ns.nsid for ns in (shared, private, detached, its_own)] == [1, 7, 2, 1]
    assert (shared.block_size, private.block_size) == (512, 4096)
    assert (c0.serial, c0.cntlid, c0.subsystem) == ("a,b", 0, "subsys0")
    assert subsystem.nqn == "nqn.2019-08.org.qemu:subsys0"
    assert subsystem.controllers == [c0] and lab["nvme0"] == c0 and hash(lab["nvme0"]) == hash(c0)
    size = int.from_bytes(c0.admin("identify", shared, cdw10=0).data[0:8], "little")
    assert size == (128 << 20) // 512
    assert c0.admin("identify", 0, cdw10=2).data[:8] == bytes([1, 0, 0, 0, 7, 0, 0, 0])


def test_serials_of_their_own_choose_the_profile_that_allows_them() -> None:
    lab = pp.Lab()
    subsystem = lab.subsystem()
    subsystem.controller(serial="foo")
    assert lab.profile == "spec"
    subsystem.controller(serial="bar")
    assert lab.profile == "qemu-2021"
    strict = pp.Lab(profile="spec")
    subsystem = strict.subsystem()
    subsystem.controller(serial="foo")
    with pytest.raises(pp.InputError, match="serial"):
        subsystem.controller(serial="bar")
    assert len(strict.controllers) == 1


@pytest.mark.parametrize(
    ("act", "place", "remedy"),
    [
        (lambda lab: lab.controllers[0].admin(256), "admin(opcode=)", "give 0 to 255"),
        (lambda lab: lab.controllers[0].admin("identfy"), "admin(opcode=)", "did you mean 'identify'"),
        (lambda lab: lab.controllers[0].admin(6, cdw10=1 << 32), "admin(cdw10=)", "give 0 to 4294967295"),
        (lambda lab: lab.controllers[0].admin(6, cdw10=-1), "admin(cdw10=)", "is -1; give 0"),
        (lambda lab: lab.controllers[0].admin(6, cdw10=1.5), "admin(cdw10=)", "is float; give an integer"),
        (lambda lab: lab.controllers[0].admin(6, data="text"), "admin(data=)", "is str; give bytes"),
        (lambda lab: lab.controllers[0].read_register(0, 9), "register_read(bytes=)", "give 1 to 8"),
        (lambda lab: lab.advance("5 parsecs"), "wait(duration=)", "give '250ns'"),
        (lambda lab: lab.subsystem("s").namespace(size="big"), "namespace(size=)", "give '128MiB'"),
        (lambda lab: lab.subsystem("s").namespace(size=1, colour="red"), "namespace(id='ns2')", "colour"),
        (lambda lab: lab.subsystem("subsys0"), "subsystem(id='subsys0')", "already used"),
        (lambda lab: lab.host(paths=["nvme9"]), "host(id='host1')", "is no controller"),
        (lambda lab: lab.host(paths=["nvme0"]), "host(id='host1')", "belongs to one host"),
        (lambda lab: lab.host(policy="fastest", paths=[]), "host(policy=)", "'numa' or 'round-robin'"),
        (lambda lab: lab.controllers[0].attach(1, lab.controllers[0]), "controllers=", "a list"),
        (lambda lab: lab.hosts[0].write(1, data=b""), "write(data=)", "at least one byte"),
        (lambda lab: lab.hosts[0].write(1, data=bytes(2 << 20)), "write(data=)", "split it"),
        (lambda lab: lab.hosts[0].read("ns8"), "read", "names no namespace"),
        (lambda lab: lab.controllers[0].io(3, "read", 1), "io", "put `take` before it"),
        (lambda lab: lab.set_fault("no-such-fault"), "fault", "polypath mutants list"),
        (lambda lab: lab.controllers[0].create_namespace(4096, id="nvme1"), "create(as=)", "names a device"),
        (lambda lab: lab.step("dance"), "step(kind=)", "is no step"),
        (lambda lab: lab.step("wait", duration=1, colour="red"), "wait(colour=)", "no such operand"),
        (lambda lab: lab.step("wait"), "wait(duration=)", "is missing"),
        (lambda lab: pp.Lab(latitude="wild"), "Lab(latitude=)", "adversarial"),
        (lambda lab: pp.Lab(seed=-1), "Lab(seed=)", "2**64 - 1"),
        (lambda lab: pp.Lab(max_events=-1), "Lab(max_events=)", "at least 1"),
        (lambda lab: lab.run_until([]), "run_until(request)", "*requests"),
        (lambda lab: lab.run_until(make_pair().lab.hosts[0].read(1)), "run_until(request)", "another Lab"),
        (lambda lab: pp.Lab(target="tcp"), "Lab(target=)", "or 'qemu'"),
        (lambda lab: pp.Lab.from_scenario(text="topology: [disk]"), "scenario:1:12", "unknown device 'disk'"),
        (lambda lab: pp.Lab.from_scenario("no such file.yaml"), "no such file.yaml", "no such file.yaml"),
    ],
)
def test_a_bad_argument_names_itself_and_the_remedy(act: Act, place: str, remedy: str) -> None:
    lab = make_pair().lab
    with pytest.raises(pp.InputError) as caught:
        act(lab)
    assert isinstance(caught.value, pp.Error) and isinstance(caught.value, ValueError)
    assert caught.value.place.startswith(place)
    assert remedy in str(caught.value) and "\n" not in str(caught.value)
    # And it left nothing behind: the Lab works, and its program does not know of it.
    assert lab.controllers[0].admin("identify", 0, cdw10=1).ok
    assert lab.check().ok
    assert lab.to_scenario().count("  - ") == lab.to_scenario().split("steps:")[0].count("  - ") + 1


def test_devices_come_before_the_first_step() -> None:
    pair = make_pair()
    pair.lab.advance(1)
    with pytest.raises(pp.InputError, match="create_namespace"):
        pair.lab.subsystems[0].controller()


def test_a_lab_without_a_controller_says_so() -> None:
    with pytest.raises(pp.InputError, match="no controller"):
        pp.Lab().run()


def test_thousands_of_devices_are_declared_in_no_time() -> None:
    lab = pp.Lab()
    controllers = []
    begin = time.monotonic()
    for _ in range(20):
        subsystem = lab.subsystem()
        controllers += [subsystem.controller() for _ in range(100)]
        for _ in range(200):
            last = subsystem.namespace(size="1MiB", private_to=controllers[-1])
    assert len(controllers[-1].admin("identify", 0, cdw10=2).data.rstrip(b"\0")) == 200 * 4 - 3
    assert last.nsid == 200 and last.id == "ns4000" and controllers[-1].cntlid == 99
    assert time.monotonic() - begin < 10  # a second, and no square of their number
    with pytest.raises(pp.InputError, match="no controller of subsys1"):
        fresh = pp.Lab()
        one, other = fresh.subsystem(), fresh.subsystem()
        other.namespace(size="1MiB", private_to=one.controller())
