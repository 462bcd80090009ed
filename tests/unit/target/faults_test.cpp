// Every planted fault is noticed by the rule that its row names: a check is proven by breaking what it
// checks.
#include "device/faults.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "check/judge.h"
#include "scenario/scenario.h"
#include "target/runner.h"

namespace polypath::target {
namespace {

constexpr const char* kTopology = R"(
name: trouble
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme,id=nvme2,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0
  - nvme-ns,id=ns2,nsid=2,size=1MiB,bus=nvme2
  - nvme-ns,id=ns4,nsid=4,size=1MiB,subsys=subsys0,detached=on
)";

// A host under load while namespaces come and go and a controller is reset.
constexpr const char* kHosted = R"(
hosts:
  - {id: host0, policy: round-robin, paths: [nvme0, nvme1, nvme2], queue_depth: 16}
steps:
  - write: {ns: ns1, lba: 0, blocks: 8, tag: A}
  - write: {ns: ns1, lba: 0, blocks: 8, tag: B}
  - read: {ns: ns1, lba: 0, blocks: 8}
  - compare: {ns: ns1, lba: 0, blocks: 8, equals: A}
  - write_zeroes: {ns: ns1, lba: 0, blocks: 4}
  - read: {ns: ns1, lba: 0, blocks: 8}
  - flush: {ns: ns1}
  - workload: {ns: ns1, rate: 4000, duration: 60ms, blocks: 8}
  - attach: {via: nvme0, ns: ns4, controllers: [nvme0]}
  - detach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - wait: 5ms
  - attach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - wait: 5ms
  - workload: {ns: ns1, rate: 200000, duration: 1ms, depth: 32, blocks: 8}
  - wait: 500us
  - reset: {controller: nvme1}
  - detach: {via: nvme1, ns: ns4, controllers: [nvme0]}
  - wait: 5ms
)";

// Two controllers over a namespace with 8 zones of 32 blocks, 24 of them to be written, 4 active and 2 open
// at most.
constexpr const char* kZonedTopology =
    R"(
name: trouble
profile: spec-zoned
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=128KiB,subsys=subsys0,zoned=on,)"
    R"(zoned.zone_size=16KiB,zoned.zone_capacity=12KiB,zoned.max_active=4,zoned.max_open=2,zoned.descr_ext_size=64
steps:
  - register_read: {controller: nvme0, offset: 0, bytes: 8}
  - register_read: {controller: nvme1, offset: 0, bytes: 8}
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 5, cdw11: 0x2000000}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
)";

// Write pointers, reports and data.
constexpr const char* kZoneData = R"(
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 0, blocks: 4, tag: A}
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 0, blocks: 4, tag: B}
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 2, blocks: 2, tag: C}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 63}
  - submit: {controller: nvme0, queue: 1, opcode: zone_append, nsid: 1, lba: 0, blocks: 2, prp1: 0x4000000000000}
  - wait: {duration: 1ms}
  - reap: {controller: nvme0}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 63}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 30, blocks: 4}
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 32, blocks: 24, tag: D}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 0, cdw13: 4}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 0, blocks: 8}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 64, cdw13: 0x10}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 64, cdw13: 4}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 64, blocks: 4, tag: A}
  - admin: {controller: nvme0, opcode: format, nsid: 1, cdw10: 0}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
)";

// Zones that wear out: one controller asked for events, the other did not.
constexpr const char* kWornZones = R"(
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x0b, cdw11: 0x8000000}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0}
  - {nowait: true, admin: {controller: nvme0, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - zone_read_only: {controller: nvme0, ns: ns1, lba: 32}
  - zone_offline: {controller: nvme0, ns: ns1, lba: 96}
  - wait: 1ms
  - admin: {controller: nvme0, opcode: get_log_page, nsid: 1, cdw10: 0x3ff00bf}
  - admin: {controller: nvme1, opcode: get_log_page, nsid: 1, cdw10: 0x3ff00bf}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
)";

// States and resources.
constexpr const char* kZoneStates = R"(
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 0, cdw13: 1}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 0, cdw13: 3}
  - io: {controller: nvme1, opcode: zone_receive, nsid: 1, cdw12: 255}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 0, cdw13: 2}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, cdw13: 0x104}
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 0, blocks: 1, tag: A}
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 32, blocks: 1, tag: A}
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 64, blocks: 1, tag: A}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, cdw13: 0x101}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, cdw13: 0x103}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 0, cdw13: 3}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 32, cdw13: 3}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 64, cdw13: 3}
  - io: {controller: nvme0, opcode: zone_append, nsid: 1, lba: 96, blocks: 1, tag: A}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 96, cdw13: 1}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 128, cdw13: 0x10}
  - io: {controller: nvme0, opcode: zone_send, nsid: 1, lba: 160, cdw13: 0x10}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - disable: {controller: nvme1}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
  - register_write: {controller: nvme0, offset: 0x20, value: 0x4e564d65}
  - enable: {controller: nvme0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: zone_receive, nsid: 1, cdw12: 255}
)";

// Raw drivers that ask for what hosts do not. They identify their controllers first: the model knows
// identifiers only from what was announced.
constexpr const char* kRaw = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - enable: {controller: nvme2}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme2, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, queue: 1, opcode: read, nsid: ns1, blocks: 1}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x0b, cdw11: 0x100}
  - {nowait: true, admin: {controller: nvme0, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme0, opcode: async_event_request}}
  - detach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - io: {controller: nvme0, queue: 1, opcode: read, nsid: ns1, blocks: 1}
  - attach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - wait: 1ms
  - admin: {controller: nvme0, opcode: get_log_page, nsid: 0xffffffff, cdw10: 0x03ff0004}
  - admin: {controller: nvme0, opcode: get_log_page, nsid: 0xffffffff, cdw10: 0x03ff0004}
  - attach: {via: nvme0, ns: ns2, controllers: [nvme0]}
  - admin: {controller: nvme0, opcode: delete_cq, cdw10: 1}
  - wait: 1ms
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: create_cq, cdw10: 0x00070001, cdw11: 1, prp1: 0x900000}
  - doorbell: {controller: nvme0, queue: 1, value: 1}
  - wait: 1ms
)";

// Lists, identifiers, namespaces that are made and deleted, and what events and features belong to whom.
constexpr const char* kManagement = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - enable: {controller: nvme2}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme1, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 8}
  - admin: {controller: nvme0, opcode: identify, cdw10: 7}
  - admin: {controller: nvme0, opcode: identify, cdw10: 0x1a}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0x12}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x0b, cdw11: 0x100}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x0b}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - detach: {via: nvme0, ns: ns1, controllers: [nvme1]}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0x100}
  - attach: {via: nvme0, ns: ns4, controllers: [nvme1]}
  - admin: {controller: nvme0, opcode: identify, cdw10: 2}
  - admin: {controller: nvme0, opcode: get_log_page, nsid: 0xffffffff, cdw10: 0x03ff0004}
  - admin: {controller: nvme1, opcode: get_log_page, nsid: 0xffffffff, cdw10: 0x03ff8004}
  - wait: 1ms
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - detach: {via: nvme0, ns: ns4, controllers: [nvme1]}
  - wait: 1ms
  - disable: {controller: nvme1}
  - wait: 1ms
  - enable: {controller: nvme1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 2}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - wait: 1ms
  - create: {via: nvme0, size: 64KiB, shared: true, as: fresh}
  - attach: {via: nvme0, ns: fresh, controllers: [nvme0, nvme1]}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, queue: 1, opcode: write, nsid: fresh, blocks: 8, tag: A}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0x100}
  - delete: {via: nvme0, ns: fresh}
  - wait: 20s
  - attach: {via: nvme0, ns: fresh, controllers: [nvme0]}
  - create: {via: nvme0, size: 64KiB, shared: true, as: heir}
  - attach: {via: nvme0, ns: heir, controllers: [nvme0]}
  - admin: {controller: nvme0, opcode: identify, nsid: heir, cdw10: 0}
  - io: {controller: nvme0, queue: 1, opcode: read, nsid: heir, blocks: 8}
)";

// Queues, doorbells, Abort, event requests, shutdown.
constexpr const char* kQueues = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 64}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - io: {controller: nvme0, queue: 1, opcode: write, nsid: 1, lba: 2040, blocks: 16, tag: A}
  - admin: {controller: nvme0, opcode: create_sq, cdw10: 0x003f0001, cdw11: 0x00010001, prp1: 0x900000}
  - {nowait: true, submit: {controller: nvme0, queue: 1, opcode: read, cid: 7, nsid: 1, blocks: 1}}
  - {nowait: true, admin: {controller: nvme0, opcode: abort, cdw10: 0x00070001}}
  - {nowait: true, submit: {controller: nvme0, queue: 1, opcode: read, cid: 8, nsid: 1, blocks: 1}}
  - {nowait: true, detach: {via: nvme1, ns: ns1, controllers: [nvme0]}}
  - wait: 20s
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - wait: 20s
  - admin: {controller: nvme1, opcode: create_cq, cdw10: 0x00010001, cdw11: 1, prp1: 0x900000}
  - admin: {controller: nvme1, opcode: create_sq, cdw10: 0x00070001, cdw11: 0x00010001, prp1: 0x901000}
  - doorbell: {controller: nvme1, queue: 1, value: 4}
  - wait: 1ms
  - admin: {controller: nvme1, opcode: create_cq, cdw10: 0x00070002, cdw11: 1, prp1: 0x902000}
  - admin: {controller: nvme1, opcode: create_sq, cdw10: 0x00070002, cdw11: 0x00020001, prp1: 0x903000}
  - doorbell: {controller: nvme1, queue: 2, value: 11}
  - wait: 1ms
  - register_write: {controller: nvme0, offset: 0x14, value: 0x464001, bytes: 4}
  - wait: 300s
  - register_read: {controller: nvme0, offset: 0x1c, bytes: 4}
)";

// An attachment within the millisecond in which its controller becomes ready.
constexpr const char* kEnabling = R"(
steps:
  - enable: {controller: nvme0}
  - {nowait: true, enable: {controller: nvme1}}
  - attach: {via: nvme0, ns: ns4, controllers: [nvme1]}
  - wait: 2ms
  - admin: {controller: nvme1, opcode: identify, cdw10: 2, length: 4096}
)";

// Resets of every level; the queues and rings are small.
constexpr const char* kResets = R"(
steps:
  - register_read: {controller: nvme0, offset: 0, bytes: 8}
  - register_read: {controller: nvme1, offset: 0, bytes: 8}
  - enable: {controller: nvme0, depth: 16}
  - enable: {controller: nvme1, depth: 16}
  - create_queue_pair: {controller: nvme0, queue: 1}
  - create_queue_pair: {controller: nvme1, queue: 1}
  - io: {controller: nvme0, opcode: write, ns: ns1, lba: 0, blocks: 1, tag: A, expect: {status: success}}
  - disable: {controller: nvme0}
  - register_read: {controller: nvme0, offset: 0x24, value: 0x000F000F}
  - register_read: {controller: nvme0, offset: 0x14, value: 0}
  - io: {controller: nvme1, opcode: read, ns: ns1, lba: 0, blocks: 1, equals: A, expect: {status: success}}
  - enable: {controller: nvme0, depth: 16}
  - flr: {controller: nvme0}
  - register_read: {controller: nvme0, offset: 0x1c, value: 0}
  - register_read: {controller: nvme0, offset: 0x24, value: 0}
  - io: {controller: nvme1, opcode: read, ns: ns1, lba: 0, blocks: 1, equals: A, expect: {status: success}}
  - enable: {controller: nvme0, depth: 16}
  - hot_reset: {controller: nvme0}
  - register_read: {controller: nvme0, offset: 0x24, value: 0}
  - enable: {controller: nvme0, depth: 16}
  - create_queue_pair: {controller: nvme0, queue: 1}
  - submit: {controller: nvme0, queue: 1, opcode: read, ns: ns1, lba: 0, blocks: 1}
  - wait: 5us
  - fatal: {controller: nvme0}
  - wait: 1ms
  - register_read: {controller: nvme0, offset: 0x1c, value: 3}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0, depth: 16}
  - register_write: {controller: nvme0, offset: 0x20, value: 0x4E564D65}
  - register_read: {controller: nvme0, offset: 0x1c, value: 0x10}
  - register_read: {controller: nvme1, offset: 0x1c, value: 0x10}
  - register_write: {controller: nvme1, offset: 0x1c, value: 0x10}
  - register_read: {controller: nvme1, offset: 0x1c, value: 0}
  - enable: {controller: nvme1, depth: 16}
  - create_queue_pair: {controller: nvme1, queue: 1}
  - io: {controller: nvme1, opcode: read, ns: ns1, lba: 0, blocks: 1, equals: A, expect: {status: success}}
  - power_cycle: {controller: nvme1}
  - register_read: {controller: nvme0, offset: 0x1c, value: 0}
)";

// Features: current, saved and default values over a reset; values out of range.
constexpr const char* kFeatures = R"(
steps:
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x30a}
  - admin: {controller: nvme0, opcode: get_features, nsid: 1, cdw10: 0x305}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x8000000a, cdw11: 1}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x20a}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x8000000a, cdw11: 0}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x0a, cdw11: 1}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x20a}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x10, cdw11: 0x00010002}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x0a}
)";

// What becomes of blocks beside being written, over two paths.
constexpr const char* kMedia = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - io: {controller: nvme0, opcode: write_uncorrectable, nsid: ns1, lba: 8, blocks: 4, expect: {status: success}}
  - io: {controller: nvme0, opcode: verify, nsid: ns1, lba: 0, blocks: 9}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 11, blocks: 1}
  - io: {controller: nvme1, opcode: read, nsid: ns1, lba: 9, blocks: 1}
  - io: {controller: nvme1, opcode: write, nsid: ns1, lba: 8, blocks: 8, tag: A}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 8, blocks: 4}
  - io: {controller: nvme0, opcode: dataset_management, nsid: ns1, cdw11: 4, data: "00000000020000000800000000000000"}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 8, blocks: 8}
  - io: {controller: nvme1, opcode: read, nsid: ns1, lba: 8, blocks: 8}
  - io: {controller: nvme1, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: B}
  - io:
      controller: nvme0
      opcode: copy
      nsid: ns1
      lba: 32
      cdw12: 1
      data: "0000000000000000000000000000000001000000000000000000000000000000\
        0000000000000000040000000000000001000000000000000000000000000000"
  - io: {controller: nvme1, opcode: read, nsid: ns1, lba: 32, blocks: 4}
  - io: {controller: nvme0, opcode: write_uncorrectable, nsid: ns1, lba: 20, blocks: 1}
  - io:
      controller: nvme0
      opcode: copy
      nsid: ns1
      lba: 40
      cdw12: 2
      data: "0000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000140000000000000000000000000000000000000000000000\
        0000000000000000020000000000000000000000000000000000000000000000"
)";

// Fused Compare and Write: two paths race for one value, a comparison fails, a half is alone.
constexpr const char* kFused = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 4, tag: A}
  - submit: {controller: nvme0, queue: 1, opcode: compare, flags: 1, nsid: ns1, lba: 0, blocks: 4, tag: A}
  - submit: {controller: nvme0, queue: 1, opcode: write, flags: 2, nsid: ns1, lba: 0, blocks: 4, tag: B}
  - submit: {controller: nvme1, queue: 1, opcode: compare, flags: 1, nsid: ns1, lba: 0, blocks: 4, tag: A}
  - submit: {controller: nvme1, queue: 1, opcode: write, flags: 2, nsid: ns1, lba: 0, blocks: 4, tag: C}
  - wait: 10ms
  - reap: {controller: nvme0}
  - reap: {controller: nvme1}
  - submit: {controller: nvme0, queue: 1, opcode: compare, flags: 1, nsid: ns1, lba: 0, blocks: 4, tag: A}
  - submit: {controller: nvme0, queue: 1, opcode: write, flags: 2, nsid: ns1, lba: 0, blocks: 4, tag: D}
  - wait: 10ms
  - reap: {controller: nvme0}
  - submit: {controller: nvme0, queue: 1, opcode: write, flags: 2, nsid: ns1, lba: 0, blocks: 4, tag: D}
  - wait: 10ms
  - reap: {controller: nvme0}
)";

// Logs: which there are, beyond their end, and what a reset leaves of them.
constexpr const char* kLogs = R"(
steps:
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00ff0000}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00ff0012}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00030013}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00030060}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00030003, cdw12: 1024}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, queue: 1, opcode: read, nsid: 1, blocks: 1}
  - doorbell: {controller: nvme0, queue: 40, value: 1}
  - doorbell: {controller: nvme0, queue: 40, value: 1}
  - wait: 1ms
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0002}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00ff0001}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - doorbell: {controller: nvme0, queue: 40, value: 1}
  - wait: 1ms
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0002}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x00ff0001}
)";

// The write cache: what Flush, FUA and a normal shutdown made durable outlives a power loss, the rest a
// reset.
constexpr const char* kCache = R"(
steps:
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: A}
  - io: {controller: nvme0, opcode: flush, nsid: ns1}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 8, cdw12: 0x40000007, tag: B}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 16, blocks: 8, tag: C}
  - power_cycle: {controller: nvme0, latitude: 2}
  - enable: {controller: nvme0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 24}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: D}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 8}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: E}
  - register_write: {controller: nvme0, offset: 0x14, value: 0x464001}
  - wait: 10ms
  - register_read: {controller: nvme0, offset: 0x1C}
  - power_cycle: {controller: nvme0, latitude: 2}
  - enable: {controller: nvme0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 8}
)";

// Keep Alive: kept up on one controller, and given up; another one is silent.
constexpr const char* kKeepAlive = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x10f}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x30f}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0f, cdw11: 1000}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x0f, cdw11: 950}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x0f}
  - wait: 800ms
  - admin: {controller: nvme0, opcode: keep_alive}
  - register_read: {controller: nvme0, offset: 0x1c, bytes: 4}
  - wait: 800ms
  - register_read: {controller: nvme0, offset: 0x1c, bytes: 4}
  - admin: {controller: nvme0, opcode: keep_alive}
  - wait: 800ms
  - admin: {controller: nvme0, opcode: keep_alive}
  - register_read: {controller: nvme1, offset: 0x1c, bytes: 4}
  - wait: 5s
  - register_read: {controller: nvme0, offset: 0x1c, bytes: 4}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: get_features, cdw10: 0x0f}
)";

// Formats of one namespace seen over two paths, and their events; self-tests.
constexpr const char* kFormat = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - enable: {controller: nvme2}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme2, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme2, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme2, opcode: identify, nsid: 2, cdw10: 0}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: A}
  - io: {controller: nvme2, opcode: write, nsid: ns2, lba: 0, blocks: 8, tag: B}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0x100}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - admin: {controller: nvme0, opcode: format, nsid: ns1, cdw10: 0x0f}
  - admin: {controller: nvme0, opcode: format, nsid: ns1, cdw10: 0x201}
  - admin: {controller: nvme1, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 1}
  - io: {controller: nvme1, opcode: read, nsid: ns1, lba: 0, blocks: 1}
  - io: {controller: nvme2, opcode: read, nsid: ns2, lba: 0, blocks: 8}
  - admin: {controller: nvme0, opcode: self_test, cdw10: 2}
  - admin: {controller: nvme0, opcode: self_test, cdw10: 1}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x008c0006}
  - admin: {controller: nvme0, opcode: self_test, cdw10: 0xf}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x008c0006}
  - admin: {controller: nvme0, opcode: self_test, cdw10: 1}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x008c0006}
  - wait: 20s
)";

// A sanitize seen over three paths: what it refuses, its end, its log over a reset, one that fails.
constexpr const char* kSanitize = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - enable: {controller: nvme2}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme2, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme2, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme2, opcode: identify, nsid: 2, cdw10: 0}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: A}
  - io: {controller: nvme2, opcode: write, nsid: ns2, lba: 0, blocks: 8, tag: B}
  - {nowait: true, admin: {controller: nvme0, opcode: async_event_request}}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - admin: {controller: nvme0, opcode: sanitize, cdw10: 2}
  - io: {controller: nvme1, opcode: read, nsid: ns1, lba: 0, blocks: 8}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 8}
  - admin: {controller: nvme1, opcode: get_log_page, cdw10: 0x007f8081}
  - disable: {controller: nvme1}
  - enable: {controller: nvme1}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - admin: {controller: nvme1, opcode: get_log_page, cdw10: 0x007f8081}
  - wait: 60s
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f8081}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 8}
  - io: {controller: nvme2, opcode: read, nsid: ns2, lba: 0, blocks: 8}
  - wait: 20s
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0081}
)";

// Restricted sanitizes of which one fails, which nothing but another restricted one leaves.
#define POLYPATH_SANITIZE_AND_EXIT                                            \
  "  - admin: {controller: nvme0, opcode: sanitize, cdw10: 4, latitude: 2}\n" \
  "  - wait: 20s\n"                                                           \
  "  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f8081}\n" \
  "  - admin: {controller: nvme0, opcode: sanitize, cdw10: 1}\n"
constexpr const char* kSanitizeFailure =
    "steps:\n"
    "  - enable: {controller: nvme0}\n"
    "  - admin: {controller: nvme0, opcode: identify, cdw10: 1}\n" POLYPATH_SANITIZE_AND_EXIT
        POLYPATH_SANITIZE_AND_EXIT POLYPATH_SANITIZE_AND_EXIT POLYPATH_SANITIZE_AND_EXIT
            POLYPATH_SANITIZE_AND_EXIT POLYPATH_SANITIZE_AND_EXIT;
#undef POLYPATH_SANITIZE_AND_EXIT

// An image for slot 2, seen over two paths: activated by a reset; another one without.
constexpr const char* kFirmware = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0003}
  - admin: {controller: nvme0, opcode: firmware_download, cdw10: 1023, data: "50504657000000004e455731202020200000"}
  - admin: {controller: nvme0, opcode: firmware_commit, cdw10: 0x09}
  - admin: {controller: nvme0, opcode: firmware_download, cdw10: 1023, data: "50504657000000004e455731202020200000"}
  - admin: {controller: nvme0, opcode: firmware_commit, cdw10: 0x0a}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0003}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: firmware_download, cdw10: 1023, data: "50504657000000004e455732202020200000"}
  - admin: {controller: nvme0, opcode: firmware_commit, cdw10: 0x1b}
  - wait: 5s
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
)";

// Blocks that one controller spoils and another one is asked for; telemetry of either.
constexpr const char* kLbaStatus = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 32, tag: A}
  - io: {controller: nvme0, opcode: write_uncorrectable, nsid: ns1, lba: 2, blocks: 3}
  - io: {controller: nvme0, opcode: write_uncorrectable, nsid: ns1, lba: 20, blocks: 1}
  - admin: {controller: nvme0, opcode: get_lba_status, nsid: 1, cdw12: 127, cdw13: 0x11000010}
  - admin: {controller: nvme1, opcode: get_log_page, cdw10: 0x007f0007}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0007}
  - admin: {controller: nvme0, opcode: get_log_page, cdw10: 0x007f0107}
  - admin: {controller: nvme1, opcode: get_log_page, cdw10: 0x007f0007}
  - admin: {controller: nvme1, opcode: get_lba_status, nsid: 1, cdw12: 127, cdw13: 0x10000000}
)";

// Scatter Gather Lists, right and wrong.
constexpr const char* kLists = R"(
steps:
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: write, nsid: 1, blocks: 8, tag: A}
  - io: {controller: nvme0, opcode: read, nsid: 1, blocks: 8, sgl: "block 1024, bucket 1024, block 2048"}
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 8, blocks: 2, tag: B, sgl: "block 1000"}
  - io: {controller: nvme0, opcode: read, nsid: 1, blocks: 1, sgl: "raw 0x50 0x300000 512"}
  - io: {controller: nvme0, opcode: read, nsid: 1, blocks: 1, sgl: "raw 0x30 0x300000 24"}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1, sgl: "block 4096"}
)";

// Interrupts that are gathered, and those of a pin.
constexpr const char* kInterrupts = R"(
  - nvme-subsys,id=subsys1
  - nvme,id=nvme3,serial=pin,subsys=subsys1,pin=on
  - nvme-ns,id=ns9,nsid=9,size=1MiB,subsys=subsys1
steps:
  - enable: {controller: nvme0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 8, cdw11: 0x0a03}
  - {nowait: true, io: {controller: nvme0, queue: 1, opcode: flush, nsid: 1}}
  - wait: 2s
  - io: {controller: nvme0, queue: 1, opcode: flush, nsid: 1}
  - enable: {controller: nvme3}
  - create_queue_pair: {controller: nvme3, queue: 1, depth: 8}
  - io: {controller: nvme3, queue: 1, opcode: flush, nsid: 9}
  - register_write: {controller: nvme3, offset: 0x0c, value: 1}
  - wait: 10ms
  - {nowait: true, io: {controller: nvme3, queue: 1, opcode: flush, nsid: 9}}
  - wait: 10ms
  - register_write: {controller: nvme3, offset: 0x10, value: 1}
  - wait: 10ms
  - io: {controller: nvme3, queue: 1, opcode: flush, nsid: 9}
)";

// Doorbells that lie apart.
constexpr const char* kStride = R"(
  - nvme-subsys,id=subsys1
  - nvme,id=nvme3,serial=far,subsys=subsys1,dstrd=2
  - nvme-ns,id=ns9,nsid=9,size=1MiB,subsys=subsys1
steps:
  - enable: {controller: nvme3}
  - create_queue_pair: {controller: nvme3, queue: 1, depth: 8}
  - io: {controller: nvme3, queue: 1, opcode: flush, nsid: 9}
  - wait: 20s
)";

// Weighted round robin with an urgent class, one command at a turn.
constexpr const char* kClasses =
    R"(
steps:
  - register_read: {controller: nvme0, offset: 0, bytes: 8}
  - enable: {controller: nvme0, value: 0x00460801}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 1, cdw11: 0x03010000}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 16, priority: 3}
  - create_queue_pair: {controller: nvme0, queue: 2, depth: 16, priority: 1}
  - create_queue_pair: {controller: nvme0, queue: 3, depth: 16, priority: 0}
)"
    "  - submit: {controller: nvme0, queue: 1, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 1, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 1, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 2, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 2, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 2, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 3, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 3, opcode: flush, nsid: 1, ring: no}\n"
    "  - submit: {controller: nvme0, queue: 1, opcode: flush, nsid: 1}\n"
    "  - submit: {controller: nvme0, queue: 2, opcode: flush, nsid: 1}\n"
    "  - submit: {controller: nvme0, queue: 3, opcode: flush, nsid: 1}\n"
    "  - wait: 10ms\n";

// A namespace that one controller protects until power is lost, and another one would write to; and what it
// holds then.
constexpr const char* kProtection = R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: A}
  - admin: {controller: nvme0, opcode: set_features, nsid: 1, cdw10: 0x84, cdw11: 2}
  - io: {controller: nvme1, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: B}
  - io: {controller: nvme0, opcode: write_zeroes, nsid: ns1, lba: 0, blocks: 4}
  - io: {controller: nvme1, opcode: read, nsid: ns1, lba: 0, blocks: 8}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme1, opcode: get_features, nsid: 1, cdw10: 0x84}
  - admin: {controller: nvme1, opcode: identify, nsid: 1, cdw10: 0}
  - wait: 1s
  - power_cycle: {controller: nvme0, latitude: 2}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: read, nsid: ns1, lba: 0, blocks: 8}
  - io: {controller: nvme0, opcode: write, nsid: ns1, lba: 0, blocks: 8, tag: C}
  - enable: {controller: nvme1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x0b, cdw11: 0x100}
  - {nowait: true, admin: {controller: nvme1, opcode: async_event_request}}
  - admin: {controller: nvme0, opcode: set_features, nsid: 1, cdw10: 0x84, cdw11: 1}
  - wait: 1s
)";

// Blocks with metadata: protection information of type 1, of type 2 with a guard of 64 bits and storage tags,
// and none.
constexpr const char* kProtectedTopology = R"(
name: trouble
profile: spec-pi
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0,ms=8,pi=1
  - nvme-ns,id=ns2,nsid=2,size=1MiB,subsys=subsys0,logical_block_size=4096,ms=16,mset=1,pi=2,pif=2,sts=16
  - nvme-ns,id=ns3,nsid=3,size=1MiB,subsys=subsys0,logical_block_size=4096,ms=64
)";
constexpr const char* kProtected =
    R"(
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
  - admin: {controller: nvme0, opcode: identify, nsid: 2, cdw10: 0}
  - admin: {controller: nvme0, opcode: identify, nsid: 2, cdw10: 5}
  - admin: {controller: nvme0, opcode: identify, nsid: 3, cdw10: 0}
  # A wrong guard, a wrong storage tag, and tags that disable every check.
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 0, blocks: 2, tag: A, spoil: guard, cdw15: 0xffff1234}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 0, blocks: 2, cdw12: 0x10000000}
  - io: {controller: nvme0, opcode: write, nsid: 2, lba: 0, blocks: 2, tag: A, spoil: storage}
  - io: {controller: nvme1, opcode: read, nsid: 2, lba: 0, blocks: 2, cdw12: 0x01000000}
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 4, blocks: 1, tag: A, spoil: guard, cdw15: 0xffff}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 4, blocks: 1, cdw12: 0x1c000000, cdw15: 0xffff1234}
  # Tags that the controller makes, read with a mask, and left out.
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 8, blocks: 4, tag: B, cdw12: 0x20000000, cdw15: 0x1234}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 8, blocks: 4, cdw12: 0x1c000000, cdw15: 0xff0012ff}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 8, blocks: 4, equals: B, cdw12: 0x3c000000, cdw15: 0xffff1234}
  # Metadata without protection information, over two paths, and copied.
  - io: {controller: nvme0, opcode: write, nsid: 3, lba: 0, blocks: 2, tag: A}
  - io: {controller: nvme1, opcode: read, nsid: 3, lba: 0, blocks: 2, equals: A}
  - io: {controller: nvme1, opcode: write, nsid: 3, lba: 0, blocks: 2, tag: B}
  - io: {controller: nvme0, opcode: read, nsid: 3, lba: 0, blocks: 2, equals: B}
  - io: {controller: nvme0, opcode: copy, nsid: 3, lba: 8, cdw12: 0, )"
    R"(data: "0000000000000000000000000000000001000000000000000000000000000000"}
  - io: {controller: nvme0, opcode: read, nsid: 3, lba: 8, blocks: 2}
  - io: {controller: nvme0, opcode: write_zeroes, nsid: 3, lba: 0, blocks: 1}
  - io: {controller: nvme1, opcode: read, nsid: 3, lba: 0, blocks: 1}
  - io: {controller: nvme1, opcode: compare, nsid: 3, lba: 1, blocks: 1, tag: B}
)";

// Blocks of every size that profile spec-blocks has: by topology, by Format NVM and by Namespace Management.
constexpr const char* kLargeTopology = R"(
name: trouble
profile: spec-blocks
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=2MiB,subsys=subsys0,logical_block_size=65536
  - nvme-ns,id=ns2,nsid=2,size=1MiB,subsys=subsys0
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1}
  - admin: {controller: nvme1, opcode: identify, cdw10: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - create_queue_pair: {controller: nvme1, queue: 1, depth: 8}
  - admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}
)";

constexpr const char* kLargeBlocks = R"(
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 0, blocks: 1, tag: A}
  - io: {controller: nvme0, opcode: write, nsid: 1, lba: 1, blocks: 3, tag: B}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 0, blocks: 1, equals: A}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 1, blocks: 3, equals: B}
  - io: {controller: nvme1, opcode: write, nsid: 1, lba: 24, blocks: 8, tag: C}
  - io: {controller: nvme1, opcode: write, nsid: 1, lba: 16, blocks: 9, tag: D}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 24, blocks: 8, equals: C}
  - io: {controller: nvme0, opcode: write_zeroes, nsid: 1, lba: 1, blocks: 1}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 0, blocks: 4}
  - io: {controller: nvme0, opcode: compare, nsid: 1, lba: 24, blocks: 8, tag: C}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 0, blocks: 1, sgl: "block 4096, block 61440"}
  - admin: {controller: nvme0, opcode: format, nsid: 2, cdw10: 7}
  - admin: {controller: nvme1, opcode: identify, nsid: 2, cdw10: 0}
  - io: {controller: nvme1, opcode: read, nsid: 2, lba: 0, blocks: 8}
  - io: {controller: nvme1, opcode: write, nsid: 2, lba: 15, blocks: 1, tag: E}
  - io: {controller: nvme0, opcode: read, nsid: 2, lba: 15, blocks: 2}
  - io: {controller: nvme0, opcode: read, nsid: 2, lba: 15, blocks: 1, equals: E}
  - admin: {controller: nvme0, opcode: format, nsid: 2, cdw10: 4}
  - admin: {controller: nvme0, opcode: identify, nsid: 2, cdw10: 0}
  - io: {controller: nvme1, opcode: write, nsid: 2, lba: 120, blocks: 8, tag: F}
  - io: {controller: nvme0, opcode: read, nsid: 2, lba: 120, blocks: 8, equals: F}
  - create: {via: nvme0, size: 1MiB, block_size: 32KiB, as: fresh}
  - attach: {via: nvme0, ns: fresh, controllers: [nvme0, nvme1]}
  - admin: {controller: nvme1, opcode: identify, nsid: fresh, cdw10: 0}
  - io: {controller: nvme1, opcode: write, nsid: fresh, lba: 31, blocks: 1, tag: G}
  - io: {controller: nvme0, opcode: read, nsid: fresh, lba: 31, blocks: 1, equals: G}
  - io: {controller: nvme0, opcode: read, nsid: fresh, lba: 32, blocks: 1}
)";

constexpr const char* kPages = R"(
  - create_queue_pair: {controller: nvme0, queue: 3, depth: 66, contiguous: no}
)";

/// Round the ring of 66 entries, over both of its pages.
std::string pages_apart() {
  std::string out;
  for (int i = 0; i < 70; ++i) out += "  - io: {controller: nvme0, queue: 3, opcode: flush, nsid: 1}\n";
  return out;
}

constexpr const char* kShadows = R"(
  - admin: {controller: nvme0, opcode: doorbell_buffer_config, prp1: 0x900010, prp2: 0xa00010}
  - admin: {controller: nvme0, opcode: doorbell_buffer_config}
  - submit: {controller: nvme0, queue: 1, opcode: write, nsid: 1, lba: 0, blocks: 8, tag: A}
  - submit: {controller: nvme0, queue: 1, opcode: write, nsid: 1, lba: 8, blocks: 8, tag: B}
  - submit: {controller: nvme0, queue: 1, opcode: flush, nsid: 1}
  - wait: 1s
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 0, blocks: 8}
  - io: {controller: nvme1, opcode: read, nsid: 1, lba: 0, blocks: 8}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 0, blocks: 8, equals: A}
  - disable: {controller: nvme0}
  - enable: {controller: nvme0}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 0, blocks: 8, equals: A}
  - io: {controller: nvme0, opcode: read, nsid: 1, lba: 8, blocks: 8, equals: B}
)";

struct Trouble {
  const char* world;
  std::string steps;
  std::string text() const { return world + steps; }
};
constexpr std::array kPlain{
    kHosted,    kRaw,   kManagement, kQueues,     kEnabling, kResets,   kFeatures,        kMedia,
    kLogs,      kFused, kKeepAlive,  kFormat,     kCache,    kSanitize, kSanitizeFailure, kFirmware,
    kLbaStatus, kLists, kProtection, kInterrupts, kClasses,  kStride};

std::vector<Trouble> programs() {
  std::vector<Trouble> out;
  for (const char* steps : kPlain) out.push_back({kTopology, steps});
  for (const char* steps : {kZoneData, kZoneStates, kWornZones}) out.push_back({kZonedTopology, steps});
  out.push_back({kLargeTopology, kLargeBlocks});
  out.push_back({kLargeTopology, kShadows});
  out.push_back({kLargeTopology, kPages + pages_apart()});
  out.push_back({kProtectedTopology, kProtected});
  return out;
}

check::Judgement judged(const std::string& text, const std::string& fault, std::string* findings = nullptr) {
  auto program = scenario::load_scenario_text(text, "trouble.yaml");
  if (!fault.empty()) program.faults = {fault};
  World world(program);
  RunLimits limits;
  limits.events = 500'000;  // a broken device can keep a host busy for ever
  Runner runner(world, program, limits);
  runner.run();
  if (findings != nullptr) {
    for (const auto& f : runner.findings()) *findings += std::to_string(f.step) + ": " + f.summary + "\n";
  }
  return check::judge(world.trace(), {}, engine::kForever);
}

bool names(const check::Judgement& judgement, std::string_view rule) {
  for (const auto& finding : judgement.findings) {
    if (model::row_of(finding.rule).id == rule) return true;
  }
  return false;
}

TEST(PlantedFaults, WithoutOneNoRuleOfTheStandardIsBroken) {
  for (const Trouble& program : programs()) {
    std::string findings;
    const auto judgement = judged(program.text(), "", &findings);
    EXPECT_EQ(findings, "");
    for (const auto& finding : judgement.findings) {
      EXPECT_EQ(finding.scope(), model::Scope::hazard)
          << model::row_of(finding.rule).id << ": " << finding.summary << "\n  allowed " << finding.allowed
          << "\n  seen " << finding.seen;
    }
  }
}

class PlantedFault : public ::testing::TestWithParam<std::size_t> {};

TEST_P(PlantedFault, IsNoticedByTheRuleThatItsRowNames) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  const auto& row = device::faults()[GetParam()];
  std::string seen;
  for (const Trouble& program : programs()) {
    const auto judgement = judged(program.text(), std::string(row.id));
    if (names(judgement, row.rule)) return;
    for (const auto& finding : judgement.findings) {
      seen += std::string(model::row_of(finding.rule).id) + ": " + finding.summary + "\n";
    }
  }
  FAIL() << row.id << " should break " << row.rule << ", but the model says:\n" << seen;
}
INSTANTIATE_TEST_SUITE_P(Device, PlantedFault, ::testing::Range<std::size_t>(0, device::faults().size()),
                         [](const auto& parameter) {
                           std::string name(device::faults()[parameter.param].id);
                           for (char& c : name) {
                             if (c == '-') c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace polypath::target
