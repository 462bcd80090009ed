// What a zone may be while commands of several controllers are under way.
#include "model/zone_set.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace polypath::model {
namespace {

using spec::Status;
using spec::ZoneState;

constexpr std::uint64_t kCapacity = 24;

ZoneCommand append(Seq submitted, std::uint64_t blocks) {
  return {.submitted = submitted, .blocks = blocks, .verb = ZoneVerb::append};
}
ZoneCommand write(Seq submitted, std::uint64_t at, std::uint64_t blocks) {
  return {.submitted = submitted, .at = at, .blocks = blocks, .verb = ZoneVerb::write};
}
ZoneCommand send(Seq submitted, ZoneVerb verb) { return {.submitted = submitted, .verb = verb}; }

ZoneSet empty() {
  ZoneSet zone;
  zone.start(ZoneState::empty, 0, false, kCapacity, 1);
  return zone;
}

bool fails_with(const ZoneSet& zone, Seq submitted, Status status) {
  const auto errors = zone.judge(submitted).errors;
  return std::find(errors.begin(), errors.end(), status) != errors.end();
}

TEST(ZoneSet, AppendsUnderWayMayComeInAnyOrder) {
  ZoneSet zone = empty();
  zone.begin(append(10, 2), 10);
  zone.begin(append(11, 3), 11);
  EXPECT_TRUE(zone.may_be_at(10, 0));
  EXPECT_TRUE(zone.may_be_at(10, 3));
  EXPECT_FALSE(zone.may_be_at(10, 2));
  std::uint64_t at = 3;
  EXPECT_TRUE(zone.succeed(10, &at, false, 12));
  // So the other one was first.
  EXPECT_TRUE(zone.may_be_at(11, 0));
  EXPECT_FALSE(zone.may_be_at(11, 5));
  at = 0;
  EXPECT_TRUE(zone.succeed(11, &at, false, 13));
  EXPECT_TRUE(zone.may_show(ZoneState::implicitly_open, 5, false, 14));
  EXPECT_FALSE(zone.may_show(ZoneState::implicitly_open, 2, false, 14));
}

TEST(ZoneSet, TwoAppendsAreNeverAtOnePlace) {
  ZoneSet zone = empty();
  zone.begin(append(10, 2), 10);
  zone.begin(append(11, 2), 11);
  std::uint64_t at = 0;
  EXPECT_TRUE(zone.succeed(10, &at, false, 12));
  EXPECT_FALSE(zone.succeed(11, &at, false, 13));
  EXPECT_FALSE(zone.known());
}

TEST(ZoneSet, AWriteNotAtThePointerFailsUnlessAnotherMayMoveIt) {
  ZoneSet zone = empty();
  zone.begin(write(10, 4, 1), 10);
  EXPECT_FALSE(zone.judge(10).success);
  EXPECT_TRUE(fails_with(zone, 10, Status::zone_invalid_write));
  zone.begin(append(11, 4), 11);
  EXPECT_TRUE(zone.judge(10).success);
  EXPECT_TRUE(fails_with(zone, 10, Status::zone_invalid_write));
}

TEST(ZoneSet, ARefusalMayBeOfAStateThatIsGone) {
  ZoneSet zone = empty();
  zone.begin(write(10, 4, 1), 10);
  zone.begin(append(11, 4), 11);
  const std::uint64_t at = 0;
  EXPECT_TRUE(zone.succeed(11, &at, false, 12));
  EXPECT_TRUE(fails_with(zone, 10, Status::zone_invalid_write));
  zone.fail(10, Status::zone_invalid_write, false, 13);
  EXPECT_FALSE(zone.may_show(ZoneState::implicitly_open, 5, false, 14));
}

TEST(ZoneSet, TheLastBlockMakesItFull) {
  ZoneSet zone = empty();
  zone.begin(write(10, 0, kCapacity), 10);
  EXPECT_TRUE(zone.succeed(10, nullptr, false, 11));
  EXPECT_TRUE(zone.may_show(ZoneState::full, 0, false, 12));
  EXPECT_FALSE(zone.may_show(ZoneState::implicitly_open, kCapacity, false, 12));
  zone.begin(append(13, 1), 13);
  EXPECT_TRUE(fails_with(zone, 13, Status::zone_full));
  EXPECT_FALSE(zone.judge(13).success);
}

TEST(ZoneSet, AnImplicitlyOpenedZoneMayBeClosedToMakeRoom) {
  ZoneSet zone = empty();
  zone.begin(append(10, 1), 10);
  const std::uint64_t at = 0;
  EXPECT_TRUE(zone.succeed(10, &at, false, 11));
  EXPECT_TRUE(zone.may_show(ZoneState::closed, 1, false, 12));
  zone.begin(send(13, ZoneVerb::open), 13);
  EXPECT_TRUE(zone.succeed(13, nullptr, false, 14));
  EXPECT_FALSE(zone.may_show(ZoneState::closed, 1, false, 15));
}

TEST(ZoneSet, ALostCommandMayHaveHadItsEffect) {
  ZoneSet zone = empty();
  zone.begin(append(10, 2), 10);
  zone.lose(10);
  zone.settle_lost(0, false, 11);
  EXPECT_TRUE(zone.may_show(ZoneState::empty, 0, false, 12));
  EXPECT_TRUE(zone.may_show(ZoneState::implicitly_open, 2, false, 12));
  zone.decide(ZoneState::empty, 0, false, false, 13);
  EXPECT_FALSE(zone.may_show(ZoneState::implicitly_open, 2, false, 14));
}

TEST(ZoneSet, IllegalTransitionsFailAndOthersDoNot) {
  ZoneSet zone = empty();
  zone.begin(send(10, ZoneVerb::close), 10);
  EXPECT_FALSE(zone.judge(10).success);
  EXPECT_TRUE(fails_with(zone, 10, Status::invalid_zone_transition));
  zone.fail(10, Status::invalid_zone_transition, false, 11);
  zone.begin(send(12, ZoneVerb::reset), 12);
  EXPECT_TRUE(zone.judge(12).success);
  EXPECT_FALSE(fails_with(zone, 12, Status::invalid_zone_transition));
}

TEST(ZoneSet, NoZoneStaysOpenOverAResetOfTheSubsystem) {
  ZoneSet zone = empty();
  zone.begin(send(10, ZoneVerb::open), 10);
  EXPECT_TRUE(zone.succeed(10, nullptr, false, 11));
  zone.close_all(true, false, 12);
  EXPECT_TRUE(zone.surely_empty());
}

TEST(ZoneSet, PowerLossMovesThePointerBackToWhatIsDurableAtMost) {
  ZoneSet zone;
  zone.start(ZoneState::closed, 6, false, kCapacity, 1);
  zone.fall_back(4, 2);
  for (const std::uint64_t wp : {4U, 5U, 6U}) EXPECT_TRUE(zone.may_show(ZoneState::closed, wp, false, 3));
  EXPECT_FALSE(zone.may_show(ZoneState::closed, 3, false, 3));
}

TEST(ZoneSet, AWornZoneTakesNoWritesAndNeverComesBack) {
  ZoneSet zone = empty();
  zone.begin(append(10, 1), 10);
  zone.wear(ZoneState::read_only, 11);
  EXPECT_TRUE(zone.judge(10).success);  // before it was worn
  EXPECT_TRUE(fails_with(zone, 10, Status::zone_read_only));
  zone.fail(10, Status::zone_read_only, false, 12);
  zone.begin(send(13, ZoneVerb::reset), 13);
  EXPECT_FALSE(zone.judge(13).success);
  zone.fail(13, Status::invalid_zone_transition, false, 14);
  zone.begin(send(15, ZoneVerb::offline), 15);
  EXPECT_TRUE(zone.succeed(15, nullptr, false, 16));
  EXPECT_TRUE(zone.may_show(ZoneState::offline, 0, false, 17));
}

TEST(ZoneSet, MoreAtATimeThanCanBeFollowedMakeNoVerdict) {
  ZoneSet zone = empty();
  for (Seq i = 0; i < 8; ++i) zone.begin(append(10 + i, 1), 10 + i);
  EXPECT_FALSE(zone.judge(10).judged);
}

}  // namespace
}  // namespace polypath::model
