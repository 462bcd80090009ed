#include "model/scene.h"

#include <fmt/format.h>

#include <algorithm>

#include "trace/text.h"

namespace polypath::model {

void violation(const Scene& scene, Rule rule, std::string summary, std::string allowed, std::string seen,
               std::initializer_list<Seq> events) {
  auto& statistics = statistics_of(scene, rule);
  ++statistics.violations;
  if (statistics.violations > scene.options.findings_per_rule) return;
  Finding finding;
  finding.rule = rule;
  finding.time = scene.time == engine::kForever ? scene.s.last_time : scene.time;  // nothing more will happen
  finding.controller = scene.index;
  finding.summary = std::move(summary);
  finding.allowed = std::move(allowed);
  finding.seen = std::move(seen);
  for (const Seq seq : events) {
    if (seq != 0 && seq != kNow) finding.events.push_back(seq - 1);
  }
  if (!scene.at_end) finding.events.push_back(scene.now - 1);
  std::sort(finding.events.begin(), finding.events.end());
  finding.events.erase(std::unique(finding.events.begin(), finding.events.end()), finding.events.end());
  scene.s.findings.push_back(std::move(finding));
}

const std::string& name_of(const Scene& scene, std::uint16_t controller) {
  static const std::string kNobody = "no controller";
  const auto& controllers = scene.trace.header.controllers;
  return controller < controllers.size() ? controllers[controller].name : kNobody;
}

std::string since_text(const Scene& scene, Time since) {
  const bool rest = scene.time == engine::kForever;
  const Time now = rest ? std::max(scene.s.last_time, since) : scene.time;
  return fmt::format("after {} s{}", (now - since) / engine::kSecond,
                     rest ? ", and nothing is under way any more" : "");
}

std::string text_of(const Scene& scene, const Command& command) {
  return fmt::format("{} queue {} {}", name_of(scene, scene.index), command.sqid,
                     trace::command_text(command.sqid, command.entry));
}

}  // namespace polypath::model
