// A program that grows while it runs: what a person at a prompt, or a script, does next.
#include <fmt/format.h>

#include <algorithm>

#include "target/runner.h"

namespace polypath::target {

using program::Field;
using program::Step;

std::size_t Runner::append(Step step) {
  step.id = 1;
  if (!program_.steps.empty()) {
    // Ids ascend unless a file says otherwise; then the largest counts.
    const auto larger = [](const Step& a, const Step& b) { return a.id < b.id; };
    const auto last = program_.steps.end() - 1;
    const bool usual = last->id == program_.steps.size();
    step.id = (usual ? last : std::max_element(program_.steps.begin(), program_.steps.end(), larger))->id + 1;
  }
  program_.steps.push_back(std::move(step));
  outcomes_.resize(program_.steps.size());
  assign(program_.steps.size() - 1);
  reopen();
  return program_.steps.size() - 1;
}

void Runner::reopen() {
  end_ = engine::kForever;
  limit_reached_ = false;
}

void Runner::withdraw_last() {
  const Step& step = program_.steps.back();
  const std::size_t index = program_.steps.size() - 1;
  for (Actor& actor : actors_) {
    if (actor.steps.empty() || actor.steps.back() != index) continue;
    if (actor.next == actor.steps.size()) {
      --actor.next;
      actor.waits = false;
    }
    world_.engine().cancel(actor.wake);
    actor.steps.pop_back();
  }
  std::erase_if(findings_, [&](const StepFinding& finding) { return finding.step == step.id; });
  if (!step.label.empty()) labels_.erase(step.label);
  if (outcomes_.back().done) --steps_done_;
  outcomes_.pop_back();
  program_.steps.pop_back();
}

void Runner::let_go(std::size_t index) {
  program_.steps[index].nowait = true;
  free_actor(index, outcomes_[index].begun_at);
}

bool Runner::at_rest(const std::string& name) const {
  const auto actor =
      std::find_if(actors_.begin(), actors_.end(), [&](const Actor& a) { return a.name == name; });
  return actor == actors_.end() || (!actor->waits && actor->next == actor->steps.size());
}

std::size_t Runner::append_pause(const std::string& name, engine::Time until) {
  const auto by_name = [&](const Actor& a) { return a.name == name; };
  const auto before = std::find_if(actors_.begin(), actors_.end(), by_name);
  const engine::Time since =
      before == actors_.end() || before->steps.empty() ? hosts_ready_at_ : before->free_since;
  Step step;
  step.kind = program::StepKind::wait;
  if (name != "main") step.actor = name;
  program::Value duration;
  duration.number = until - since;
  step.operands.push_back({Field::duration, duration});
  const std::size_t index = append(std::move(step));
  const auto actor = std::find_if(actors_.begin(), actors_.end(), by_name);
  actor->next = actor->steps.size();
  actor->waits = true;
  outcomes_[index].started = true;
  outcomes_[index].begun_at = since;
  world_.engine().set_cause({program_.steps[index].id, 0});
  world_.engine().schedule(until, kWakeActor, static_cast<std::uint32_t>(actor - actors_.begin()), index + 1);
  return index;
}

const std::string& Runner::label(std::size_t index) {
  Step& step = program_.steps[index];
  if (step.label.empty()) {
    step.label = fmt::format("step{}", step.id);
    while (labels_.contains(step.label)) step.label += "_";
    labels_.emplace(step.label, index);
  }
  return step.label;
}

std::uint32_t Runner::block_bytes_of(const program::Value& ns, std::uint32_t controller) const {
  std::uint32_t nsid = 0;
  return ns_of(&ns, controller, nsid) ? block_bytes(controller, nsid) : 512;
}

}  // namespace polypath::target
