#include "conform/coverage.h"

#include <set>

#include "conform/run.h"

namespace polypath::conform {
namespace {

using program::Field;
using program::Step;
using program::StepKind;
using spec::CommandSet;
using Command = std::pair<CommandSet, std::uint8_t>;

void add_named(std::set<Command>& out, std::string_view name) {
  const spec::CommandRow* row = spec::find_command(name);
  if (row != nullptr) out.insert({row->set, row->opcode});
}

void add_commands_of(std::set<Command>& out, const Step& step) {
  switch (step.kind) {
    case StepKind::admin:
    case StepKind::io:
    case StepKind::submit: {
      const auto queue = static_cast<std::uint16_t>(
          step.kind == StepKind::admin ? 0 : step.number(Field::queue, step.kind == StepKind::io ? 1 : 0));
      out.insert({spec::set_of_queue(queue), static_cast<std::uint8_t>(step.number(Field::opcode))});
      break;
    }
    case StepKind::create_queue_pair:
      add_named(out, "create_cq"), add_named(out, "create_sq");
      break;
    case StepKind::delete_queue_pair:
      add_named(out, "delete_sq"), add_named(out, "delete_cq");
      break;
    case StepKind::attach:
    case StepKind::detach:
      add_named(out, "ns_attachment");
      break;
    case StepKind::create_ns:
    case StepKind::delete_ns:
      add_named(out, "ns_management");
      break;
    case StepKind::write:
      add_named(out, "write");
      break;
    case StepKind::read:
      add_named(out, "read");
      break;
    case StepKind::flush:
      add_named(out, "flush");
      break;
    case StepKind::compare:
      add_named(out, "compare");
      break;
    case StepKind::write_zeroes:
      add_named(out, "write_zeroes");
      break;
    default:
      break;
  }
}

}  // namespace

ByWorld ask_worlds(const Suite& suite) {
  ByWorld out;
  for (const Case& one : suite.cases) {
    if (!out.contains(one.world)) out[one.world] = ask_announced(one, nullptr);
  }
  return out;
}

Coverage covering_cases(const Suite& suite, const ByWorld& worlds) {
  Coverage out;
  for (const Case& one : suite.cases) {
    if (!unmet_need(one.needs, worlds.at(one.world)).empty()) continue;
    std::set<Command> commands;
    for (std::size_t i = one.setup; i < one.program.steps.size(); ++i)
      add_commands_of(commands, one.program.steps[i]);
    for (const Command& command : commands) out[command].push_back(one.id);
  }
  return out;
}

}  // namespace polypath::conform
