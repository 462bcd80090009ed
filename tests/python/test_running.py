"""The interpreter lock, Ctrl-C, memory."""

import gc
import os
import pickle
import resource
import signal
import sys
import threading
import time
import weakref

import pytest
from conftest import make_pair

import polypath as pp


def endless() -> tuple[pp.Lab, pp.Workload]:
    """A Lab with hours of work for a processor."""
    lab, _, _, ns, host = make_pair(max_events=1 << 40)
    assert host is not None
    return lab, host.workload(ns, rate=1000, duration="1h", depth=1, blocks=1)


def interrupt_soon() -> threading.Timer:
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


@pytest.mark.parametrize("how", ["run_for", "run", "run_until", "advance"])
def test_ctrl_c_ends_a_long_run_and_leaves_the_lab_usable(how: str) -> None:
    lab, load = endless()
    timer = interrupt_soon()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        match how:
            case "run_for":
                lab.run(for_="1h")
            case "run":
                lab.run()
            case "run_until":
                lab.run_until(load)
            case _:
                lab.advance("1h")
    timer.join()
    assert time.monotonic() - begin < 10
    done = load.completed
    assert done > 0 and lab.now < 3_500_000_000_000
    lab.advance("10ms")
    assert load.completed == done + 10
    assert lab.controllers[0].admin("identify", 0, cdw10=1).ok
    again = pickle.loads(pickle.dumps(lab))
    assert (again.trace_hash, again.state_hash, again.now) == (lab.trace_hash, lab.state_hash, lab.now)


def test_labs_in_two_threads_progress_together() -> None:
    labs = [endless()[0] for _ in range(2)]
    loads = [1, 1]
    both = threading.Barrier(2)
    overlap: list[tuple[float, float]] = []

    def work(lab: pp.Lab) -> None:
        both.wait()
        begin = time.monotonic()
        lab.run(for_="100s")
        overlap.append((begin, time.monotonic()))

    threads = [threading.Thread(target=work, args=(lab,)) for lab in labs]
    for thread in threads:
        thread.start()
    # While they run in C++, Python runs too: this loop would stand still if a Lab kept the interpreter lock.
    turns = 0
    while any(thread.is_alive() for thread in threads):
        turns += 1
        time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert len(overlap) == len(loads) and turns > 20
    assert max(begin for begin, _ in overlap) < min(end for _, end in overlap)
    assert labs[0].trace_hash == labs[1].trace_hash


def test_a_lab_at_work_in_another_thread_is_left_alone() -> None:
    lab, _ = endless()
    begun = threading.Event()

    def work() -> None:
        begun.set()
        lab.run(for_="100s")

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    refused = 0
    while thread.is_alive():
        try:
            _ = lab.now
        except pp.Error as error:
            assert "another thread" in str(error)
            refused += 1
    thread.join()
    assert refused > 0 and lab.now >= 100_000_000_000


def test_a_lab_goes_with_its_last_reference() -> None:
    gc.collect()
    gc.disable()
    try:
        lab, c0, c1, ns, host = make_pair()
        assert host is not None
        io = host.read(ns)
        lab.run_until(io)
        trace, verdict, array = lab.trace, lab.check(), io.array
        gone = weakref.ref(lab)
        del lab, c0, c1, ns, host, trace, io
        assert gone() is None  # at once: nothing points in a circle
        assert verdict.ok and array.sum() == 0  # and what came out of it lives on
    finally:
        gc.enable()


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_nothing_leaks() -> None:
    def use() -> None:
        lab, c0, c1, ns, host = make_pair()
        assert host is not None
        lab.run_until(host.write(ns, data=bytes(65536)), host.read(ns, blocks=64))
        c1.detach(ns, [c0])
        for wrong in (lambda: c0.admin(999), lambda: host.read("nowhere"), lambda: lab.subsystem("subsys0")):
            with pytest.raises(pp.InputError):
                wrong()
        lab.restore(lab.snapshot())
        lab.check()
        list(lab.trace)
        lab.trace.array()
        pickle.loads(pickle.dumps(lab))

    for _ in range(20):
        use()
    gc.collect()
    objects, memory = len(gc.get_objects()), resident_bytes()
    references = sys.getrefcount(None)
    for _ in range(100):
        use()
    gc.collect()
    assert len(gc.get_objects()) - objects < 50
    assert abs(sys.getrefcount(None) - references) < 1000 or sys.version_info >= (3, 12)  # immortal from there on
    assert resident_bytes() - memory < 8 << 20


def test_errors_can_be_pickled() -> None:
    with pytest.raises(pp.InputError) as caught:
        make_pair().c0.admin(256)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.place) == (str(caught.value), caught.value.place)
