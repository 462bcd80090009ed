#include "device/faults.h"

#include <array>

namespace polypath::device {
namespace {

constexpr std::array<FaultRow, static_cast<std::size_t>(Fault::count)> kRows{{
    {Fault::detached_ns_answers, "detached-ns-answers",
     "Read of a namespace that was detached returns its data", "attachment checked at queue creation only",
     "INV-NS-10"},
    {Fault::detach_hits_neighbour, "detach-hits-neighbour",
     "Detach removes the namespace from the controller next in CNTLID order too",
     "off-by-one over a controller list", "INV-NS-01"},
    {Fault::event_on_wrong_controller, "event-on-wrong-controller",
     "the namespace event goes to the controller that processed the command", "sender taken for receiver",
     "INV-AE-13"},
    {Fault::event_missing, "event-missing", "no namespace event after a detach", "event queue not kicked",
     "INV-AE-08"},
    {Fault::event_repeats_masked, "event-repeats-masked",
     "an event is reported again before its log was read", "QEMU 16eb2ea8ff", "INV-AE-02"},
    {Fault::changed_list_keeps_entries, "changed-list-keeps-entries",
     "reading the Changed Namespace List does not empty it", "clear forgotten", "INV-AE-11"},
    {Fault::active_list_unsorted, "active-list-unsorted",
     "the active namespace list is in order of attachment", "list copied from an insertion-ordered array",
     "INV-NS-01"},
    {Fault::attach_private_twice, "attach-private-twice",
     "a private namespace can be attached to a second controller", "NMIC not looked at", "INV-NS-11"},
    {Fault::phase_not_inverted, "phase-not-inverted", "the phase tag stays 1 after the queue wraps",
     "wrap handled for the tail only", "INV-Q-10"},
    {Fault::sqhd_stuck, "sqhd-stuck", "SQHD is reported one entry late", "head read before the fetch",
     "INV-Q-09"},
    {Fault::completion_twice, "completion-twice", "a Flush gets two completion entries",
     "error path completes too", "INV-Q-02"},
    {Fault::interrupt_before_entry, "interrupt-before-entry",
     "the message leaves before the entry is in memory", "missing write barrier", "INV-Q-16"},
    {Fault::interrupt_lost, "interrupt-lost", "no message for the entry in the last slot of the queue",
     "wrap handled after the interrupt", "INV-Q-15"},
    {Fault::stale_read_on_other_path, "stale-read-on-other-path",
     "a Read through another controller than the last Write returns the older data", "cache per controller",
     "INV-D-02"},
    {Fault::write_zeroes_short, "write-zeroes-short", "Write Zeroes leaves the last block as it was",
     "QEMU 9d6459d21a (count in the wrong unit)", "INV-D-13"},
    {Fault::reset_hits_peer, "reset-hits-peer",
     "a controller reset drops the commands of the next controller too", "shared command pool", "LIV-01"},
    {Fault::reset_keeps_queues, "reset-keeps-queues", "I/O queues survive a controller reset",
     "only the admin queue is torn down", "INV-R-04"},
    {Fault::delete_cq_in_use, "delete-cq-in-use",
     "a completion queue that a submission queue uses can be deleted", "reference not counted", "INV-Q-19"},
    {Fault::compare_always_equal, "compare-always-equal", "Compare succeeds whatever the data",
     "result ignored", "INV-D-10"},
    {Fault::dma_past_end, "dma-past-end", "a Read writes four bytes past the end of its buffer",
     "length rounded up", "INV-Q-28"},
    {Fault::attach_lost_while_enabling, "attach-lost-while-enabling",
     "an attachment made between CC.EN = 1 and RDY = 1 of its controller succeeds and is lost",
     "the controller's table is loaded when it is enabled and stored when it is ready", "INV-NS-21"},
}};

}  // namespace

std::span<const FaultRow> faults() { return kRows; }

const FaultRow* find_fault(std::string_view id) {
  for (const FaultRow& row : kRows) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

}  // namespace polypath::device
