// The turns of a run with the next happening left to the caller: what may happen, letting it happen, and
// copies to come back to. docs/exploring.md says what counts as free.
#include <fmt/format.h>

#include <algorithm>

#include "device/device.h"
#include "target/runner.h"
#include "trace/text.h"

namespace polypath::target {

using program::Step;

// As try_begin, without beginning.
bool Runner::able_to_begin(std::size_t actor_index) {
  Actor& actor = actors_[actor_index];
  if (actor.waits || actor.next >= actor.steps.size()) return false;
  const Step& step = program_.steps[actor.steps[actor.next]];
  if (!step.after.empty()) {
    const auto before = labels_.find(step.after);
    if (before != labels_.end() && !outcomes_[before->second].done) return false;
  }
  if (step.at == engine::kForever || step.at <= world_.engine().now()) return true;
  try_begin(actor_index);  // asks to be woken then
  return false;
}

engine::Time Runner::until() {
  if (end_ == engine::kForever && over()) end_ = world_.engine().now() + kRest;
  return std::min(limits_.virtual_time, end_);
}

void Runner::choices(std::vector<Choice>& out, Grain grain) {
  out.clear();
  engine::Engine& engine = world_.engine();
  if (!started_) {
    started_ = true;
    engine.set_cause({});
    start_hosts();
  }
  const bool ready = hosts_ready();
  if (ready) {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      if (able_to_begin(i)) out.push_back({Choice::Kind::begin, i});
    }
  }
  const engine::Time limit = until();
  if (!ready) {
    if (engine.next_time() <= limit && !engine.idle()) out.push_back({Choice::Kind::timer, 0});
    return;
  }
  bool settled = true;
  std::vector<std::uint64_t> names;  // of what is on offer: equal names are one choice
  bool forced = false;
  const auto offer = [&](Choice::Kind kind, std::size_t position, const engine::Event& event) {
    settled = false;
    const std::uint64_t name = world_.name_of(event);
    if (forced || std::find(names.begin(), names.end(), name) != names.end()) return;
    const bool soon = grain == Grain::commands && (kind == Choice::Kind::ready || World::is_message(event));
    if (name == 0 || soon) {
      forced = true;
      out.assign(1, {kind, position});
      return;
    }
    names.push_back(name);
    out.push_back({kind, position});
  };
  for (std::size_t i = 0; i < engine.ready_count(); ++i) offer(Choice::Kind::ready, i, engine.ready_at(i));
  std::size_t position = 0;
  engine.for_each_pending([&](const engine::Event& event) {
    if (World::duration_is_free(event)) offer(Choice::Kind::pending, position, event);
    ++position;
  });
  if (!settled || engine.idle() || engine.next_time() > limit) return;
  // Timers of one moment may go off in any order.
  const engine::Time next = engine.next_time();
  position = 0;
  engine.for_each_pending([&](const engine::Event& event) {
    if (event.at == next) offer(Choice::Kind::timer, position, event);
    ++position;
  });
}

bool Runner::take(const Choice& choice) {
  if (++events_ > limits_.events || world_.trace().events().size() > limits_.trace_events) {
    limit_reached_ = true;
    return false;
  }
  engine::Engine& engine = world_.engine();
  if (choice.kind == Choice::Kind::begin) {
    try_begin(choice.position);
    return true;
  }
  if (choice.kind == Choice::Kind::ready) engine.choose_ready(static_cast<std::ptrdiff_t>(choice.position));
  if (choice.kind == Choice::Kind::pending || choice.kind == Choice::Kind::timer) {
    const bool timer = choice.kind == Choice::Kind::timer;
    if (!timer || hosts_ready()) engine.choose_pending(static_cast<std::ptrdiff_t>(choice.position), timer);
  }
  engine::Event event;
  bool ours = false;
  if (!world_.step(until(), event, ours)) return false;
  if (!ours) handle_own(event);
  drain();
  return true;
}

std::string Runner::event_text(const engine::Event& event) const {
  const device::Device& device = world_.device();
  const engine::Handle handle{event.whom, static_cast<std::uint32_t>(event.arg)};
  const auto command = [&](const char* what) {
    const device::Command* row = device.commands.get(handle);
    if (row == nullptr) return std::string("a command that is gone");
    const device::SubmissionQueue* sq = device.sqs.get(row->sq);
    const std::uint16_t qid = sq == nullptr ? std::uint16_t{0} : sq->qid;
    return fmt::format("{} {} cid {} of queue {}: {}", controller_name(row->controller), what, row->entry.cid,
                       qid, trace::command_text(qid, row->entry));
  };
  switch (static_cast<device::What>(event.what)) {
    case device::What::enabled:
      return controller_name(event.whom) + " becomes ready";
    case device::What::disabled:
      return controller_name(event.whom) + " ends its reset";
    case device::What::shutdown_done:
      return controller_name(event.whom) + " ends its shutdown";
    case device::What::report:
      return controller_name(event.whom) + " reports its events";
    case device::What::keep_alive:
      return "the Keep Alive timer of " + controller_name(event.whom) + " runs out";
    case device::What::self_test_done:
      return controller_name(event.whom) + " ends its self-test";
    case device::What::sanitize_done:
      return "the sanitize operation ends";
    case device::What::firmware_done:
      return "the activation of firmware ends";
    case device::What::coalesced:
      return fmt::format("{} tells of what vector {} gathered", controller_name(event.whom),
                         event.arg & 0xFFFFU);
    case device::What::message:
      return fmt::format("the interrupt of vector {} of {} arrives", event.arg, controller_name(event.whom));
    case device::What::fetch: {
      const device::SubmissionQueue* sq = device.sqs.get(handle);
      if (sq == nullptr) return "a queue that is gone";
      return fmt::format("{} fetches from queue {}", controller_name(sq->controller), sq->qid);
    }
    case device::What::execute:
      return command("executes");
    case device::What::post:
      return command("completes");
  }
  if (event.what < World::kRawInterrupt) return "the host goes on";
  return "time passes";
}

std::string Runner::text_of(const Choice& choice) const {
  const engine::Engine& engine = world_.engine();
  switch (choice.kind) {
    case Choice::Kind::begin: {
      const Actor& actor = actors_[choice.position];
      const Step& step = program_.steps[actor.steps[actor.next]];
      const auto* row = program::find_step(step.kind);
      return fmt::format("step {} begins: {} of {}", step.id, row == nullptr ? "?" : row->name, actor.name);
    }
    case Choice::Kind::ready:
      return event_text(engine.ready_at(choice.position));
    case Choice::Kind::pending: {
      std::size_t position = 0;
      std::string text;
      engine.for_each_pending([&](const engine::Event& event) {
        if (position++ == choice.position) text = event_text(event);
      });
      return text;
    }
    case Choice::Kind::timer:
      break;
  }
  return "time passes";
}

void Runner::hash_canonical(engine::Hasher& hasher) const {
  for (const Actor& actor : actors_) hasher.add(actor.next << 1U | (actor.waits ? 1U : 0U));
  for (const StepOutcome& outcome : outcomes_) {
    hasher.add((outcome.started ? 1U : 0U) | (outcome.done ? 2U : 0U) | (outcome.lost ? 4U : 0U));
    hasher.add(std::uint64_t{outcome.status} << 32U | static_cast<std::uint32_t>(outcome.error));
    hasher.add(std::uint64_t{outcome.dw1} << 32U | outcome.dw0);
    hasher.add_bytes(outcome.data.data(), outcome.data.size());
  }
  for (const auto& [name, value] : names_) {
    hasher.add(name);
    hasher.add(value);
  }
  std::uint64_t requests = 0;  // a sum has no order: their outcomes come by number
  for (const Request& r : requests_) {
    requests += engine::mix(engine::mix(r.step, std::uint64_t{r.stage} << 32U | r.where),
                            static_cast<std::uint64_t>(r.owner) << 1U | (r.live ? 1U : 0U));
  }
  hasher.add(requests);
  for (const RawState& raw : raw_) {
    raw.driver.hash(hasher);
    hasher.add(static_cast<std::uint64_t>(raw.handshake));
    for (const std::size_t step : raw.waiting) hasher.add(step);
  }
  std::uint64_t findings = 0;
  for (const StepFinding& f : findings_)
    findings += engine::mix(f.step, engine::hash_bytes(f.summary.data(), f.summary.size()));
  hasher.add(findings);
}

void Runner::snapshot(Snapshot& out) const {
  out = {actors_,   outcomes_,         names_,         requests_, workloads_, raw_,
         findings_, next_raw_request_, steps_done_,    events_,   end_,       limit_reached_,
         started_,  hosts_were_ready_, hosts_ready_at_};
}

void Runner::restore(const Snapshot& snapshot) {
  actors_ = snapshot.actors;
  outcomes_ = snapshot.outcomes;
  names_ = snapshot.names;
  requests_ = snapshot.requests;
  workloads_ = snapshot.workloads;
  raw_ = snapshot.raw;
  findings_ = snapshot.findings;
  next_raw_request_ = snapshot.next_raw_request;
  steps_done_ = snapshot.steps_done;
  events_ = snapshot.events;
  end_ = snapshot.end;
  limit_reached_ = snapshot.limit_reached;
  started_ = snapshot.started;
  hosts_were_ready_ = snapshot.hosts_were_ready;
  hosts_ready_at_ = snapshot.hosts_ready_at;
}

}  // namespace polypath::target
