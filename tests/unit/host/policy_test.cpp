// Linux's path selection, case by case: which path, and what becomes of the head's current-path slot.
#include "host/policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace polypath::host {
namespace {

constexpr auto kLive = ControllerState::live;
constexpr auto kResetting = ControllerState::resetting;

PathRecord path(AnaState ana = AnaState::optimized, ControllerState state = kLive) {
  PathRecord record;
  record.controller = state;
  record.ana = ana;
  return record;
}
PathRecord opt() { return path(); }
PathRecord non() { return path(AnaState::non_optimized); }
PathRecord inaccessible() { return path(AnaState::inaccessible); }
PathRecord down() { return path(AnaState::optimized, kResetting); }

using Paths = std::vector<PathRecord>;

TEST(Usable, NeedsControllerKnowledgeAndAccess) {
  EXPECT_TRUE(is_usable(opt()));
  EXPECT_TRUE(is_usable(non()));
  EXPECT_TRUE(is_usable(path(AnaState::optimized, ControllerState::deleting)))
      << "final I/O must be able to complete";
  for (const ControllerState state :
       {ControllerState::fresh, kResetting, ControllerState::connecting, ControllerState::deleting_noio,
        ControllerState::dead, ControllerState::unbound}) {
    EXPECT_FALSE(is_usable(path(AnaState::optimized, state)));
  }
  for (const AnaState ana : {AnaState::inaccessible, AnaState::persistent_loss, AnaState::change}) {
    EXPECT_FALSE(is_usable(path(ana)));
  }
  PathRecord stale = opt();
  stale.ana_pending = true;
  EXPECT_FALSE(is_usable(stale));
  PathRecord other_size = opt();
  other_size.ready = false;
  EXPECT_FALSE(is_usable(other_size));
}

TEST(Available, ControllerThatMayServeAgainKeepsIoWaitingWhateverItsAnaState) {
  EXPECT_TRUE(may_become_usable(Paths{inaccessible()}));
  EXPECT_TRUE(may_become_usable(Paths{down()}));
  EXPECT_TRUE(may_become_usable(Paths{path(AnaState::optimized, ControllerState::connecting)}));
  EXPECT_FALSE(may_become_usable(Paths{path(AnaState::optimized, ControllerState::deleting)}));
  EXPECT_FALSE(may_become_usable(Paths{path(AnaState::optimized, ControllerState::dead)}));
  EXPECT_FALSE(may_become_usable(Paths{}));
}

TEST(Search, OptimizedBeforeNonOptimizedFirstWinsTies) {
  EXPECT_EQ(search(Paths{non(), opt(), opt()}, Policy::numa), 1);
  EXPECT_EQ(search(Paths{inaccessible(), non(), non()}, Policy::numa), 1);
  EXPECT_EQ(search(Paths{inaccessible(), down()}, Policy::numa), kNoPath);
  EXPECT_EQ(search(Paths{}, Policy::numa), kNoPath);
}

TEST(Search, DistanceCountsForNumaOnly) {
  Paths paths{opt(), opt(), non()};
  paths[0].distance = 20;
  paths[2].distance = 1;
  EXPECT_EQ(search(paths, Policy::numa), 1) << "a near non-optimized path does not beat an optimized one";
  EXPECT_EQ(search(paths, Policy::round_robin), 0);
}

TEST(Numa, EmptySlotIsFilledBySearch) {
  EXPECT_EQ(choose_path(Policy::numa, Paths{non(), opt()}, kNoPath), (Choice{1, 1}));
}

TEST(Numa, LiveOptimizedPathIsStickyEvenWhenAnotherIsNearer) {
  Paths paths{opt(), opt()};
  paths[0].distance = 1;
  EXPECT_EQ(choose_path(Policy::numa, paths, 1), (Choice{1, 1}));
}

TEST(Numa, StickyPathIsNotCheckedForReadiness) {
  Paths paths{opt(), opt()};
  paths[0].ready = false;
  paths[0].ana_pending = true;
  EXPECT_EQ(choose_path(Policy::numa, paths, 0), (Choice{0, 0}));
}

TEST(Numa, NonOptimizedPathIsNeverSticky) {
  EXPECT_EQ(choose_path(Policy::numa, Paths{non(), non()}, 1), (Choice{0, 0}));
  EXPECT_EQ(choose_path(Policy::numa, Paths{non(), opt()}, 0), (Choice{1, 1}));
}

TEST(Numa, ControllerInResetLosesIoToAnotherPath) {
  EXPECT_EQ(choose_path(Policy::numa, Paths{down(), opt()}, 0), (Choice{1, 1}));
}

TEST(Numa, DeletingControllerIsFoundBySearchButNotSticky) {
  const PathRecord leaving = path(AnaState::optimized, ControllerState::deleting);
  EXPECT_EQ(choose_path(Policy::numa, Paths{opt(), leaving}, 1), (Choice{0, 0}));
  EXPECT_EQ(choose_path(Policy::numa, Paths{leaving}, 0), (Choice{0, 0}));
}

TEST(Numa, UnsuccessfulSearchDoesNotClearTheSlot) {
  EXPECT_EQ(choose_path(Policy::numa, Paths{down(), inaccessible()}, 0), (Choice{kNoPath, 0}));
}

TEST(RoundRobin, EmptySlotIsFilledBySearch) {
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{opt(), opt()}, kNoPath), (Choice{0, 0}));
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{down()}, kNoPath), (Choice{kNoPath, kNoPath}));
}

TEST(RoundRobin, TakesTheNextOptimizedPathInACircle) {
  const Paths paths{opt(), opt(), opt()};
  std::int32_t current = kNoPath;
  std::vector<std::int32_t> taken;
  for (int i = 0; i < 7; ++i) {
    const Choice choice = choose_path(Policy::round_robin, paths, current);
    taken.push_back(choice.path);
    current = choice.current;
  }
  EXPECT_EQ(taken, (std::vector<std::int32_t>{0, 1, 2, 0, 1, 2, 0}));
}

TEST(RoundRobin, SkipsDisabledAndPassesOverNonOptimized) {
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{opt(), down(), non(), opt()}, 0), (Choice{3, 3}));
}

TEST(RoundRobin, OnlyOptimizedPathKeepsItselfBesideNonOptimizedOnes) {
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{non(), opt(), non()}, 1), (Choice{1, 1}));
}

TEST(RoundRobin, RotationAmongNonOptimizedRunsBackwards) {
  const Paths paths{non(), non(), non()};
  std::int32_t current = 0;
  std::vector<std::int32_t> taken;
  for (int i = 0; i < 4; ++i) {
    const Choice choice = choose_path(Policy::round_robin, paths, current);
    taken.push_back(choice.path);
    current = choice.current;
  }
  EXPECT_EQ(taken, (std::vector<std::int32_t>{2, 1, 0, 2}));
}

TEST(RoundRobin, LoneUsableNonOptimizedPathIsKept) {
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{down(), non(), inaccessible()}, 1), (Choice{1, 1}));
}

TEST(RoundRobin, SinglePathIsNotCheckedForItsAnaState) {
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{inaccessible()}, 0), (Choice{0, 0}));
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{inaccessible()}, kNoPath), (Choice{kNoPath, kNoPath}))
      << "but with an empty slot the search does check";
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{down()}, 0), (Choice{kNoPath, 0}));
}

TEST(RoundRobin, NoPathLeavesTheSlot) {
  EXPECT_EQ(choose_path(Policy::round_robin, Paths{down(), inaccessible()}, 1), (Choice{kNoPath, 1}));
}

TEST(PolicyName, IsLinuxs) {
  Policy policy{};
  EXPECT_TRUE(policy_from_name("round-robin", policy));
  EXPECT_EQ(policy_name(policy), "round-robin");
  EXPECT_TRUE(policy_from_name("numa", policy));
  EXPECT_EQ(policy_name(policy), "numa");
  EXPECT_FALSE(policy_from_name("random", policy));
}

}  // namespace
}  // namespace polypath::host
