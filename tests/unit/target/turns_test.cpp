// When commands are fetched and completions told of: weighted round robin, interrupt coalescing, interrupts
// by pin.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "scenario/scenario.h"
#include "target/runner.h"

namespace polypath::target {
namespace {

using trace::Boundary;

std::vector<trace::BoundaryEvent> events_of(const std::string& steps, const std::string& properties = "") {
  std::string text =
      "name: turns\ntopology:\n  - nvme-subsys,id=subsys0\n  - nvme,id=nvme0,serial=foo,subsys=subsys0" +
      properties + "\n  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0\nsteps:\n";
  auto program = scenario::load_scenario_text(text + steps, "turns.yaml");
  World world(program);
  Runner runner(world, program, {});
  runner.run();
  EXPECT_TRUE(runner.findings().empty());
  return world.trace().events();
}

std::string flushes(unsigned queue, unsigned count) {
  std::string steps;
  for (unsigned i = 0; i < count; ++i) {
    steps += "  - submit: {controller: nvme0, queue: " + std::to_string(queue) + ", opcode: flush, nsid: 1" +
             (i + 1 == count ? "}\n" : ", ring: no}\n");
  }
  return steps;
}

// Sheet 02, section 6: weights count commands of a round, and no class waits for ever.
TEST(WeightedRoundRobin, ARoundHasAsManyCommandsOfAClassAsItsWeightSays) {
  const auto events = events_of(
      "  - enable: {controller: nvme0, value: 0x00460801}\n"
      "  - admin: {controller: nvme0, opcode: set_features, cdw10: 1, cdw11: 0x03010000}\n"
      "  - create_queue_pair: {controller: nvme0, queue: 1, depth: 32, priority: 3}\n"
      "  - create_queue_pair: {controller: nvme0, queue: 2, depth: 32, priority: 2}\n"
      "  - create_queue_pair: {controller: nvme0, queue: 3, depth: 32, priority: 1}\n" +
      flushes(1, 8) + flushes(2, 8) + flushes(3, 8) + "  - wait: 10ms\n");
  std::string order;
  for (const auto& event : events) {
    if (event.kind == Boundary::fetched && event.queue != 0) order += std::to_string(event.queue);
  }
  EXPECT_EQ(order, "333322133332212212211111");
}

TEST(WeightedRoundRobin, UrgentCommandsComeFirst) {
  const auto events = events_of(
      "  - enable: {controller: nvme0, value: 0x00460801}\n"
      "  - create_queue_pair: {controller: nvme0, queue: 1, depth: 32, priority: 1}\n"
      "  - create_queue_pair: {controller: nvme0, queue: 2, depth: 32, priority: 0}\n" +
      flushes(1, 4) + flushes(2, 4) + "  - wait: 10ms\n");
  std::string order;
  for (const auto& event : events) {
    if (event.kind == Boundary::fetched && event.queue != 0) order += std::to_string(event.queue);
  }
  EXPECT_EQ(order, "22221111");
}

/// From the first completion of queue 1 to the first interrupt of its vector after it.
engine::Time told_after(const std::vector<trace::BoundaryEvent>& events) {
  engine::Time posted = engine::kForever;
  for (const auto& event : events) {
    if (event.kind == Boundary::completed && event.queue == 1 && posted == engine::kForever)
      posted = event.earliest;
    if (event.kind == Boundary::interrupt && event.a == 1 && posted != engine::kForever)
      return event.earliest - posted;
  }
  return engine::kForever;
}

// Feature 08h: THR is 0's based, TIME counts 100 microseconds.
TEST(Coalescing, AnInterruptComesWithEnoughEntriesOrWhenTheirTimeIsOver) {
  const auto told = [](const std::string& feature, unsigned commands, const std::string& more = "") {
    return told_after(
        events_of("  - enable: {controller: nvme0}\n"
                  "  - create_queue_pair: {controller: nvme0, queue: 1, depth: 16}\n"
                  "  - admin: {controller: nvme0, opcode: set_features, cdw10: 8, cdw11: " +
                  feature + "}\n" + more + flushes(1, commands) + "  - wait: 50ms\n"));
  };
  EXPECT_EQ(told("0", 1), 0U);
  EXPECT_EQ(told("0x0a03", 1), engine::kMillisecond);
  EXPECT_EQ(told("0x0a03", 3), engine::kMillisecond);
  EXPECT_LT(told("0x0a03", 4), engine::kMillisecond);
  EXPECT_EQ(told("0x0a00", 1), 0U) << "a threshold of 0 switches it off";
  EXPECT_EQ(told("0x0003", 1), 0U) << "so does a time of 0";
  const std::string not_this =
      "  - admin: {controller: nvme0, opcode: set_features, cdw10: 9, cdw11: 0x10001}\n";
  EXPECT_EQ(told("0x0a03", 1, not_this), 0U) << "CD of feature 09h";
}

TEST(Pin, IntmsHoldsItsInterruptsBackAndIntmcLetsThemGo) {
  const auto events = events_of(
      "  - enable: {controller: nvme0}\n"
      "  - create_queue_pair: {controller: nvme0, queue: 1, depth: 16}\n"
      "  - register_write: {controller: nvme0, offset: 0x0c, value: 1}\n"
      "  - submit: {controller: nvme0, queue: 1, opcode: flush, nsid: 1}\n"
      "  - wait: 5ms\n"
      "  - register_write: {controller: nvme0, offset: 0x10, value: 1}\n"
      "  - wait: 5ms\n",
      ",pin=on");
  bool masked = false;
  unsigned after = 0;
  for (const auto& event : events) {
    if (event.kind == Boundary::register_write && event.a == 0x0C) masked = true;
    if (event.kind == Boundary::register_write && event.a == 0x10) masked = false, after = 1;
    if (event.kind != Boundary::interrupt) continue;
    EXPECT_EQ(event.a, 0U);
    EXPECT_FALSE(masked);
    if (after != 0) ++after;
  }
  EXPECT_EQ(after, 2U);
}

}  // namespace
}  // namespace polypath::target
