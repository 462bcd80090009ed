// Any bytes are an input, and every input is one program that people can read and run.
#include "fuzz/input.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/random.h"
#include "fuzz/attach.h"
#include "fuzz/mutate.h"
#include "scenario/scenario.h"

namespace polypath::fuzz {
namespace {

std::vector<std::uint8_t> random_bytes(std::uint64_t number) {
  engine::Random dice(number, "bytes");
  std::vector<std::uint8_t> bytes(dice.below(kMostBytes + 20));
  std::generate(bytes.begin(), bytes.end(), [&dice] { return static_cast<std::uint8_t>(dice.next()); });
  return bytes;
}

TEST(Input, AnyBytesAreOneAndWritingItKeepsIt) {
  for (std::uint64_t number = 0; number < 500; ++number) {
    const Input input = read_input(random_bytes(number));
    EXPECT_LE(input.moves.size(), kMostMoves);
    EXPECT_EQ(read_input(write_input(input)), input) << number;
  }
}

TEST(Input, EveryBitOfTheWorldHasAMeaningOrNone) {
  Input input;
  input.shape = {4, 6, 3, 3, true, true, false};
  EXPECT_EQ(read_input(write_input(input)), input);
  const Input none = read_input({});
  EXPECT_EQ(none.shape.controllers, 1);
  EXPECT_TRUE(none.moves.empty());
}

TEST(Input, ItsProgramIsCanonicalAndSurvivesTextAndBinary) {
  for (std::uint64_t number = 0; number < 200; ++number) {
    const program::Program program = to_program(read_input(random_bytes(number)), "sqhd-stuck");
    EXPECT_EQ(program::canonical(program), program) << number;
    EXPECT_EQ(program::decode(program::encode(program)), program) << number;
    EXPECT_EQ(scenario::load_scenario_text(scenario::scenario_text(program), "fuzz"), program) << number;
  }
}

TEST(Input, ItsProgramOfZonesIsCanonicalAndSurvivesTextAndBinary) {
  for (std::uint64_t number = 0; number < 200; ++number) {
    const program::Program program = to_program(read_input(random_bytes(number)), "", Target::zoned);
    EXPECT_EQ(program.profile, "spec-zoned");
    EXPECT_EQ(program::canonical(program), program) << number;
    EXPECT_EQ(program::decode(program::encode(program)), program) << number;
    EXPECT_EQ(scenario::load_scenario_text(scenario::scenario_text(program), "fuzz"), program) << number;
  }
}

TEST(Input, EveryKindOfMoveMakesSteps) {
  for (std::size_t kind = 0; kind < kinds_of_moves(); ++kind) {
    for (const std::uint8_t hosts : {std::uint8_t{0}, std::uint8_t{3}}) {
      Input input;
      input.shape.hosts = hosts;
      input.moves.push_back({static_cast<std::uint8_t>(kind), 0, 0, 0, 0, 0, 0, 0});
      const std::size_t without = prepared_program(input.shape, "").steps.size();
      const bool gives_what_is_raw = hosts == 3 && to_program(input).steps.size() == without;
      EXPECT_TRUE(to_program(input).steps.size() > without || gives_what_is_raw) << kind;
    }
  }
}

TEST(Mutator, IsAFunctionOfItsDice) {
  engine::Random one(7, "test"), same(7, "test");
  Input a = generate(one), b = generate(same);
  for (int i = 0; i < 200; ++i) {
    const Input before = a;
    mutate(a, one);
    mutate(b, same);
    ASSERT_EQ(a, b);
    a = cross(before, a, one);
    b = cross(before, b, same);
    ASSERT_EQ(a, b);
    ASSERT_LE(a.moves.size(), kMostMoves);
  }
}

TEST(Mutator, ChangesMostInputs) {
  engine::Random dice(8, "test");
  int same = 0;
  for (int i = 0; i < 200; ++i) {
    const Input before = generate(dice);
    Input after = before;
    mutate(after, dice);
    same += after == before ? 1 : 0;
  }
  EXPECT_LT(same, 20);
}

}  // namespace
}  // namespace polypath::fuzz
