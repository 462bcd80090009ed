// Steps of applications: requests to multipath heads, and loads that run beside the steps.
#include <fmt/format.h>

#include <algorithm>

#include "target/pattern.h"
#include "target/runner.h"

namespace polypath::target {

using program::Field;
using program::Step;
using program::StepKind;
using program::Value;

namespace {

// Most bytes of one request, and of one of a load, of which many are in flight: large blocks lower the number
// of blocks that a step may ask for.
constexpr std::uint32_t kLongestRequest = 256U << 20U, kLongestOfLoad = 1U << 20U;

std::uint8_t opcode_of(StepKind kind) {
  switch (kind) {
    case StepKind::write:
      return 0x01;
    case StepKind::read:
      return 0x02;
    case StepKind::compare:
      return 0x05;
    case StepKind::write_zeroes:
      return 0x08;
    default:
      return 0x00;
  }
}

}  // namespace

// Subsystem and NSID of an operand that names a namespace, as the host sees it.
bool Runner::target_of(const Step& step, std::uint32_t& host, std::uint32_t& subsystem,
                       std::uint32_t& nsid) const {
  if (!host_of(step, host)) return false;
  const Value* ns = step.find(Field::ns);
  if (ns == nullptr) return false;
  if (ns->form == program::Form::name) {
    for (const auto& spec : program_.topology.namespaces) {
      if (spec.id != ns->text) continue;
      subsystem = spec.subsystem;
      nsid = spec.nsid;
      return true;
    }
  }
  std::uint32_t first = 0;  // names bound at run time and numbers mean the subsystem of the host's first path
  Value path;
  path.form = program::Form::name;
  if (program_.hosts[host].paths.empty()) return false;
  path.text = program_.hosts[host].paths.front();
  if (!controller_of(&path, first)) return false;
  subsystem = world_.device().controllers[first].subsystem;
  return ns_of(ns, first, nsid);
}

std::uint32_t Runner::block_bytes_in(std::uint32_t subsystem, std::uint32_t nsid) const {
  const auto& table = world_.device().subsystems[subsystem].ns_of_nsid;
  if (nsid >= table.size() || table[nsid] == 0) return 512;
  return 1U << world_.device().namespaces[table[nsid] - 1].block_shift;
}

void Runner::begin_io(std::size_t index) {
  const Step& step = program_.steps[index];
  std::uint32_t host = 0, subsystem = 0, nsid = 0;
  if (!target_of(step, host, subsystem, nsid)) {
    unable(index, "names no namespace of its host; see the topology and `hosts:`");
    return;
  }
  const std::uint32_t size = block_bytes_in(subsystem, nsid);
  const std::uint64_t lba = step.number(Field::lba);
  const auto blocks = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(step.number(Field::blocks, 1), 1, std::min(65536U, kLongestRequest / size)));
  std::vector<std::byte> data;
  if (step.kind == StepKind::write || step.kind == StepKind::compare) {
    data.resize(std::size_t{blocks} * size);
    const Value* tag = step.find(step.kind == StepKind::compare ? Field::equals : Field::tag);
    if (const Value* given = step.find(Field::data)) {
      for (std::size_t i = 0; i < data.size() && !given->text.empty(); ++i) {
        data[i] = static_cast<std::byte>(given->text[i % given->text.size()]);
      }
    } else {
      fill_pattern(tag != nullptr ? tag_number(tag->text) : engine::mix(program_.seed, step.id), lba * size,
                   data);
    }
  }
  Request request;
  request.owner = Owner::application;
  request.where = host;
  request.step = index;
  if (const Value* tag = step.find(Field::equals); tag != nullptr && step.kind == StepKind::read) {
    request.expected = {true, tag_number(tag->text), lba * size};
  }
  submit_io(request, subsystem, nsid, opcode_of(step.kind), lba, blocks, data);
}

void Runner::begin_workload(std::size_t index) {
  const Step& step = program_.steps[index];
  Workload load;
  load.step = index;
  if (!target_of(step, load.host, load.subsystem, load.nsid)) {
    unable(index, "names no namespace of its host; see the topology and `hosts:`");
    return;
  }
  load.block_bytes = block_bytes_in(load.subsystem, load.nsid);
  const auto& table = world_.device().subsystems[load.subsystem].ns_of_nsid;
  const std::uint64_t size = load.nsid < table.size() && table[load.nsid] != 0
                                 ? world_.device().namespaces[table[load.nsid] - 1].blocks
                                 : 1;
  load.blocks = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      step.number(Field::blocks, 8), 1, std::min(256U, kLongestOfLoad / load.block_bytes)));
  load.first_lba = std::min(step.number(Field::lba), size - 1);
  load.lbas = std::min(step.number(Field::length, size), size - load.first_lba);
  load.depth = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(step.number(Field::depth, 4), 1, 1024));
  load.read_percent =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(step.number(Field::read_percent, 50), 100));
  const std::uint64_t rate = std::clamp<std::uint64_t>(step.number(Field::rate, 1000), 1, engine::kSecond);
  load.interval = engine::kSecond / rate;
  load.until = world_.engine().now() + step.number(Field::duration, engine::kSecond);
  load.random = engine::Random(engine::mix(program_.seed, step.number(Field::seed)), step.id);
  workloads_.push_back(load);
  workload_tick(workloads_.size() - 1);
}

// Arrivals are open-loop at the rate, held back only when `depth` requests are in flight.
void Runner::workload_tick(std::size_t at) {
  Workload& load = workloads_[at];
  engine::Engine& engine = world_.engine();
  load.ticking = false;
  if (engine.now() >= load.until) {
    if (load.in_flight == 0) finish(load.step);
    return;
  }
  if (load.in_flight < load.depth) {
    ++load.in_flight;
    workload_submit(at);
  }
  Workload& again = workloads_[at];
  if (again.ticking) return;
  again.ticking = true;
  engine.set_cause({program_.steps[again.step].id, program_.steps[again.step].latitude});
  engine.schedule(engine.now() + again.interval, kWorkloadTick, static_cast<std::uint32_t>(at), 0);
}

void Runner::workload_submit(std::size_t at) {
  Workload& load = workloads_[at];
  world_.engine().set_cause({program_.steps[load.step].id, program_.steps[load.step].latitude});
  const bool read = load.random.below(100) < load.read_percent;
  const std::uint64_t places = std::max<std::uint64_t>(1, load.lbas / load.blocks);
  const std::uint64_t lba = load.first_lba + load.random.below(places) * load.blocks;
  std::vector<std::byte> data;
  if (!read) {
    data.resize(std::size_t{load.blocks} * load.block_bytes);
    const std::uint64_t stamp =
        engine::mix(engine::mix(program_.seed, program_.steps[load.step].id), ++load.number);
    fill_pattern(stamp, lba * load.block_bytes, data);
  }
  Request request;
  request.owner = Owner::application;
  request.where = load.host;
  request.step = load.step;
  request.workload = static_cast<std::int32_t>(at);
  submit_io(request, load.subsystem, load.nsid, read ? std::uint8_t{0x02} : std::uint8_t{0x01}, lba,
            load.blocks, data);
}

void Runner::workload_done(std::size_t at, int error) {
  Workload& load = workloads_[at];
  --load.in_flight;
  ++load.done;
  if (error != 0) ++load.errors;
  StepOutcome& outcome = outcomes_[load.step];
  outcome.dw0 = static_cast<std::uint32_t>(load.done);
  outcome.dw1 = static_cast<std::uint32_t>(load.errors);
  if (world_.engine().now() >= load.until && load.in_flight == 0) finish(load.step);
}

}  // namespace polypath::target
