#include "explore/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "spec/queue_entry.h"
#include "target/pattern.h"
#include "trace/text.h"

namespace polypath::explore {
namespace {

using program::Field;
using program::Step;
using program::StepKind;

constexpr std::size_t kUnit = 512;

// Whose write 512 bytes at `offset` of a namespace are: a tag of the program, "zeros", or a digest.
std::string author(const program::Program& program, std::uint64_t offset, std::span<const std::byte> data) {
  for (const Step& step : program.steps) {
    const program::Value* tag = step.find(Field::tag);
    if (tag == nullptr || step.kind != StepKind::write) continue;
    if (target::first_difference(target::tag_number(tag->text), offset, data) == data.size())
      return tag->text;
  }
  if (std::all_of(data.begin(), data.end(), [](std::byte byte) { return byte == std::byte{0}; }))
    return "zeros";
  return fmt::format("{:04x}", engine::hash_bytes(data.data(), data.size()) & 0xFFFFU);
}

std::string data_text(const program::Program& program, const Step& step, std::span<const std::byte> data) {
  if (step.kind != StepKind::read) {
    return fmt::format("data {:08x}", engine::hash_bytes(data.data(), data.size()) & 0xFFFFFFFFU);
  }
  const std::uint64_t blocks = std::max<std::uint64_t>(step.number(Field::blocks, 1), 1);
  const std::uint64_t offset = step.number(Field::lba) * (data.size() / blocks);
  std::string out, last;
  for (std::size_t at = 0; at + kUnit <= data.size(); at += kUnit) {
    const std::string who = author(program, offset + at, data.subspan(at, kUnit));
    if (who == last) continue;
    out += (out.empty() ? "" : "+") + who;
    last = who;
  }
  return out;
}

std::string step_text(const program::Program& program, const Step& step, const target::StepOutcome& outcome) {
  const auto* row = program::find_step(step.kind);
  std::string out = fmt::format("{} {} ", step.id, row == nullptr ? "?" : row->name);
  if (!outcome.done) return out + (outcome.started ? "never ends" : "never begins");
  if (outcome.lost) return out + "lost";
  if (outcome.error != 0) return out + fmt::format("errno {}", outcome.error);
  if (outcome.status != 0) return out + trace::status_text(outcome.status);
  const bool brings =
      step.kind == StepKind::read || step.kind == StepKind::admin || step.kind == StepKind::io;
  if (brings && !outcome.data.empty()) return out + data_text(program, step, outcome.data);
  return out + "ok";
}

}  // namespace

std::string outcome_text(const program::Program& program, const target::World& world,
                         const target::Runner& runner, model::Verdict verdict) {
  std::string out;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    out += step_text(program, program.steps[i], runner.outcomes()[i]) + "; ";
  }
  for (std::uint32_t k = 0; k < program.topology.controllers.size(); ++k) {
    std::vector<std::uint32_t> active;
    for (const auto& row : world.device().controllers[k].active) active.push_back(row.nsid);
    out += fmt::format("{} [{}]", program.topology.controllers[k].id, fmt::join(active, " "));
    if (world.hosts().driver(k) != nullptr) {
      out += fmt::format(" shows [{}]", fmt::join(world.hosts().namespaces_of(k), " "));
    }
    out += "; ";
  }
  return out + (runner.findings().empty() ? std::string(model::verdict_name(verdict)) : "unexpected");
}

}  // namespace polypath::explore
