// One call into the hosts: their state and the world around, with what the files of this room do to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "host/host.h"

namespace polypath::host {

inline constexpr std::uint32_t kAdminEntries = 32;
inline constexpr std::uint32_t kAdminTags = 30;  ///< the tag after them is the event request's
inline constexpr std::uint16_t kEventTag = 30;
inline constexpr Time kAdminTimeout = 60 * engine::kSecond;
inline constexpr Time kPollInterval = engine::kMillisecond;
inline constexpr Time kShutdownTimeout = 5 * engine::kSecond;
inline constexpr std::uint32_t kTransferBytesMax = 2U << 20U;  ///< of one command, where MDTS allows more

/// A completion as its owner sees it: from an entry, or made up by the host (no entry came).
struct Completion {
  std::uint16_t status = 0;  ///< 15 bits, Linux form
  bool cancelled = false;
  std::uint32_t dw0 = 0, dw1 = 0;
};

/// While it lives, what is scheduled and decided belongs to `cause`.
class CauseScope {
 public:
  CauseScope(engine::Engine& engine, engine::Cause cause) : engine_(engine), before_(engine.cause()) {
    engine_.set_cause(cause);
  }
  CauseScope(const CauseScope&) = delete;
  CauseScope& operator=(const CauseScope&) = delete;
  ~CauseScope() { engine_.set_cause(before_); }

 private:
  engine::Engine& engine_;
  engine::Cause before_;
};

struct Act {
  State& s;
  const Surroundings& world;

  Time now() const { return world.engine.now(); }
  port::Port& port(const Driver& d) const { return world.port(d.controller); }
  port::HostMemory& memory(std::uint32_t host) const {
    return world.port(s.drivers[s.hosts[host].drivers.front()].controller).memory();
  }
  void schedule(What what, std::uint32_t whom, std::uint64_t arg, Time at) const {
    world.engine.schedule(at, static_cast<std::uint16_t>(what), whom, arg);
  }
  void ready(What what, std::uint32_t whom, std::uint64_t arg) const {
    world.engine.ready(static_cast<std::uint16_t>(what), whom, arg);
  }
  void note(trace::Inside kind, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint64_t value) const;

  // queues.cpp: rings, tags, timers
  void make_queue(Driver& d, std::uint16_t qid, std::uint32_t entries, std::uint32_t tags,
                  std::uint16_t vector);
  /// Puts a command on its queue, or in its wait list.
  void submit(const Command& command);
  void submit_event_request(std::uint32_t driver);
  /// Takes what is new on a completion queue; `ring`: and says so to the controller.
  void reap(std::uint32_t driver, std::uint16_t qid, bool rings);
  /// Moves a doorbell, in memory where the controller looks there.
  void ring(const Driver& d, std::uint16_t qid, bool completion, std::uint32_t before, std::uint32_t now);
  void interrupt(std::uint32_t driver, std::uint16_t vector);
  void deadline(std::uint32_t driver, std::uint16_t qid);
  /// Ends everything on every queue: 0x371 for what was submitted, 0x370 for what waited.
  void cancel_all(std::uint32_t driver);

  // set_up.cpp: from CC.EN to live, resets, shutdown
  void begin_probe(std::uint32_t driver);
  void probe_next(std::uint32_t host);
  void begin_reset(std::uint32_t driver);
  void begin_release(std::uint32_t driver);
  void begin_shutdown(std::uint32_t driver, bool abrupt);
  void poll(std::uint32_t driver);
  void set_up_done(std::uint32_t driver, const Completion& completion);
  void go_on_draining(std::uint32_t driver);
  void die(std::uint32_t driver);
  void let_go(std::uint32_t driver);
  void set_state(std::uint32_t driver, ControllerState state);
  void leave_subsystem(std::uint32_t driver);

  // scan.cpp: which namespaces a controller shows
  void want_scan(std::uint32_t driver);
  void begin_scan(std::uint32_t driver);
  void stop_scan(std::uint32_t driver);
  void scan_done(std::uint32_t driver, const Completion& completion);
  void event_arrived(std::uint32_t driver, const Completion& completion);

  // heads.cpp: heads and their paths
  void add_path(std::uint32_t driver, std::uint32_t nsid, const Identity& identity, const Path& shown,
                bool shared);
  void update_path(Handle path, const Path& shown);
  void remove_path(Handle path);
  void kick(Handle head);
  void kick_all(std::uint32_t driver);
  void clear_current(Handle path);
  void free_head_if_done(Handle head);

  // io.cpp: applications
  std::uint32_t submit_io(std::uint32_t host, std::uint32_t subsystem, std::uint32_t nsid, const IoSpec& io);
  void route(std::uint32_t io);
  void requeue_work(Handle head);
  void io_done(const Command& command, const Completion& completion);
  void retry(Handle io);
  void tell_application(const Request& request);
  bool recount(Io& io) const;
  void end_io(std::uint32_t io, std::int32_t error, const Completion& completion, bool answered);

  // requests.cpp: passthrough and control requests, outcomes
  Handle make_request(RequestKind kind, std::uint32_t host, std::uint32_t driver);
  void end_request(Handle request);
  void end_request(Handle request, std::int32_t error);
  std::uint32_t submit_admin(std::uint32_t driver, const spec::SubmissionEntry& entry,
                             std::span<const std::byte> data, std::uint32_t bytes_to_host);
  void passthrough_done(const Command& command, const Completion& completion);

 private:
  // queues.cpp
  void put_on_ring(std::uint32_t command);
  void finish(std::uint32_t command, const Completion& completion);
  void own_done(std::uint32_t driver, const Completion& completion);
  void arm(Driver& d, Queue& queue, Time at);
  Time timeout_of(const Driver& d, const Queue& queue) const;
  // set_up.cpp
  void set_enable(Driver& d, bool on);
  void wait(std::uint32_t driver, Step step, Time limit);
  void send(std::uint32_t driver, const spec::SubmissionEntry& entry);
  void send_to_page(std::uint32_t driver, spec::SubmissionEntry entry);
  void program_and_enable(std::uint32_t driver);
  void parse_controller(std::uint32_t driver);
  bool join_subsystem(std::uint32_t driver);
  void next_queue(std::uint32_t driver);
  void configure_doorbells(std::uint32_t driver);
  void configure_events(std::uint32_t driver);
  void become_live(std::uint32_t driver);
  void torn_down(std::uint32_t driver);
  void delete_next_queue(std::uint32_t driver);
  void shut_down_controller(std::uint32_t driver);
  // scan.cpp
  void list_active(std::uint32_t driver);
  void next_listed(std::uint32_t driver);
  void take_list(std::uint32_t driver);
  void take_descriptors(std::uint32_t driver);
  void take_namespace(std::uint32_t driver);
  void remove_between(std::uint32_t driver, std::uint32_t after, std::uint32_t before);
  void end_scan(std::uint32_t driver);
  Handle path_of(const Driver& d, std::uint32_t nsid) const;
  // heads.cpp
  Handle find_head_for(const Driver& d, std::uint32_t nsid) const;
  bool identity_elsewhere(std::uint32_t host, Handle subsystem, std::uint32_t nsid, const Identity& identity,
                          bool same_subsystem) const;
  Handle make_head(std::uint32_t driver, std::uint32_t nsid, const Identity& identity, const Path& shown,
                   bool shared);
  void remove_head(Handle head);
  void note_head(Handle head) const;
  // io.cpp
  void dispatch(std::uint32_t io, Handle path);
  void put_in_requeue_list(std::uint32_t io);
};

}  // namespace polypath::host
