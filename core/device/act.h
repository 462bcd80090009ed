// Inside the device room: what the command families and the queue machinery call of each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "device/device.h"
#include "spec/commands.h"

namespace polypath::device {

/// Device and world during one call.
struct Act {
  Device& device;
  const Surroundings& world;

  Controller& controller(std::uint32_t index) const { return device.controllers[index]; }
  const Profile& profile() const { return *device.profile; }
  bool fault(Fault f) const { return device.faults.on(f); }
  /// As fault(), at the very place where it makes the difference: the trace notes that it did.
  bool broken_by(Fault f) const {
    if (!fault(f)) return false;
    fired(f);
    return true;
  }
  /// Marks in the trace that a planted fault did its work.
  void fired(Fault f) const;
};

/// What a command came to. `parked`: it stays outstanding (Asynchronous Event Request).
struct Outcome {
  spec::Status status = spec::Status::success;
  std::uint32_t dw0 = 0, dw1 = 0;
  bool more = false;
  bool parked = false;
  std::uint64_t detail = 0;          ///< command-specific field of the Error Information entry when `more`
  std::uint16_t parameter = 0xFFFF;  ///< parameter error location of that entry

  Outcome() = default;
  Outcome(spec::Status s) : status(s) {}  // NOLINT: a status alone is an outcome
};

using Handler = Outcome (*)(Act&, std::uint32_t controller, Handle command, const spec::SubmissionEntry&);

/// Handler of a command-table row, null when the device has none.
Handler handler_of(const spec::CommandRow& row);

// queues.cpp: rings, doorbells, fetch, completion, interrupts
void sq_doorbell(Act& act, std::uint32_t controller, std::uint16_t qid, std::uint32_t value);
void cq_doorbell(Act& act, std::uint32_t controller, std::uint16_t qid, std::uint32_t value);
void fetch(Act& act, Handle sq);
/// What waits in the queues of a controller is fetched, if it may be.
void fetch_all(Act& act, std::uint32_t controller);
void execute(Act& act, Handle command);
void post(Act& act, Handle command);
/// Ends a command that has no result of its own yet with this status, at once.
void finish(Act& act, Handle command, const Outcome& outcome);
/// The same for one that was not executed, and for the other half of its fused pair, which fails with it.
void finish_waiting(Act& act, Handle command, spec::Status status);
/// Removes a command without a completion entry (resets, deleted queues).
void drop(Act& act, Handle command);
Handle create_sq(Act& act, std::uint32_t controller, std::uint16_t qid, port::RingMemory memory,
                 std::uint32_t entries, Handle cq, std::uint8_t priority);
Handle create_cq(Act& act, std::uint32_t controller, std::uint16_t qid, port::RingMemory memory,
                 std::uint32_t entries, bool interrupts, std::uint16_t vector);
/// Settles the commands of a submission queue (aborts or completes each) and removes the queue.
void delete_sq(Act& act, Handle sq);
void delete_cq(Act& act, Handle cq);
SubmissionQueue* find_sq(const Act& act, std::uint32_t controller, std::uint16_t qid);
CompletionQueue* find_cq(const Act& act, std::uint32_t controller, std::uint16_t qid);
Handle find_command(const Act& act, std::uint32_t controller, std::uint16_t sqid, std::uint16_t cid);
void mask(Act& act, std::uint32_t controller, std::uint16_t vector, bool masked);
/// Completions of the vector have waited for others as long as feature 08h lets them.
void coalescing_over(Act& act, std::uint32_t controller, std::uint16_t vector);
void forget_coalescing(Act& act, std::uint32_t controller);

// shadow_doorbells.cpp: doorbells in host memory
/// Has the queue entries in a Shadow Doorbell buffer?
bool has_shadow(const Act& act, std::uint32_t controller, std::uint16_t qid);
/// The entry of a queue that has one.
std::uint32_t shadow_of(const Act& act, std::uint32_t controller, std::uint16_t qid, bool completion);
/// Takes what the host wrote there since as a write of the doorbell register.
void look_at_shadow(Act& act, std::uint32_t controller, std::uint16_t qid, bool completion);
/// The host rings the register when it moves the entry past this value.
void publish_event_index(const Act& act, std::uint32_t controller, std::uint16_t qid, bool completion,
                         std::uint32_t value);

// registers.cpp: enable, disable, shutdown, resets
void became_enabled(Act& act, std::uint32_t controller);
void became_disabled(Act& act, std::uint32_t controller);
void shutdown_complete(Act& act, std::uint32_t controller);
/// Drops every command, queue, event and non-persistent feature value of one controller: the common part of
/// all Controller Level Resets.
void clear_controller(Act& act, std::uint32_t controller);
/// Feature values that the vendor gave.
Features default_features(const Controller& controller);

// data.cpp: data pointers and transfers
/// Longest transfer a controller accepts, in bytes; 0: no limit.
std::uint64_t mdts_bytes(const Controller& controller);
struct Piece {
  std::uint64_t address = 0, bytes = 0;
  bool discarded = false;  ///< of a Bit Bucket: these bytes go nowhere
};
/// Walks the command's PRPs or its SGL for `bytes` bytes. Success, or the status of the first broken rule.
spec::Status map_data(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry,
                      std::uint64_t bytes, std::vector<Piece>& pieces);
/// Copies host memory of the command's buffer into `out` or `data` into it, with DMA events. Data Transfer
/// Error when an address lies in no memory.
spec::Status copy_in(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                     std::span<std::byte> out);
spec::Status copy_out(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                      std::span<const std::byte> data);
/// Reads or writes host memory for a command, piece by piece, telling the observer.
bool dma_read(Act& act, std::uint32_t controller, Handle command, std::uint64_t address,
              std::span<std::byte> out);
bool dma_write(Act& act, std::uint32_t controller, Handle command, std::uint64_t address,
               std::span<const std::byte> data);

// attachment.cpp: which namespaces a controller sees
enum class NsidClass : std::uint8_t { invalid, unallocated, inactive, active, broadcast };
NsidClass classify(const Act& act, std::uint32_t controller, std::uint32_t nsid);
/// Namespace index by NSID in the controller's subsystem, attached or not; -1 when unallocated.
std::int64_t allocated(const Act& act, std::uint32_t controller, std::uint32_t nsid);
/// Namespace index by NSID if attached to the controller; -1 otherwise. Binary search in the controller's
/// list.
std::int64_t attached(const Controller& controller, std::uint32_t nsid);
/// Its row in the controller's active list, null when it is not attached.
Active* find_active(Controller& controller, std::uint32_t nsid);
void attach(Act& act, std::uint32_t ns, std::uint32_t controller);
void detach(Act& act, std::uint32_t ns, std::uint32_t controller);
std::uint32_t add_namespace(Device& device, std::uint32_t subsystem, const Namespace& ns, Media media);
void remove_namespace(Act& act, std::uint32_t ns);
/// A UUID of its own for a namespace that was given none.
void make_identifiers(Namespace& ns, const Subsystem& subsystem);

// write_cache.cpp
/// What was written to the namespaces attached to the controller is durable.
void flush_attached(Act& act, std::uint32_t controller);
/// The same of every namespace of its subsystem.
void flush_subsystem(Act& act, std::uint32_t controller);
/// A planted fault: what is not durable is gone.
void drop_cache(Act& act, std::uint32_t controller);

// zones.cpp: states, write pointers and resources
/// Gives a namespace zones, all empty.
void make_zones(Namespace& ns, const Zones& like);
/// A write of blocks at this place, or of an Append to the zone that begins there: may it be done? Nothing is
/// changed. The caller has checked the namespace's size.
spec::Status check_zone_write(const Act& act, std::uint32_t controller, const Namespace& ns,
                              std::uint64_t slba, std::uint64_t blocks, bool append);
/// Resources for `more` zones that are in this state and shall be open; from an open state nothing is needed.
spec::Status zone_resources(const Act& act, std::uint32_t controller, const Namespace& ns,
                            spec::ZoneState from, std::uint32_t more);
/// One more zone can be open: implicitly opened ones are closed as needed.
void make_room(const Act& act, Namespace& ns);
/// Zones of a namespace that a host creates.
Zones usual_zones();
/// It is done: the write pointer moves, the zone is open or full.
void zone_written(Act& act, std::uint32_t controller, std::uint32_t ns, std::uint64_t slba,
                  std::uint64_t blocks);
spec::Status check_zone_read(const Act& act, const Namespace& ns, std::uint64_t slba, std::uint64_t blocks);
/// A range of Dataset Management.
spec::Status check_zone_hint(const Namespace& ns, std::uint64_t slba, std::uint64_t blocks);
/// Where the next block of a zone is written.
std::uint64_t write_pointer(const Namespace& ns, std::uint64_t zslba);
/// The namespace is write protected: no zone stays active.
void fill_zones(Namespace& ns);
/// NVM Subsystem Reset, loss of power, or all controllers have shut down: no zone stays open.
void close_zones(Device& device, std::uint32_t subsystem);
/// Blocks of the namespace, ascending, that a power loss took away: write pointers fall back to them.
void zones_lost(Device& device, std::uint32_t ns, std::span<const std::uint64_t> blocks);
/// Does the controller, as it was enabled, have the Zoned command set?
bool zones_enabled(const Act& act, std::uint32_t controller);
spec::IdentifyZonedNamespace zoned_data(const Act& act, const Namespace* ns);

// admin/events.cpp
void raise_event(Act& act, std::uint32_t controller, spec::EventType type, std::uint8_t info,
                 spec::LogId log);
void report_events(Act& act, std::uint32_t controller);
/// A log was read with RAE 0: its event type is unmasked and what waited for it is dropped.
void clear_event(Act& act, std::uint32_t controller, spec::LogId log);
/// A namespace of this controller was attached, detached, deleted or changed.
void namespace_changed(Act& act, std::uint32_t controller, std::uint32_t nsid);
/// Media changed a zone of a namespace that is attached to this controller.
void zone_changed(Act& act, std::uint32_t controller, std::uint32_t nsid, std::uint64_t zslba);
/// Its Changed Zone List of one namespace was read with RAE 0.
void clear_zone_event(Act& act, std::uint32_t controller, std::uint32_t nsid);
/// An Error Information entry. `command` may be none.
void log_error(Act& act, std::uint32_t controller, std::uint16_t sqid, std::uint16_t cid,
               const spec::SubmissionEntry* entry, spec::Status status, const Outcome& outcome);

// admin/keep_alive.cpp
/// The Keep Alive timer begins again, or ends where it is off. Base: Keep Alive.
void restart_keep_alive(Act& act, std::uint32_t controller);
void stop_keep_alive(Act& act, std::uint32_t controller);
void keep_alive_expired(Act& act, std::uint32_t controller);

// admin/self_test.cpp
/// The test in progress, if there is one, ends with this result.
void end_self_test(Act& act, std::uint32_t controller, std::uint8_t result);
/// Tests that include the namespace end: it is deleted or formatted.
void disturb_self_tests(Act& act, std::uint32_t ns, std::uint8_t result);
std::vector<std::byte> self_test_log(const Act& act, std::uint32_t controller);
engine::Time self_test_time(std::uint8_t code);

// admin/telemetry.cpp
/// A capture for hosts, of the counters of this controller.
void capture_telemetry(Act& act, std::uint32_t controller);
std::vector<std::byte> telemetry_log(const Act& act, std::uint32_t controller, spec::LogId log);

// admin/firmware.cpp
/// The image in slot 1, which came with the controller.
Firmware::Slot first_image(const Profile& profile);
enum class ResetReach : std::uint8_t { controller, conventional, subsystem, power };
/// A reset activates the image that waits for one of its kind. True when it did.
bool activate_at_reset(Act& act, std::uint32_t controller, ResetReach reach);
void end_activation(Act& act, std::uint32_t subsystem);
/// Status of a Firmware Commit whose image waits for a reset; success: there is none.
spec::Status activation_pending(const Act& act, std::uint32_t controller);
/// As Identify shows it.
std::array<char, spec::firmware::revision_bytes> firmware_revision(const Act& act, std::uint32_t controller);
std::vector<std::byte> firmware_log(const Act& act, std::uint32_t controller);

// admin/sanitize.cpp
/// Status that a sanitize operation, or the failure of the last one, gives this command; success: it may run.
spec::Status sanitize_refuses(const Act& act, std::uint32_t controller, std::uint16_t qid,
                              const spec::SubmissionEntry& entry);
void end_sanitize(Act& act, std::uint32_t subsystem);
std::vector<std::byte> sanitize_log(const Act& act, std::uint32_t controller);

// admin/write_protection.cpp
/// Is the namespace write protected, for commands of this controller? (For all alike, but for a planted
/// fault.)
bool write_protected(const Act& act, std::uint32_t ns, std::uint32_t controller);
/// Is it an I/O command that would write to a protected namespace?
bool protection_refuses(const Act& act, Handle command, std::uint16_t qid);
Outcome set_write_protection(Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry);

// admin/identify.cpp
/// Of the LBA format that Identify shows for a namespace at this place; 0: there is none.
std::uint8_t block_shift_of(const Act& act, const Namespace& ns, unsigned format);

// admin/features.cpp
/// Dword of a feature in the Feature Identifiers Supported and Effects log; 0: there is no such feature.
std::uint32_t feature_effects(const Profile& profile, std::uint8_t fid);

// Handlers, by family: declared from the one list of them.
#define HANDLER(family, name)                                                                           \
  namespace family {                                                                                    \
  Outcome name(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry); \
  }
#include "device/handlers.def"
#undef HANDLER

}  // namespace polypath::device
