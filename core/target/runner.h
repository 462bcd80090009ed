// Runs a program on a world: actors in turn, steps as the text says them, outcomes bound to names,
// expectations checked. What the device and the hosts then do is theirs.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/random.h"
#include "program/program.h"
#include "target/raw_driver.h"
#include "target/world.h"

namespace polypath::target {

/// A step whose expectation did not hold, or that could not be carried out.
struct StepFinding {
  std::uint32_t step = 0;  ///< step id
  engine::Time time = 0;
  std::string summary;   ///< one line: what was expected, what was seen
  bool unable = false;   ///< the step could not be carried out at all (an operand resolves to nothing)
  bool machine = false;  ///< the machine ended during it

  /// What stands where a model's finding has its rule.
  const char* rule() const { return machine ? "MACHINE" : "EXPECT"; }
};

/// How a step ended.
struct StepOutcome {
  std::uint32_t step = 0;
  bool started = false, done = false;
  bool lost = false;  ///< no completion came: a reset or a lost queue
  engine::Time begun_at = 0;
  std::uint16_t status = 0;  ///< 15 bits, Linux form (DNR 0x4000)
  int error = 0;             ///< errno of an application's request
  std::uint32_t dw0 = 0, dw1 = 0;
  std::vector<std::byte> data;     ///< controller-to-host data of raw commands and reads (when kept)
  spec::DoorbellBuffer doorbells;  ///< pages that were made for a Doorbell Buffer Config
};

struct RunLimits {
  engine::Time virtual_time = 3600 * engine::kSecond;
  std::uint64_t events = 50'000'000;     ///< turns of the engine
  std::size_t trace_events = 8'000'000;  ///< boundary events kept: about a gigabyte
  bool keep_data = false;     ///< keep the data of every read (Python); otherwise only what is checked
  bool step_findings = true;  ///< false: steps that cannot run or disappoint pass in silence (fuzzing)
};

class Runner {
 public:
  Runner(World& world, const program::Program& program, RunLimits limits = {});

  /// Lets one thing happen: a step begins or an event is handled. False when the program has ended and the
  /// world is quiet, or a limit was reached.
  bool advance();
  void run() {
    while (advance()) {
    }
  }

  bool limit_reached() const { return limit_reached_; }
  /// Has the machine that the world stands before ended? Then the run is over, and that is a finding.
  bool machine_ended();
  const std::vector<StepFinding>& findings() const { return findings_; }
  const std::vector<StepOutcome>& outcomes() const { return outcomes_; }
  std::uint64_t steps_done() const { return steps_done_; }

  /// The run's own state as part of a world's hash.
  void hash(engine::Hasher& hasher) const;

  // live.cpp: a program that grows while it runs. Whatever is done through these, the program that results
  // runs the same from its start: equal traces, equal states.
  const program::Program& program() const { return program_; }
  /// One step more, which begins when the turn of its actor comes. Its id is chosen here. Returns its index.
  std::size_t append(program::Step step);
  /// Takes the last step back: it has not begun, or could not be carried out. What it found goes with it.
  void withdraw_last();
  /// Its actor goes on without the outcome of a step that has begun, as if it had said `nowait` from the
  /// start.
  void let_go(std::size_t index);
  /// The actor, whose steps have all begun and wait for nothing, has let time pass since and goes on at
  /// `until` (after now). Nothing else may be pending at that very moment.
  std::size_t append_pause(const std::string& actor, engine::Time until);
  /// Every step of this actor has begun, and none holds it up.
  bool at_rest(const std::string& actor) const;
  /// The hosts have started, so that steps may begin.
  bool ready() const { return hosts_ready(); }
  /// A run that has come to its end, or to a limit, may go on.
  void reopen();
  /// The label of a step, given now if it had none.
  const std::string& label(std::size_t index);
  /// Data of a step's outcome, moved out.
  std::vector<std::byte> take_data(std::size_t index) { return std::move(outcomes_[index].data); }
  void limit_virtual_time(engine::Time most) { limits_.virtual_time = most; }
  const RawDriver& raw_driver(std::uint32_t controller) const { return raw_[controller].driver; }
  /// Bytes of a logical block as things are: `ns` is a name or an NSID of the controller's subsystem.
  std::uint32_t block_bytes_of(const program::Value& ns, std::uint32_t controller) const;

  // choices.cpp: the same turns, with what happens next left to the caller (exploration)
  /// One thing that may happen next.
  struct Choice {
    enum class Kind : std::uint8_t {
      begin,    ///< an actor begins its next step; position: the actor
      ready,    ///< position in the engine's ready set
      pending,  ///< a timed event whose duration is free, now; position in the order of time
      timer     ///< time passes up to the earliest timed event; position as for pending
    };
    Kind kind = Kind::timer;
    std::size_t position = 0;
    bool operator==(const Choice&) const = default;
  };
  enum class Grain : std::uint8_t {
    events,   ///< every fetch and every interrupt has a moment of its own
    commands  ///< fetches and interrupts follow at once: the moments are begin and effect
  };
  /// What may happen next: the first is what comes first in the order of the program and of time. Empty when
  /// the run has ended. Set-up of the hosts and events that find nothing leave no choice.
  void choices(std::vector<Choice>& out, Grain grain = Grain::events);
  /// Lets it happen. False when a limit was reached.
  bool take(const Choice& choice);
  /// "step 3 reset begins", "nvme1 executes cid 4 of queue 1".
  std::string text_of(const Choice& choice) const;
  void hash_canonical(engine::Hasher& hasher) const;
  struct Snapshot;
  void snapshot(Snapshot& out) const;
  /// Back to a snapshot of this runner; the world is restored by the caller.
  void restore(const Snapshot& snapshot);
  /// The same, with other steps behind those that `prepared` knew of: one prepared world serves many programs
  /// that begin alike. `append` gets the steps of the program and puts its own behind them.
  template <class Append>
  void resume(const Snapshot& prepared, Append&& append) {
    forget_steps_after(prepared);
    append(program_.steps);
    resume_with_steps(prepared);
  }

 private:
  struct Actor {
    std::string name;
    std::vector<std::size_t> steps;  ///< indices into the program, in order
    std::size_t next = 0;
    bool waits = false;  ///< for the outcome of its step
    engine::Time free_since = 0;
    engine::Ticket wake;
  };
  /// A load that runs beside the steps.
  struct Workload {
    std::size_t step = 0;
    std::uint32_t host = 0, nsid = 0, subsystem = 0, block_bytes = 512;
    std::uint64_t first_lba = 0, lbas = 0;
    std::uint32_t blocks = 8, depth = 4, read_percent = 50;
    engine::Time until = 0, interval = 0;
    std::uint32_t in_flight = 0, waiting = 0, number = 0;
    std::uint64_t done = 0, errors = 0, writes = 0;
    engine::Random random;
    bool ticking = false;
  };
  struct Expected {
    bool check = false;
    std::uint64_t tag = 0, offset = 0;
    std::uint32_t block = 0,
                  inside = 0;  ///< bytes of a block's data, and of its metadata behind it in the buffer
  };
  enum class Owner : std::uint8_t { application, passthrough, raw };
  struct Request {
    Owner owner = Owner::application;
    std::uint32_t id = 0;     ///< host request id, or raw request id
    std::uint32_t where = 0;  ///< host index (application), controller (others)
    std::size_t step = 0;     ///< program index
    std::int32_t workload = -1;
    std::uint32_t stage = 0;  ///< create_queue_pair and others go through several commands
    Expected expected;
    bool duplicate = false;   ///< creates a queue pair whose identifier is in use
    bool was_usable = false;  ///< the queue pair that it deletes, before it began
    bool live = true;
  };
  struct RawState {
    RawDriver driver;
    /// Of EN and RDY. One step at a time: the others wait for their turn.
    enum class Handshake : std::uint8_t { none, clearing, enabling, disabling };
    Handshake handshake = Handshake::none;
    std::size_t step = 0;  ///< that waits for RDY
    engine::Time deadline = 0;
    std::vector<std::size_t> waiting;  ///< steps
  };

  // choices.cpp
  bool able_to_begin(std::size_t actor);
  engine::Time until();
  std::string event_text(const engine::Event& event) const;

  // runner.cpp: turns, waiting, outcomes
  void forget_steps_after(const Snapshot& prepared);
  void resume_with_steps(const Snapshot& prepared);
  void assign(std::size_t index);
  void free_actor(std::size_t index, engine::Time since);
  bool over() const;
  bool try_begin(std::size_t actor);
  void begin(std::size_t index);
  void finish(std::size_t index);
  void finish_later(std::size_t index);
  void unable(std::size_t index, const std::string& why);
  void fail(std::size_t index, const std::string& summary);
  void drain();
  void bind_outcome(std::size_t index);
  std::uint32_t path_of(const Request& request) const;
  void change_hands(std::size_t index, std::uint32_t controller, bool take);
  bool raw_submit_admin(std::size_t index, std::uint32_t controller, const spec::SubmissionEntry& entry,
                        std::span<const std::byte> data);
  void handle_own(const engine::Event& event);
  void expect_status(std::size_t index);

  // operands.cpp: what names and live sets mean when a step runs
  bool controller_of(const program::Value* value, std::uint32_t& out) const;
  bool controllers_of(const program::Value* value, std::vector<std::uint32_t>& out) const;
  bool host_of(const program::Step& step, std::uint32_t& out) const;
  bool ns_of(const program::Value* value, std::uint32_t controller, std::uint32_t& nsid) const;
  std::uint32_t nsid_number(const program::Value& value, std::uint32_t controller) const;
  std::string controller_name(std::uint32_t controller) const;
  std::string ns_name(std::uint32_t subsystem, std::uint32_t nsid) const;
  bool target_of(const program::Step& step, std::uint32_t& host, std::uint32_t& subsystem,
                 std::uint32_t& nsid) const;
  std::uint32_t block_bytes_in(std::uint32_t subsystem, std::uint32_t nsid) const;

  // steps_*.cpp: one function per family
  void start_hosts();
  bool hosts_ready() const;
  void submit_io(Request request, std::uint32_t subsystem, std::uint32_t nsid, std::uint8_t opcode,
                 std::uint64_t lba, std::uint32_t blocks, std::span<const std::byte> data);
  void begin_io(std::size_t index);
  void begin_workload(std::size_t index);
  void workload_tick(std::size_t workload);
  void workload_submit(std::size_t workload);
  void workload_done(std::size_t workload, int error);
  void begin_management(std::size_t index);
  void begin_raw(std::size_t index);
  void begin_raw_command(std::size_t index);
  bool begin_passthrough(std::size_t index, std::uint32_t controller, const spec::SubmissionEntry& entry,
                         std::span<const std::byte> data, std::uint32_t length);
  void queue_pair_next(Request& request);
  void reap(std::uint32_t controller);
  void take_doorbells(std::uint32_t controller, const StepOutcome& outcome);
  void forget_deleted(std::uint32_t controller, std::size_t index, const StepOutcome& outcome);
  void raw_outcomes(std::uint32_t controller, const std::vector<RawOutcome>& done);
  void begin_handshake(std::uint32_t controller, std::size_t index);
  void stop_handshake(std::uint32_t controller);
  void enable_raw(std::uint32_t controller);
  void lose_raw(std::uint32_t controller);
  void lose_raw_subsystem(std::uint32_t controller);
  void reset_from_outside(std::uint32_t controller, trace::FunctionEvent what);
  void poll_ready(std::uint32_t controller);
  void check_expect(std::size_t index);
  void check_heads(std::size_t index, const program::Value& heads);
  void read_data(std::uint32_t controller, const RawOutcome& result, const Expected& expected,
                 std::span<std::byte> out);
  void check_data(std::size_t index, const Expected& expected, std::span<const std::byte> data);
  spec::SubmissionEntry entry_of(const program::Step& step, std::uint32_t controller,
                                 std::uint16_t qid) const;
  /// What a command sends: empty when it sends nothing, or zeros only. Valid until the next call.
  std::span<const std::byte> payload_of(const program::Step& step, std::uint32_t controller,
                                        const spec::SubmissionEntry& entry, std::uint16_t qid,
                                        std::uint32_t length);
  std::span<const std::byte> controller_list(const std::vector<std::uint32_t>& controllers);
  std::span<std::byte> payload_room(std::size_t bytes);
  std::uint32_t block_bytes(std::uint32_t controller, std::uint32_t nsid) const;
  // steps_metadata.cpp
  spec::BlockFormat block_format(std::uint32_t controller, std::uint32_t nsid) const;
  static void leave_out_metadata(const Expected& expected, std::vector<std::byte>& data);
  /// Reference tags as hosts use them, where the step names none.
  static void usual_tags(const program::Step& step, const spec::BlockFormat& format,
                         spec::SubmissionEntry& entry);
  /// Puts metadata, with protection information as the entry describes it, into metadata_, and between the
  /// data where they belong there. Gives what the data pointer leads to.
  std::span<const std::byte> add_metadata(const program::Step& step, const spec::BlockFormat& format,
                                          const spec::SubmissionEntry& entry,
                                          std::span<const std::byte> data);

  static constexpr engine::Time kRest = engine::kSecond;
  static constexpr std::uint32_t kTakesController =
      99;  ///< stage of a request that ends with the raw driver in charge
  static constexpr std::uint16_t kWakeActor = World::kWake;         ///< whom: actor
  static constexpr std::uint16_t kPollReady = World::kWake + 1;     ///< whom: controller
  static constexpr std::uint16_t kWorkloadTick = World::kWake + 2;  ///< whom: workload

  World& world_;
  program::Program program_;
  RunLimits limits_;
  std::vector<Actor> actors_;
  std::vector<StepOutcome> outcomes_;           ///< by program index
  std::map<std::string, std::size_t> labels_;   ///< label to program index
  std::map<std::string, std::uint64_t> names_;  ///< bound outcomes
  std::vector<Request> requests_;
  std::vector<Workload> workloads_;
  std::vector<RawState> raw_;  ///< by controller
  std::vector<StepFinding> findings_;
  std::uint32_t next_raw_request_ = 1;
  std::uint64_t steps_done_ = 0, events_ = 0;
  engine::Time end_ = engine::kForever;  ///< when the run is over, once that is known
  bool limit_reached_ = false, started_ = false, draining_ = false;
  bool machine_ended_ = false;
  mutable bool hosts_were_ready_ = false;
  mutable engine::Time hosts_ready_at_ = 0;
  std::vector<std::byte> metadata_, blocks_;
  std::vector<std::byte> payload_;  ///< room of payload_of: what it holds is of the last call
  std::vector<RawOutcome> reaped_;  ///< scratch of reap
};

/// What a Runner knows beyond its program: a value.
struct Runner::Snapshot {
  std::vector<Actor> actors;
  std::vector<StepOutcome> outcomes;
  std::map<std::string, std::uint64_t> names;
  std::vector<Request> requests;
  std::vector<Workload> workloads;
  std::vector<RawState> raw;
  std::vector<StepFinding> findings;
  std::uint32_t next_raw_request = 1;
  std::uint64_t steps_done = 0, events = 0;
  engine::Time end = engine::kForever;
  bool limit_reached = false, started = false, hosts_were_ready = false;
  engine::Time hosts_ready_at = 0;
};

}  // namespace polypath::target
