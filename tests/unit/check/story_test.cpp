// Happens-before: which events come before which, what is left when most are left out, and what a finding's
// story tells.
#include "check/story.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "spec/queue_entry.h"
#include "spec/registers.h"

namespace polypath::check {
namespace {

using trace::Boundary;

Edge edge(std::uint64_t from, std::uint64_t to) { return {from, to, Why::data}; }

TEST(HappensBefore, AncestorsAreWhatReachesATarget) {
  const std::vector<Edge> edges{edge(0, 1), edge(1, 3), edge(2, 4), edge(3, 5)};
  EXPECT_EQ(ancestors(6, edges, {5}), (std::vector<std::uint64_t>{0, 1, 3, 5}));
  EXPECT_EQ(ancestors(6, edges, {1, 4}), (std::vector<std::uint64_t>{0, 1, 2, 4}));
  EXPECT_EQ(ancestors(6, edges, {}), std::vector<std::uint64_t>{});
}

TEST(HappensBefore, LeftOutEventsStillOrderTheOthers) {
  const std::vector<Edge> edges{edge(0, 1), edge(1, 2), edge(2, 3)};
  const auto order = order_of(4, edges, {0, 3});
  ASSERT_EQ(order.size(), 2U);
  EXPECT_EQ(order[1].event, 3U);
  EXPECT_EQ(order[1].after, std::vector<std::uint64_t>{0});
}

TEST(HappensBefore, WhatFollowsFromOtherEdgesIsNotSaid) {
  const std::vector<Edge> edges{edge(0, 1), edge(1, 2), edge(0, 2), edge(0, 3), edge(2, 3)};
  const auto order = order_of(4, edges, {0, 1, 2, 3});
  EXPECT_EQ(order[2].after, std::vector<std::uint64_t>{1});
  EXPECT_EQ(order[3].after, std::vector<std::uint64_t>{2});
}

TEST(HappensBefore, WhatNothingOrdersHasNoOrder) {
  const auto order = order_of(3, {edge(0, 2)}, {0, 1, 2});
  EXPECT_TRUE(order[1].after.empty());
  EXPECT_EQ(order[2].after, std::vector<std::uint64_t>{0});
}

/// A trace of two controllers, written by hand.
struct Made {
  trace::Trace trace;

  Made() {
    trace.header.subsystems = {"nqn"};
    trace.header.controllers.resize(2);
    trace.header.controllers[0].name = "nvme0";
    trace.header.controllers[1].name = "nvme1";
  }
  std::uint64_t add(Boundary kind, std::uint16_t controller, std::uint16_t queue, std::uint32_t a = 0,
                    std::uint64_t c = 0) {
    trace::BoundaryEvent event;
    event.kind = kind;
    event.controller = controller;
    event.queue = queue;
    event.a = a;
    event.c = c;
    trace.add(event);
    return trace.events().size() - 1;
  }
  std::uint64_t submit(std::uint16_t controller, std::uint16_t queue, std::uint16_t cid, std::uint8_t opcode,
                       std::uint32_t nsid, std::uint32_t lba = 0) {
    spec::SubmissionEntry entry;
    entry.opcode = opcode;
    entry.cid = cid;
    entry.nsid = nsid;
    entry.cdw10 = lba;
    trace::BoundaryEvent event;
    event.kind = Boundary::submitted;
    event.controller = controller;
    event.queue = queue;
    event.a = cid;
    trace.add(event, std::as_bytes(std::span(&entry, 1)));
    return trace.events().size() - 1;
  }
  std::uint64_t complete(std::uint16_t controller, std::uint16_t queue, std::uint16_t cid) {
    spec::CompletionEntry entry;
    entry.sqid = queue;
    entry.cid = cid;
    trace::BoundaryEvent event;
    event.kind = Boundary::completed;
    event.controller = controller;
    event.queue = queue;
    event.a = cid;
    trace.add(event, std::as_bytes(std::span(&entry, 1)));
    return trace.events().size() - 1;
  }
  bool before(std::uint64_t from, std::uint64_t to) const {
    const auto found = ancestors(trace.events().size(), causes_of(trace).edges, {to});
    return std::binary_search(found.begin(), found.end(), from);
  }
};

TEST(Causes, ACommandGoesFromEntryToDoorbellToFetchToCompletionToAcknowledgement) {
  Made m;
  const auto entry = m.submit(0, 1, 7, 0x02, 1);
  const auto doorbell = m.add(Boundary::sq_doorbell, 0, 1);
  const auto fetch = m.add(Boundary::fetched, 0, 1, 7);
  const auto end = m.complete(0, 1, 7);
  const auto message = m.add(Boundary::interrupt, 0, 0, 1);
  const auto acknowledged = m.add(Boundary::cq_doorbell, 0, 1);
  EXPECT_TRUE(m.before(entry, doorbell));
  EXPECT_TRUE(m.before(doorbell, fetch));
  EXPECT_TRUE(m.before(fetch, end));
  EXPECT_TRUE(m.before(end, message));
  EXPECT_TRUE(m.before(message, acknowledged));
  EXPECT_EQ(causes_of(m.trace).command[end], entry);
}

TEST(Causes, CommandsOnTwoControllersHaveNoOrderOfTheirOwn) {
  Made m;
  const auto left = m.submit(0, 1, 0, 0x02, 1);
  const auto right = m.submit(1, 1, 0, 0x02, 1);
  EXPECT_FALSE(m.before(left, right));
}

TEST(Causes, AWriteThatEndedComesBeforeAReadOfItsBlocksAndNotOfOthers) {
  Made m;
  m.submit(0, 1, 0, 0x01, 1, 8);
  const auto written = m.complete(0, 1, 0);
  const auto same = m.submit(1, 1, 0, 0x02, 1, 8);
  const auto other = m.submit(1, 2, 1, 0x02, 1, 9);
  EXPECT_TRUE(m.before(written, same));
  EXPECT_FALSE(m.before(written, other));
}

TEST(Causes, AResetComesAfterWhatItLostAndBeforeWhatFollows) {
  Made m;
  const auto lost = m.submit(0, 1, 0, 0x01, 1);
  const auto elsewhere = m.submit(1, 1, 0, 0x01, 2);
  const auto reset = m.add(Boundary::register_write, 0, 0, spec::reg::cc, 0);
  const auto later = m.submit(0, 1, 0, 0x01, 1);
  EXPECT_TRUE(m.before(lost, reset));
  EXPECT_TRUE(m.before(reset, later));
  EXPECT_FALSE(m.before(elsewhere, reset));
}

TEST(Causes, AnAttachmentComesBeforeTheEventThatTellsOfItAndBeforeCommandsToTheNamespace) {
  Made m;
  const auto asked = m.submit(1, 0, 3, 0x0C, 0);
  const auto attach = m.submit(0, 0, 0, 0x15, 5);
  const auto told = m.complete(1, 0, 3);
  const auto done = m.complete(0, 0, 0);
  const auto read = m.submit(1, 1, 0, 0x02, 5);
  const auto unrelated = m.submit(1, 2, 1, 0x02, 6);
  EXPECT_TRUE(m.before(asked, told));
  EXPECT_TRUE(m.before(attach, told));
  EXPECT_TRUE(m.before(done, read));
  EXPECT_FALSE(m.before(done, unrelated));
}

TEST(Story, KeepsTheEventsThatShowItAndTheWritesOfTheSameNamespace) {
  Made m;
  const auto other = m.submit(0, 1, 4, 0x01, 2);
  m.complete(0, 1, 4);
  const auto write = m.submit(0, 1, 0, 0x01, 1);
  m.add(Boundary::sq_doorbell, 0, 1);
  m.add(Boundary::fetched, 0, 1, 0);
  const auto written = m.complete(0, 1, 0);
  const auto read = m.submit(1, 1, 0, 0x02, 1);
  const auto seen = m.complete(1, 1, 0);
  model::Finding finding;
  finding.rule = model::Rule::d02;
  finding.controller = 1;
  finding.summary = "read: block 0 of namespace 1";
  finding.events = {seen};
  const Story story = story_of(m.trace, finding);
  std::vector<std::uint64_t> events;
  for (const Ordered& row : story.events) events.push_back(row.event);
  EXPECT_EQ(events, (std::vector<std::uint64_t>{write, written, read, seen}));
  EXPECT_EQ(std::count(events.begin(), events.end(), other), 0);
  EXPECT_EQ(story.events.back().after, std::vector<std::uint64_t>{read});
  EXPECT_NE(story_text(m.trace, story).find("after"), std::string::npos);
  EXPECT_NE(story_dot(m.trace, story).find("->"), std::string::npos);
  EXPECT_EQ(story_of(m.trace, finding, 2).events.size(), 2U);
}

TEST(Story, WhatMustHappenIsToldWithTheResetsOfOthersMeanwhile) {
  Made m;
  const auto asked = m.submit(0, 1, 0, 0x01, 1);
  const auto reset = m.add(Boundary::register_write, 1, 0, spec::reg::cc, 0);
  const auto late = m.add(Boundary::sq_doorbell, 0, 1);
  model::Finding finding;
  finding.rule = model::Rule::liv01;
  finding.controller = 0;
  finding.events = {asked, late};
  const Story story = story_of(m.trace, finding);
  EXPECT_EQ(story.meanwhile, std::vector<std::uint64_t>{reset});
  finding.rule = model::Rule::d02;
  EXPECT_TRUE(story_of(m.trace, finding).meanwhile.empty());
}

}  // namespace
}  // namespace polypath::check
