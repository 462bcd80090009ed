#include "program/order.h"

#include <map>

namespace polypath::program {
namespace {

struct Waiter {
  std::size_t step = 0;
  bool by_label = false;  ///< waits because of `after`, not because of its actor
};

}  // namespace

std::vector<std::size_t> circular_steps(const Program& program) {
  const std::vector<Step>& steps = program.steps;
  std::map<std::string_view, std::size_t> labels;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].label.empty()) labels.emplace(steps[i].label, i);
  }
  std::vector<std::vector<Waiter>> waiters(steps.size());
  std::vector<std::uint8_t> holds(steps.size(), 0);  // how many things a step still waits for
  std::map<std::string_view, std::size_t> last_of_actor;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto [last, first] = last_of_actor.emplace(steps[i].actor, i);
    if (!first) {
      waiters[last->second].push_back({i, false});
      ++holds[i];
      last->second = i;
    }
    const auto label = labels.find(steps[i].after);
    if (label == labels.end()) continue;
    waiters[label->second].push_back({i, true});
    ++holds[i];
  }
  std::vector<bool> begun(steps.size(), false), cut(steps.size(), false);
  std::vector<std::size_t> circular, ready;
  const auto begin_ready = [&] {
    while (!ready.empty()) {
      const std::size_t at = ready.back();
      ready.pop_back();
      begun[at] = true;
      for (const Waiter& waiter : waiters[at]) {
        if (waiter.by_label && cut[waiter.step]) continue;
        if (--holds[waiter.step] == 0) ready.push_back(waiter.step);
      }
    }
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (holds[i] == 0) ready.push_back(i);
  }
  begin_ready();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (begun[i]) continue;
    // Everything before it has begun, its actor's last step too: only `after` can hold it.
    cut[i] = true;
    circular.push_back(i);
    ready.push_back(i);
    begin_ready();
  }
  return circular;
}

}  // namespace polypath::program
