// A World in front of a machine: what it completed enters the engine in one place, poll_machine().
#include "target/machine.h"

#include <fmt/format.h>

#include <chrono>
#include <string_view>

#include "device/device.h"
#include "spec/registers.h"
#include "target/machine_port.h"

namespace polypath::target {
namespace {

// Real time, outside of any world: a machine that owes a completion so long is taken for stuck.
constexpr auto kPatience = std::chrono::seconds(2);
constexpr int kTurnsForEvents = 4;
constexpr std::uint8_t kAsyncEventRequest = 0x0C;
constexpr std::string_view kFault =
    "plants a fault, which only the simulated device has; leave it out, or run it on the simulator";

}  // namespace

std::uint64_t World::MachinePort::read_register(std::uint32_t offset, unsigned bytes) {
  const std::uint64_t value = world_.machine_->read_register(controller_, offset, bytes);
  if (!world_.machine_->obituary().empty()) return value;  // nobody answered
  world_.state_.observers[controller_].register_read(world_.device_surroundings().scene(controller_), offset,
                                                     value, bytes);
  return value;
}

void World::MachinePort::write_register(std::uint32_t offset, std::uint64_t value, unsigned bytes) {
  // What was completed before belongs before.
  world_.take_completions(controller_);
  world_.state_.observers[controller_].register_write(world_.device_surroundings().scene(controller_), offset,
                                                      value, bytes);
  if (offset == spec::reg::cc && spec::cc::en.get(value) == 0) {
    world_.seen_[controller_].clear();
    world_.given_up_[controller_] = 0;
  }
  world_.machine_->write_register(controller_, offset, value, bytes);
}

void World::MachinePort::doorbell_moved(std::uint16_t qid, bool completion, std::uint32_t value,
                                        std::uint32_t event_index) {
  world_.state_.observers[controller_].doorbell_moved(world_.device_surroundings().scene(controller_), qid,
                                                      completion, value, event_index);
}

void describe_machine(const Machine& machine, trace::TraceHeader& header) {
  header.source = machine.name();
  for (auto& controller : header.controllers) {
    controller.observed = trace::observed::registers | trace::observed::doorbells |
                          trace::observed::submissions | trace::observed::completions |
                          trace::observed::data | trace::observed::async_events;
  }
}

std::string find_machine_problem(const program::Step& step) {
  if (step.kind == program::StepKind::fault) return std::string(kFault);
  if (step.kind >= program::StepKind::flr && step.kind <= program::StepKind::zone_offline) {
    return fmt::format(
        "`{}` comes from outside the controller, which only the simulator can do; leave it out",
        program::find_step(step.kind)->name);
  }
  if (step.kind == program::StepKind::expect && step.find(program::Field::list) != nullptr) {
    return "`expect: list` looks into the simulated device; ask the controller instead, with "
           "`admin: {opcode: identify, cdw10: 2}`";
  }
  return "";
}

std::string find_machine_problem(const program::Program& program) {
  if (!program.faults.empty()) return std::string(kFault);
  for (const program::Step& step : program.steps) {
    const std::string problem = find_machine_problem(step);
    if (!problem.empty()) return fmt::format("step {}: {}", step.id, problem);
  }
  return "";
}

std::string World::obituary() const {
  if (machine_ == nullptr || machine_->obituary().empty()) return "";
  return fmt::format("{} ended: {}", machine_->name(), machine_->obituary());
}

// The entry that a completion queue shows behind `at`, if it is new; `at` then stands behind it.
bool World::next_completion(std::uint32_t controller, std::uint16_t qid, Seen& at, std::uint64_t& address,
                            spec::CompletionEntry& entry) const {
  const port::Observer::Ring& ring = state_.observers[controller].state().queues[qid].cq;
  if (ring.memory.base != at.base) at = {ring.memory.base, 0, true};
  if (ring.memory.base == 0 || ring.entries == 0) return false;
  address = ring.memory.at(std::uint64_t{at.head} * sizeof entry);
  if (!functions_[controller].memory->read_value(address, entry) || entry.phase() != at.phase) return false;
  at.head = (at.head + 1) % ring.entries;
  if (at.head == 0) at.phase = !at.phase;
  return true;
}

std::uint32_t World::completions_waiting(std::uint32_t controller, std::uint16_t qid) {
  std::uint64_t address = 0;
  spec::CompletionEntry entry;
  std::uint32_t count = 0;
  for (Seen at = seen_[controller][qid]; next_completion(controller, qid, at, address, entry);) ++count;
  return count;
}

std::uint32_t World::take_completions(std::uint32_t controller, std::uint16_t qid, std::uint32_t most) {
  std::uint64_t address = 0;
  spec::CompletionEntry entry;
  std::uint32_t taken = 0;
  while (taken < most && next_completion(controller, qid, seen_[controller][qid], address, entry)) {
    ++taken;
    state_.observers[controller].consumed(entry.sqid, entry.sqhd);
    state_.observers[controller].completed(device_surroundings().scene(controller), qid, address, entry);
    // A queue that this deleted begins anew if it comes back, though it be in the same place.
    for (std::size_t other = 0; qid == 0 && other < seen_[controller].size(); ++other) {
      if (state_.observers[controller].state().queues[other].cq.memory.base == 0)
        seen_[controller][other] = {};
    }
  }
  return taken;
}

// New entries of a controller's completion queues, told to the observer. True when there was one. Between
// queues the order is not known, but a queue's last commands end before its deletion does: of the Admin
// queue only what was there before the others were looked at is taken.
bool World::take_completions(std::uint32_t controller) {
  const std::size_t queues = state_.observers[controller].state().queues.size();
  if (queues == 0) return false;
  if (seen_[controller].size() < queues) seen_[controller].resize(queues);
  const std::uint32_t admin = completions_waiting(controller, 0);
  constexpr std::uint32_t kAll = ~std::uint32_t{0};
  std::uint32_t taken = 0;
  for (std::size_t qid = 1; qid < queues; ++qid) {
    taken += take_completions(controller, static_cast<std::uint16_t>(qid), kAll);
  }
  return taken + take_completions(controller, 0, admin) != 0;
}

// Does a controller have a command that does not wait for an event?
bool World::owes(std::uint32_t controller) const {
  const auto& queues = state_.observers[controller].state().queues;
  for (std::size_t qid = 0; qid < queues.size(); ++qid) {
    for (const std::uint32_t index : queues[qid].open_of_cid) {
      if (index == 0) continue;
      if (qid != 0 || queues[qid].open[index - 1].entry.opcode != kAsyncEventRequest) return true;
    }
  }
  return false;
}

// Looks until something was completed, or nothing is owed. Everything that the machine does enters here.
void World::poll_machine() {
  const auto begin = std::chrono::steady_clock::now();
  for (int turns = 0;; ++turns) {
    bool any = false, owed = false;
    for (std::uint32_t k = 0; k < seen_.size(); ++k) {
      if (take_completions(k)) {
        any = true;
        given_up_[k] = 0;
        state_.engine.inject(k, {}, state_.engine.now() + engine::kMicrosecond,
                             static_cast<std::uint16_t>(device::What::message), k);
      }
      owed = owed || (given_up_[k] == 0 && owes(k));
    }
    if (any || !machine_->obituary().empty()) return;
    // An event may come a moment after the completion of what caused it.
    if (!owed && turns >= kTurnsForEvents) return;
    if (owed && std::chrono::steady_clock::now() - begin > kPatience) {
      for (std::uint32_t k = 0; k < seen_.size(); ++k) given_up_[k] = owes(k) ? 1 : 0;
      return;
    }
    machine_->turn();
  }
}

}  // namespace polypath::target
