// Writes traces by hand, as an observer between host and controllers would: queue positions, phases and heads
// are right unless a test makes them wrong. One controller event follows another by a microsecond.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "model/monitor.h"
#include "spec/identify.h"
#include "spec/log_feature_event.h"
#include "spec/queue_entry.h"
#include "trace/trace.h"

namespace polypath::model {

inline constexpr Time kMs = engine::kMillisecond;

/// What the history's controllers and namespaces are.
struct Layout {
  std::size_t controllers = 3;  ///< nvme0 ..., CNTLID as the index, all in one subsystem
  std::string source = "simulator";
  std::string profile = "spec";
  std::uint32_t observed = trace::observed::everything;
  bool known = true;  ///< initial state and attachments
  std::uint32_t block_bytes = 512;
  bool content_zero = true;
  spec::MetadataFormat metadata = {};
  bool zoned = false;  ///< controllers have the Zoned command set, and are enabled for it
};

class History {
 public:
  static constexpr std::uint64_t kBlocks = 1024;
  static constexpr std::uint32_t kQueueEntries = 8;

  /// Namespace 1 is shared and attached to all; 2 is private, on the last controller; 4 is shared and
  /// attached to none.
  explicit History(const Layout& layout = {});

  /// An open command.
  struct Open {
    std::uint16_t c = 0, q = 0, cid = 0;
    std::uint32_t slot = 0;
    spec::SubmissionEntry entry;
  };
  /// How a command is submitted.
  struct With {
    std::vector<std::uint64_t> digests = {};
    std::vector<std::byte> data = {};
    std::uint64_t bytes = 0;  ///< of the buffer: 0 takes the length of digests or data
    std::uint32_t flags = 0;  ///< further submitted_part flags
    bool doorbell = true;
    bool in_memory = false;  ///< the doorbell moves there, and EventIdx does not ask for the register
    bool listed = false;     ///< by an SGL, with these descriptors in its segments
    std::vector<spec::SglDescriptor> descriptors = {};
  };
  /// How it completes.
  struct How {
    spec::Status status = spec::Status::success;
    std::uint32_t dw0 = 0;
    std::vector<std::uint64_t> digests = {};
    std::vector<std::byte> data = {};
    bool dnr = false, more = false;
    unsigned crd = 0;
    bool dma = true;  ///< the data move first
    bool interrupt = true, acknowledge = true;
    /// Makes it wrong.
    std::function<void(spec::CompletionEntry&, trace::BoundaryEvent&)> change = {};
  };

  Time step = engine::kMicrosecond;  ///< between events

  // Time
  Time now() const { return now_; }
  void wait(Time time) { now_ += time; }

  // Registers
  void write_register(std::uint16_t c, std::uint32_t offset, std::uint64_t value, std::uint32_t bytes = 4);
  void read_register(std::uint16_t c, std::uint32_t offset, std::uint64_t value, std::uint32_t bytes = 4);
  void enable(std::uint16_t c);
  void enable(std::uint16_t c, std::uint32_t cc);
  void disable(std::uint16_t c);  ///< EN = 0 and RDY = 0 seen
  void end_enable(std::uint16_t c);
  void begin_disable(std::uint16_t c);
  void end_disable(std::uint16_t c);
  void function(std::uint16_t c, trace::FunctionEvent what);
  void lose_power();  ///< of every controller

  // Commands, step by step
  Open submit(std::uint16_t c, std::uint16_t q, spec::SubmissionEntry entry, const With& with);
  Open submit(std::uint16_t c, std::uint16_t q, spec::SubmissionEntry entry) {
    return submit(c, q, entry, With{});
  }
  void fetch(const Open& open);
  void dma(const Open& open, std::uint64_t address, std::uint32_t bytes, bool write);
  void complete(const Open& open, const How& how);
  void complete(const Open& open) { complete(open, How{}); }
  void interrupt(std::uint16_t c, std::uint16_t vector);
  void acknowledge(std::uint16_t c, std::uint16_t q);
  void doorbell(std::uint16_t c, std::uint16_t q, bool completion, std::uint64_t value);
  void mask(std::uint16_t c, std::uint16_t vector, bool masked);
  /// All of it.
  Open run(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry, const With& with,
           const How& how);
  Open run(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry, const How& how) {
    return run(c, q, entry, With{}, how);
  }
  Open run(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry) {
    return run(c, q, entry, With{}, How{});
  }
  Open start(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry,
             const With& with);  ///< submit and fetch
  Open start(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry) {
    return start(c, q, entry, With{});
  }

  // Set-up
  void identify(std::uint16_t c, const std::function<void(spec::IdentifyController&)>& change = {});
  void identify_ns(std::uint16_t c, std::uint32_t nsid,
                   const std::function<void(spec::IdentifyNamespace&)>& change = {}, std::uint32_t cns = 0);
  void create_queues(std::uint16_t c, std::uint16_t qid = 1, std::uint32_t entries = kQueueEntries,
                     std::uint32_t priority = 0);
  void set_feature(std::uint16_t c, std::uint8_t fid, std::uint32_t value);
  /// Enabled, identified, one pair of queues.
  void ready(std::uint16_t c);
  /// As ready(), with fused Compare and Write announced, of one block.
  void ready_fused(std::uint16_t c);
  void ready_copy(std::uint16_t c);  ///< the same, and it announces Copy with descriptors of format 0
  /// All controllers ready.
  void ready_all();
  /// Events switched on, and a request.
  Open arm(std::uint16_t c);

  // Namespaces
  void attach(std::uint16_t via, std::uint32_t nsid, const std::vector<std::uint16_t>& list, const How& how);
  void attach(std::uint16_t via, std::uint32_t nsid, const std::vector<std::uint16_t>& list) {
    attach(via, nsid, list, How{});
  }
  void detach(std::uint16_t via, std::uint32_t nsid, const std::vector<std::uint16_t>& list, const How& how);
  void detach(std::uint16_t via, std::uint32_t nsid, const std::vector<std::uint16_t>& list) {
    detach(via, nsid, list, How{});
  }
  void create(std::uint16_t via, std::uint32_t nsid);  ///< NSID as the controller gives it
  void remove(std::uint16_t via, std::uint32_t nsid);  ///< Namespace Management, delete
  void list(std::uint16_t c, std::uint32_t cns, const std::vector<std::uint32_t>& nsids,
            std::uint32_t start = 0);
  void changed_log(std::uint16_t c, const std::vector<std::uint32_t>& nsids, bool retain = false);
  void event(const Open& request, std::uint32_t dword = 0x040002);

  // Data: `value` names the content of the blocks; 0 is zeros
  void write(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value,
             std::uint32_t blocks = 1);
  void write_through(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value);  ///< FUA
  void copy(std::uint16_t c, std::uint32_t nsid, std::uint64_t from, std::uint64_t to);  ///< of one block
  void read(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value,
            std::uint32_t blocks = 1);
  Open start_write(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value);
  Open start_read(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba);
  /// A fused Compare and Write of block 0 of namespace 1, submitted together or one by one, and fetched.
  std::array<Open, 2> start_pair(std::uint16_t c, std::uint64_t compared, std::uint64_t written,
                                 bool together = true);
  void end_read(const Open& open, std::uint64_t value);

  // Applications
  void app_submit(std::uint32_t id, std::uint8_t opcode, std::uint32_t nsid, std::uint64_t lba,
                  const std::vector<std::uint64_t>& digests = {}, std::uint16_t host = 0);
  void app_complete(std::uint32_t id, std::uint32_t error, const std::vector<std::uint64_t>& digests = {},
                    std::uint16_t host = 0);

  // Judgment
  Monitor judge(Time until = 0, const Options& options = {}) const;

  trace::Trace trace;

  static std::uint64_t digest(std::uint64_t value);
  std::vector<std::uint64_t> digests(std::uint64_t value, std::uint32_t blocks = 1) const;
  trace::BoundaryEvent make(trace::Boundary kind, std::uint16_t c, std::uint16_t q = 0);
  /// Address of the next buffer.
  std::uint64_t buffer(std::uint64_t bytes);
  std::uint16_t next_cid(std::uint16_t c, std::uint16_t q);

  std::uint32_t cc(bool enabled) const;  ///< as the history's hosts write it

 private:
  struct Ring {
    std::uint32_t entries = 0, tail = 0, head = 0;
    std::uint32_t posted = 0, released = 0;
    std::uint32_t cq_entries = 0;
    std::uint16_t vector = 0, cid = 0;
  };
  Ring& ring(std::uint16_t c, std::uint16_t q) { return rings_[{c, q}]; }

  std::map<std::pair<std::uint16_t, std::uint16_t>, Ring> rings_;
  Layout layout_;
  Time now_ = engine::kMicrosecond;
  std::uint64_t next_buffer_ = 0x1000000;
};

// Entries of commands
spec::SubmissionEntry admin_entry(std::uint8_t opcode, std::uint32_t nsid = 0, std::uint32_t cdw10 = 0,
                                  std::uint32_t cdw11 = 0);
spec::SubmissionEntry io_entry(std::uint8_t opcode, std::uint32_t nsid, std::uint64_t lba,
                               std::uint32_t blocks = 1);
spec::SubmissionEntry log_entry(std::uint8_t lid, std::uint32_t bytes, bool retain = false);

/// A structure as the bytes that a command carries.
template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  return {bytes, bytes + sizeof(T)};
}
std::vector<std::byte> list_bytes(const std::vector<std::uint32_t>& nsids);
std::vector<std::byte> controller_list_bytes(const std::vector<std::uint16_t>& ids);

}  // namespace polypath::model
