// How much the suite asks of the rules of the model.
#include "conform/exercise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "device/profile.h"
#include "model/rules.h"

namespace polypath::conform {
namespace {

const model::Statistics& whole_suite() {
  static const model::Statistics sum = [] {
    model::Statistics out{};
    for (const auto& profile : device::profiles()) {
      model::add(out, exercise(load_suite(POLYPATH_SOURCE_DIR "/conformance", std::string(profile.name))));
    }
    return out;
  }();
  return sum;
}

TEST(Exercise, ARuleThatIsNeverExercisedHasAReasonAndNoOtherHas) {
  for (std::size_t i = 0; i < whole_suite().size(); ++i) {
    const std::string_view id = model::rules()[i].id;
    const bool listed = std::any_of(idle_rules().begin(), idle_rules().end(),
                                    [&](const IdleRule& rule) { return rule.id == id; });
    EXPECT_EQ(whole_suite()[i].exercised == 0, listed) << id;
  }
}

TEST(Exercise, AtMostOnePercentOfTheJudgementsAreInconclusive) {
  std::uint64_t exercised = 0, inconclusive = 0;
  for (const auto& rule : whole_suite()) {
    exercised += rule.exercised;
    inconclusive += rule.inconclusive;
  }
  EXPECT_GT(exercised, 100'000U);
  EXPECT_LE(100 * inconclusive, exercised + inconclusive);
}

TEST(Exercise, TheDocumentHasARowForEveryRule) {
  std::ifstream file(POLYPATH_SOURCE_DIR "/docs/rules.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const auto& rule : model::rules())
    EXPECT_NE(text.find("| " + std::string(rule.id) + " | "), std::string::npos) << rule.id;
}

}  // namespace
}  // namespace polypath::conform
