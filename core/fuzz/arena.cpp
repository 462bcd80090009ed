#include "fuzz/arena.h"

#include <fmt/format.h>

#include <cstring>

#include "engine/hash.h"
#include "model/monitor.h"
#include "spec/commands.h"
#include "spec/queue_entry.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::fuzz {
namespace {

target::RunLimits limits() {
  target::RunLimits limits;
  limits.events = 5'000;
  limits.trace_events = 5'000;
  limits.step_findings = false;
  return limits;
}

}  // namespace

const model::Finding* Result::violation() const {
  for (const model::Finding& finding : findings) {
    if (finding.scope() != model::Scope::hazard) return &finding;
  }
  return nullptr;
}

struct Arena::Prepared {
  Prepared(const Shape& of, const ArenaOptions& options)
      : shape(of),
        program(options.target->prepared(of, options.fault)),
        world(program),
        runner(world, program, limits()),
        monitor(world.trace()),
        monitor_at_start(world.trace()) {
    world.trace().keep_inside(false);
    // A planted fault can keep a world from coming up: then it is as far as it came.
    while (!runner.outcomes().back().done && runner.advance()) {
    }
    world.snapshot(snapshot);
    runner.snapshot(runner_snapshot);
    if (options.model) monitor_at_start.advance();
    known = Counters::learn(world.trace());
  }

  Shape shape;
  program::Program program;
  target::World world;
  target::Runner runner;
  target::World::Snapshot snapshot;
  target::Runner::Snapshot runner_snapshot;
  model::Monitor monitor, monitor_at_start;
  Counters::Known known;
};

Arena::Arena(ArenaOptions options) : options_(std::move(options)) {}
Arena::~Arena() = default;

Arena::Prepared& Arena::prepared(const Shape& shape) {
  const std::uint64_t key = std::uint64_t{shape.controllers} | std::uint64_t{shape.namespaces} << 8U |
                            std::uint64_t{shape.hosts} << 16U | std::uint64_t{shape.pattern} << 24U |
                            (shape.alone ? 1ULL << 32U : 0U) | (shape.shallow ? 1ULL << 33U : 0U) |
                            (shape.events ? 1ULL << 34U : 0U);
  // A new world takes the place of the one that was not used for longest. Inputs are many, shapes few.
  Place* place = worlds_.data();
  for (Place& other : worlds_) {
    if (other.key == key && other.world != nullptr) {
      other.used = ++uses_;
      return *other.world;
    }
    if (other.used < place->used) place = &other;
  }
  *place = {key, ++uses_, std::make_unique<Prepared>(shape, options_)};
  return *place->world;
}

Result Arena::run(const Input& input) {
  Prepared& p = prepared(input.shape);
  p.world.restore(p.snapshot);
  p.runner.resume(p.runner_snapshot,
                  [&](std::vector<program::Step>& steps) { options_.target->append(input, steps); });
  p.runner.run();
  Result result;
  result.trace = &p.world.trace();
  result.steps = p.runner.steps_done() - p.runner_snapshot.steps_done;
  result.events = result.trace->events().size() - p.snapshot.mark.events;
  result.cut = p.runner.limit_reached();
  if (options_.model) {
    p.monitor = p.monitor_at_start;
    // A world that came to rest was observed for ever: what has not happened by now never will.
    p.monitor.finish(result.cut ? 0 : engine::kForever);
    result.findings = p.monitor.findings();
    if (options_.rules) model::add(statistics_, p.monitor.statistics());
  }
  if (options_.counters) {
    counters_.clear();
    counters_.count(*result.trace, p.snapshot.mark.events, p.known);
  }
  return result;
}

std::string shape_of(const trace::Trace& trace, const model::Finding& finding) {
  const model::RuleRow& rule = model::row_of(finding.rule);
  std::string out(rule.id);
  if (finding.events.empty() || finding.events.back() >= trace.events().size()) return out;
  const trace::BoundaryEvent& event = trace.events()[finding.events.back()];
  trace::Parts parts;
  switch (event.kind) {
    case trace::Boundary::completed: {
      if (!trace::read_completed(trace, event, parts)) return out;
      spec::CompletionEntry entry;
      std::memcpy(&entry, parts.entry.data(), sizeof entry);
      // The command is the last one before it with its identifier.
      for (std::size_t i = finding.events.back(); i-- > 0;) {
        const trace::BoundaryEvent& before = trace.events()[i];
        if (before.kind != trace::Boundary::submitted || before.controller != event.controller ||
            before.queue != entry.sqid || before.a != entry.cid) {
          continue;
        }
        if (!trace::read_submitted(trace, before, parts)) break;
        spec::SubmissionEntry command;
        std::memcpy(&command, parts.entry.data(), sizeof command);
        const auto* row = spec::find_command(spec::set_of_queue(entry.sqid), command.opcode);
        out += row != nullptr
                   ? fmt::format(" {}", row->name)
                   : fmt::format(" {} opcode {:#04x}", entry.sqid == 0 ? "admin" : "io", command.opcode);
        break;
      }
      return out + fmt::format(" status {:#06x}", entry.linux_status() & 0x7FFU);
    }
    case trace::Boundary::register_read:
    case trace::Boundary::register_write:
      return out + fmt::format(" register {:#x}", event.a);
    case trace::Boundary::submitted:
      if (trace::read_submitted(trace, event, parts)) {
        spec::SubmissionEntry command;
        std::memcpy(&command, parts.entry.data(), sizeof command);
        return out +
               fmt::format(" {} opcode {:#04x} submitted", event.queue == 0 ? "admin" : "io", command.opcode);
      }
      return out;
    default:
      return out + fmt::format(" event {}", static_cast<unsigned>(event.kind));
  }
}

}  // namespace polypath::fuzz
