"""Raw access: any command, any register, any queue."""

import pickle

import pytest
from conftest import make_pair

import polypath as pp


def test_any_admin_command_and_what_its_entry_says() -> None:
    pair = make_pair(host=False)
    identify = pair.c0.admin(opcode=0x06, nsid=0, cdw10=0x01)
    assert (identify.sct, identify.sc, identify.dnr, identify.ok) == (0, 0, False, True)
    assert isinstance(identify.data, bytes) and len(identify.data) == 4096
    wrong = pair.c0.admin(opcode=0x06, nsid=0, cdw10=0xFF)
    assert (wrong.name, wrong.sct, wrong.sc, wrong.dnr, wrong.ok) == ("invalid_field", 0, 2, True, False)
    assert pair.c0.admin(0xC3).name == "invalid_opcode"
    features = pair.c0.admin("get_features", cdw10=7)
    assert features.ok and features.result == 63 << 16 | 63  # as many queue pairs as the controller has
    assert pair.lab.check().ok


def test_registers_are_what_the_controller_shows() -> None:
    pair = make_pair(host=False)
    assert pair.c0.read_register(0x00, 8) & 0xFFFF == 2047  # CAP.MQES
    assert pair.c0.read_register(0x08) >> 16 >= 1  # VS
    assert pair.c0.read_register(0x1C) & 1 == 0
    pair.c0.enable(depth=16)
    assert pair.c0.read_register(0x24) == 15 << 16 | 15  # AQA
    assert pair.c0.read_register(0x1C) & 1 == 1
    pair.c0.write_register(0x14, 0)
    pair.lab.advance("100ms")
    assert pair.c0.read_register(0x1C) & 1 == 0
    assert pair.lab.check().ok


def test_queues_commands_and_data_of_a_raw_driver() -> None:
    pair = make_pair(host=False)
    assert pair.c0.create_queue_pair(1, depth=8).ok
    payload = bytes(range(256)) * 16
    assert pair.c0.io(1, "write", pair.ns, lba=8, blocks=8, data=payload).ok
    read = pair.c0.io(1, opcode=0x02, nsid=1, cdw10=8, cdw12=7)
    assert read.data == payload
    pair.c1.create_queue_pair(2)
    assert pair.c1.io(2, "read", pair.ns, lba=8, blocks=8).data == payload  # visible through the other controller
    assert pair.c0.io(1, "write", pair.ns, lba=0, blocks=1, data=bytes(512)).data == b""  # nothing came back
    assert pair.c0.io(1, "read", 5, lba=0, blocks=1).name == "invalid_field"
    assert pair.c0.delete_queue_pair(1).ok
    with pytest.raises(pp.InputError, match="no queue 1"):
        pair.c0.io(1, "read", pair.ns)
    assert pair.lab.check().ok


def test_submit_does_not_wait_and_advance_lets_time_pass() -> None:
    pair = make_pair(host=False)
    pair.c0.create_queue_pair(1)
    before = pair.lab.now
    commands = [pair.c0.submit("read", pair.ns, qid=1, lba=lba, blocks=1) for lba in range(4)]
    assert pair.lab.now == before and not any(command.done for command in commands)
    with pytest.raises(pp.Error, match="not ended yet"):
        _ = commands[0].completion
    pair.lab.advance("1ns")
    assert not commands[0].done
    pair.lab.advance("1ms")
    assert pair.lab.now == before + 1_000_001
    assert all(command.completion.ok for command in commands)
    own = pair.c0.submit("identify", cdw10=1, cid=0x1234)
    own.wait()
    assert own.completion.ok
    assert any("cid 4660" in event.text for event in pair.lab.trace)


def test_a_full_queue_is_refused_and_the_program_does_not_know_of_it() -> None:
    pair = make_pair(host=False)
    pair.c0.create_queue_pair(1, depth=4)
    pair.c0.mask_vector(1)
    for _ in range(3):
        pair.c0.submit("flush", pair.ns, qid=1)
    steps = pair.lab.to_scenario()
    with pytest.raises(pp.InputError, match="queue 1 of nvme0 is full"):
        pair.c0.submit("flush", pair.ns, qid=1)
    assert pair.lab.to_scenario() == steps
    pair.lab.advance("1ms")
    assert pair.c0.submit("flush", pair.ns, qid=1).done is False  # entries were taken to make room
    pair.lab.run()
    assert pickle.loads(pickle.dumps(pair.lab)).state_hash == pair.lab.state_hash


def test_doorbells_masks_and_reaping() -> None:
    pair = make_pair(host=False)
    pair.c0.create_queue_pair(1, vector=1)
    pair.c0.mask_vector(1)
    command = pair.c0.submit("flush", pair.ns, qid=1)
    pair.lab.advance("10ms")
    assert not command.done  # no interrupt, no look
    pair.c0.reap()
    assert command.completion.ok
    pair.c0.mask_vector(1, False)
    assert pair.lab.check().ok
    pair.c0.ring_doorbell(7, 3)  # a queue that does not exist
    assert any("sq_doorbell" in event.kind and event.queue == 7 for event in pair.lab.trace)


def test_an_event_request_waits_as_long_as_it_must() -> None:
    pair = make_pair(host=False)
    request = pair.c0.submit("async_event_request")
    pair.lab.advance("10ms")
    assert not request.done
    assert pair.c1.detach(pair.ns, [pair.c0]).ok
    pair.lab.advance("10ms")
    log = pair.c0.admin("get_log_page", cdw10=0x3FF << 16 | 4)
    assert log.data[:4] == (1).to_bytes(4, "little")  # the changed namespace list
    assert pair.lab.check().ok


def test_a_command_that_nothing_completes_is_an_error_and_not_a_hang() -> None:
    pair = make_pair(host=False)
    request = pair.c0.submit("async_event_request")
    with pytest.raises(pp.Error, match="never have an outcome"):
        pair.lab.run_until(request)
    pair.c0.disable()
    assert request.completion.lost and not request.completion.ok
    assert request.completion.name == "lost"


def test_reset_and_shutdown_of_a_raw_controller() -> None:
    pair = make_pair(host=False)
    pair.c0.create_queue_pair(1)
    assert pair.c0.reset() == 0
    assert pair.c0.admin("identify", cdw10=1).ok
    assert pair.c0.shutdown() == 0
    assert pair.c0.read_register(0x1C) >> 2 & 3 == 2
    assert pair.lab.check().ok


def test_an_explicit_disable_is_not_undone_behind_the_scripts_back() -> None:
    pair = make_pair(host=False)
    pair.c0.enable()
    pair.c0.disable()
    with pytest.raises(pp.InputError, match="enable"):
        pair.c0.admin("identify", cdw10=1)


def test_attachment_and_namespaces_through_a_controller() -> None:
    pair = make_pair(host=False)
    assert pair.c1.detach(pair.ns, [pair.c0]).ok
    again = pair.c1.detach(pair.ns, [pair.c0])
    assert (again.name, again.sct, again.sc) == ("namespace_not_attached", 1, 0x1A)
    made = pair.c0.create_namespace("8MiB")
    assert made.nsid == 2 and made in pair.lab.namespaces
    assert pair.c0.attach(made, [pair.c0, pair.c1]).ok
    assert pair.c1.admin("identify", made, cdw10=0).data[:8] == (16384).to_bytes(8, "little")
    assert pair.c0.delete_namespace(made).ok
    with pytest.raises(pp.CommandError, match="namespace_insufficient_capacity") as caught:
        pair.c0.create_namespace(1 << 59)
    assert caught.value.completion.sc == 0x15
    assert pair.lab.check().ok


def test_data_for_a_command_that_moves_none_by_the_table_still_goes_out() -> None:
    pair = make_pair(host=False)
    pair.c0.admin(0xC3, data=b"x" * 600)
    pair.c0.admin("identify", data=b"x" * 600, cdw10=1)
    assert pair.lab.to_scenario().count("length: 600") == 1  # Identify has a length of its own
