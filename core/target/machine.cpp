// A World in front of a machine: what it completed enters the engine in one place, poll_machine().
#include "target/machine.h"

#include <chrono>

#include "spec/registers.h"
#include "target/machine_port.h"

namespace polypath::target {
namespace {

// Real time, outside of any world: a machine that owes a completion so long is taken for stuck.
constexpr auto kPatience = std::chrono::seconds(2);
constexpr std::uint8_t kAsyncEventRequest = 0x0C;

}  // namespace

std::uint64_t World::MachinePort::read_register(std::uint32_t offset, unsigned bytes) {
  const std::uint64_t value = world_.machine_->read_register(controller_, offset, bytes);
  world_.state_.observers[controller_].register_read(world_.device_surroundings().scene(controller_), offset,
                                                     value, bytes);
  return value;
}

void World::MachinePort::write_register(std::uint32_t offset, std::uint64_t value, unsigned bytes) {
  // What was completed before belongs before.
  world_.take_completions(controller_);
  world_.state_.observers[controller_].register_write(world_.device_surroundings().scene(controller_), offset,
                                                      value, bytes);
  if (offset == spec::reg::cc && spec::cc::en.get(value) == 0) world_.seen_[controller_].clear();
  world_.machine_->write_register(controller_, offset, value, bytes);
}

void describe_machine(const Machine& machine, trace::TraceHeader& header) {
  header.source = machine.name();
  for (auto& controller : header.controllers) {
    controller.observed = trace::observed::registers | trace::observed::doorbells |
                          trace::observed::submissions | trace::observed::completions |
                          trace::observed::data | trace::observed::async_events;
  }
}

// New entries of a controller's completion queues, told to the observer. True when there was one.
bool World::take_completions(std::uint32_t controller) {
  bool any = false;
  port::Observer& observer = state_.observers[controller];
  auto& seen = seen_[controller];
  const port::HostMemory& memory = *functions_[controller].memory;
  for (std::size_t qid = 0; qid < observer.state().queues.size(); ++qid) {
    if (qid >= seen.size()) seen.resize(qid + 1);
    for (;;) {
      const port::Observer::Ring ring = observer.state().queues[qid].cq;
      if (ring.base == 0 || ring.entries == 0) break;
      if (seen[qid].base != ring.base) seen[qid] = {ring.base, 0, true};
      const std::uint64_t address = ring.base + std::uint64_t{seen[qid].head} * sizeof(spec::CompletionEntry);
      spec::CompletionEntry entry;
      if (!memory.read_value(address, entry) || ((entry.status_word & 1U) != 0) != seen[qid].phase) break;
      seen[qid].head = (seen[qid].head + 1) % ring.entries;
      if (seen[qid].head == 0) seen[qid].phase = !seen[qid].phase;
      observer.completed(device_surroundings().scene(controller), static_cast<std::uint16_t>(qid), address,
                         entry);
      any = true;
    }
  }
  return any;
}

// Does a controller have a command that does not wait for an event?
bool World::machine_owes() const {
  for (const port::Observer& observer : state_.observers) {
    for (std::size_t qid = 0; qid < observer.state().queues.size(); ++qid) {
      const auto& queue = observer.state().queues[qid];
      for (const std::uint32_t index : queue.open_of_cid) {
        if (index == 0) continue;
        if (qid != 0 || queue.open[index - 1].entry.opcode != kAsyncEventRequest) return true;
      }
    }
  }
  return false;
}

void World::poll_machine() {
  const auto begin = std::chrono::steady_clock::now();
  for (int turns = 0;; ++turns) {
    bool any = false;
    for (std::uint32_t k = 0; k < seen_.size(); ++k) {
      if (!take_completions(k)) continue;
      any = true;
      state_.engine.inject(k, {}, state_.engine.now() + engine::kMicrosecond, kRawInterrupt, k);
    }
    if (any || !machine_->obituary().empty()) return;
    // An event may come a moment after the completion of what caused it.
    if ((!machine_owes() || machine_stuck_) && turns >= 4) return;
    if (std::chrono::steady_clock::now() - begin > kPatience) {
      machine_stuck_ = true;
      return;
    }
    machine_->turn();
  }
}

}  // namespace polypath::target
