#include "target/runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "spec/status.h"
#include "target/pattern.h"

namespace polypath::target {

using program::Field;
using program::Step;
using program::StepKind;
using program::Value;

Runner::Runner(World& world, const program::Program& program, RunLimits limits)
    : world_(world), program_(program), limits_(limits) {
  outcomes_.resize(program_.steps.size());
  raw_.resize(world_.controllers());
  for (std::size_t i = 0; i < program_.steps.size(); ++i) assign(i);
}

// Makes a step of the program its actor's.
void Runner::assign(std::size_t index) {
  const Step& step = program_.steps[index];
  outcomes_[index].step = step.id;
  if (!step.label.empty()) labels_.emplace(step.label, index);
  const std::string_view name = step.actor.empty() ? std::string_view("main") : std::string_view(step.actor);
  auto actor = std::find_if(actors_.begin(), actors_.end(), [&](const Actor& a) { return a.name == name; });
  if (actor == actors_.end()) {
    actors_.push_back({});
    actor = actors_.end() - 1;
    actor->name = name;
  }
  actor->steps.push_back(index);
}

void Runner::forget_steps_after(const Snapshot& prepared) {
  const std::size_t first = prepared.outcomes.size();
  program_.steps.resize(first);
  std::erase_if(labels_, [first](const auto& label) { return label.second >= first; });
}

void Runner::resume_with_steps(const Snapshot& prepared) {
  restore(prepared);
  const std::size_t first = outcomes_.size();
  outcomes_.resize(program_.steps.size());
  for (std::size_t i = first; i < program_.steps.size(); ++i) assign(i);
}

bool Runner::advance() {
  engine::Engine& engine = world_.engine();
  if (!started_) {
    started_ = true;
    engine.set_cause({});
    start_hosts();
  }
  if (++events_ > limits_.events || world_.trace().events().size() > limits_.trace_events) {
    limit_reached_ = true;
    return false;
  }
  if (machine_ended()) return false;
  if (hosts_ready()) {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      if (try_begin(i)) return true;
    }
  }
  // Once nothing is asked for any more, the world gets a moment to come to rest; timers that guard what has
  // long ended (a host's queue deadlines) are not waited for.
  if (end_ == engine::kForever && over()) end_ = engine.now() + kRest;
  const engine::Time until = std::min(limits_.virtual_time, end_);
  engine::Event event;
  bool ours = false;
  if (!world_.step(until, event, ours)) {
    limit_reached_ = end_ == engine::kForever && engine.now() >= limits_.virtual_time && !engine.idle();
    return false;
  }
  if (!ours) handle_own(event);
  drain();
  return true;
}

// What it owed will not come.
bool Runner::machine_ended() {
  if (world_.machine() == nullptr) return false;
  if (!machine_ended_) {
    const std::string obituary = world_.obituary();
    if (obituary.empty()) return false;
    machine_ended_ = true;
    findings_.push_back({world_.engine().cause().id, world_.engine().now(), obituary, false, true});
  }
  limit_reached_ = true;
  return true;
}

bool Runner::over() const {
  for (const Actor& actor : actors_) {
    if (actor.waits || actor.next < actor.steps.size()) return false;
  }
  for (const Workload& load : workloads_) {
    if (!outcomes_[load.step].done) return false;
  }
  // An event request may wait for ever: it holds nobody up.
  const bool asked = std::any_of(requests_.begin(), requests_.end(), [&](const Request& r) {
    constexpr std::uint8_t kAsyncEventRequest = 0x0C;
    const Step& step = program_.steps[r.step];
    const bool admin =
        step.kind == StepKind::admin || (step.kind == StepKind::submit && step.number(Field::queue) == 0);
    return !admin || step.number(Field::opcode) != kAsyncEventRequest;
  });
  if (asked || !hosts_ready()) return false;
  for (std::uint32_t host = 0; host < program_.hosts.size(); ++host) {
    if (!world_.hosts().settled(host)) return false;
  }
  return true;
}

bool Runner::try_begin(std::size_t actor_index) {
  Actor& actor = actors_[actor_index];
  if (actor.waits || actor.next >= actor.steps.size()) return false;
  const std::size_t index = actor.steps[actor.next];
  const Step& step = program_.steps[index];
  if (!step.after.empty()) {
    const auto before = labels_.find(step.after);
    if (before != labels_.end() && !outcomes_[before->second].done) return false;
  }
  engine::Engine& engine = world_.engine();
  if (step.at != engine::kForever && step.at > engine.now()) {
    if (!engine.pending(actor.wake)) {
      engine.set_cause({step.id, step.latitude});
      actor.wake =
          engine.schedule_cancellable(step.at, kWakeActor, static_cast<std::uint32_t>(actor_index), 0);
    }
    return false;
  }
  ++actor.next;
  actor.waits = !step.nowait;
  actor.free_since = engine.now();
  outcomes_[index].started = true;
  outcomes_[index].begun_at = engine.now();
  begin(index);
  return true;
}

void Runner::begin(std::size_t index) {
  const Step& step = program_.steps[index];
  engine::Engine& engine = world_.engine();
  engine.set_cause({step.id, step.latitude});
  trace::InsideEvent note;
  note.time = engine.now();
  note.kind = trace::Inside::step_begin;
  note.a = step.id;
  note.cause = step.id;
  world_.trace().annotate(note);
  switch (step.kind) {
    case StepKind::write:
    case StepKind::read:
    case StepKind::flush:
    case StepKind::compare:
    case StepKind::write_zeroes:
      begin_io(index);
      return;
    case StepKind::workload:
      begin_workload(index);
      return;
    case StepKind::attach:
    case StepKind::detach:
    case StepKind::create_ns:
    case StepKind::delete_ns:
    case StepKind::policy:
    case StepKind::reset:
    case StepKind::shutdown:
    case StepKind::rescan:
      begin_management(index);
      return;
    case StepKind::admin:
    case StepKind::io:
    case StepKind::submit:
      begin_raw_command(index);
      return;
    case StepKind::register_write:
    case StepKind::register_read:
    case StepKind::doorbell:
    case StepKind::create_queue_pair:
    case StepKind::delete_queue_pair:
    case StepKind::take:
    case StepKind::give:
    case StepKind::enable:
    case StepKind::disable:
    case StepKind::mask_vector:
    case StepKind::reap:
    case StepKind::flr:
    case StepKind::hot_reset:
    case StepKind::power_cycle:
    case StepKind::fatal:
    case StepKind::zone_read_only:
    case StepKind::zone_offline:
      begin_raw(index);
      return;
    case StepKind::wait: {
      const auto actor = std::find_if(actors_.begin(), actors_.end(), [&](const Actor& a) {
        return a.next > 0 && a.steps[a.next - 1] == index;
      });
      const auto whom = static_cast<std::uint32_t>(actor - actors_.begin());
      engine.schedule(engine.now() + step.number(Field::duration), kWakeActor, whom, index + 1);
      return;
    }
    case StepKind::expect:
      check_expect(index);
      break;
    case StepKind::fault: {
      const Value* id = step.find(Field::fault);
      if (id == nullptr || !world_.set_fault(id->text, step.number(Field::enabled, 1) != 0)) {
        unable(index, "names no planted fault of this build; see `polypath mutants list`");
        return;
      }
      break;
    }
    case StepKind::nothing:
      break;
  }
  finish(index);
}

void Runner::finish(std::size_t index) {
  StepOutcome& outcome = outcomes_[index];
  if (outcome.done) return;
  outcome.done = true;
  ++steps_done_;
  const Step& step = program_.steps[index];
  trace::InsideEvent note;
  note.time = world_.engine().now();
  note.kind = trace::Inside::step_end;
  note.a = step.id;
  note.b = outcome.error != 0 ? static_cast<std::uint32_t>(outcome.error) : outcome.status;
  note.cause = step.id;
  world_.trace().annotate(note);
  expect_status(index);
  free_actor(index, world_.engine().now());
}

// A recorded command never makes its actor wait, but its outcome still belongs to it.
void Runner::finish_later(std::size_t index) { free_actor(index, world_.engine().now()); }

void Runner::free_actor(std::size_t index, engine::Time since) {
  for (Actor& actor : actors_) {
    if (!actor.waits || actor.next == 0 || actor.steps[actor.next - 1] != index) continue;
    actor.waits = false;
    actor.free_since = since;
  }
}

void Runner::expect_status(std::size_t index) {
  const Step& step = program_.steps[index];
  const StepOutcome& outcome = outcomes_[index];
  if (const Value* wanted = step.find(Field::status)) {
    // With DNR in the expectation it must agree too; without it only SCT and SC are compared.
    const bool with_dnr = (wanted->number & spec::kStatusDnr) != 0;
    const auto seen = static_cast<unsigned>(outcome.status & (with_dnr ? 0x47FFU : 0x7FFU));
    if (outcome.lost) {
      fail(index, fmt::format("expected status {}, but the command was lost",
                              spec::status_name(spec::status_of(static_cast<unsigned>(wanted->number)))));
    } else if (seen != (wanted->number & 0x47FFU)) {
      fail(index, fmt::format("expected status {}, got {}{}",
                              spec::status_name(spec::status_of(static_cast<unsigned>(wanted->number))),
                              spec::status_name(spec::status_of(outcome.status)),
                              (outcome.status & spec::kStatusDnr) != 0 ? " (do not retry)" : ""));
    }
  }
  if (step.find(Field::error) != nullptr && static_cast<int>(step.number(Field::error)) != outcome.error) {
    fail(index, fmt::format("expected errno {}, got {}", step.number(Field::error), outcome.error));
  }
  if (step.find(Field::result) != nullptr && step.number(Field::result) != outcome.dw0) {
    fail(index, fmt::format("expected result {:#x}, got {:#x}", step.number(Field::result), outcome.dw0));
  }
}

void Runner::check_data(std::size_t index, const Expected& expected, std::span<const std::byte> data) {
  if (!expected.check) return;
  const std::size_t at = first_difference(expected.tag, expected.offset, data);
  if (at == data.size()) return;
  fail(index, fmt::format("read data differs from tag {} at byte {} of {}",
                          program_.steps[index].find(Field::equals)->text, at, data.size()));
}

void Runner::fail(std::size_t index, const std::string& summary) {
  if (!limits_.step_findings) return;
  findings_.push_back({program_.steps[index].id, world_.engine().now(), summary, false});
}

void Runner::unable(std::size_t index, const std::string& why) {
  if (!limits_.step_findings) {
    finish(index);
    return;
  }
  const auto* row = program::find_step(program_.steps[index].kind);
  findings_.push_back({program_.steps[index].id, world_.engine().now(),
                       fmt::format("step {} cannot run: {}", row == nullptr ? "?" : row->name, why), true});
  finish(index);
}

void Runner::handle_own(const engine::Event& event) {
  switch (event.what) {
    case kWakeActor:
      if (event.arg != 0) finish(event.arg - 1);  // the end of a `wait`
      break;
    case kPollReady:
      poll_ready(event.whom);
      break;
    case kWorkloadTick:
      workload_tick(event.whom);
      break;
    case World::kRawInterrupt:
      reap(event.whom);
      break;
    default:
      break;
  }
}

void Runner::hash(engine::Hasher& hasher) const {
  for (const Actor& actor : actors_) hasher.add(actor.next << 1U | (actor.waits ? 1U : 0U));
  for (const RawState& raw : raw_) raw.driver.hash(hasher);
  for (const StepOutcome& outcome : outcomes_) {
    hasher.add(std::uint64_t{outcome.status} << 32U | static_cast<std::uint32_t>(outcome.error));
  }
}

}  // namespace polypath::target
