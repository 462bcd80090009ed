// Any bytes are an input, and every input is one program that people can read and run.
#include "fuzz/input.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/random.h"
#include "fuzz/mutate.h"
#include "fuzz/target.h"
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

TEST(Input, OneLatitudeCanBeGivenToEveryMove) {
  const Input before = read_input(random_bytes(3));
  ASSERT_FALSE(before.moves.empty());
  for (const std::uint8_t latitude : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
    Input input = before;
    set_latitude(input, latitude);
    const program::Program program = to_program(attach_target(), input);
    const std::size_t ready = attach_target().prepared(input.shape, "").steps.size();
    ASSERT_GT(program.steps.size(), ready);
    for (std::size_t i = ready; i < program.steps.size(); ++i) EXPECT_EQ(program.steps[i].latitude, latitude);
    // Nothing else of a move changed.
    for (std::size_t i = 0; i < input.moves.size(); ++i) {
      Move move = input.moves[i];
      EXPECT_EQ(move.who & 0x9FU, before.moves[i].who & 0x9FU);
      move.who = before.moves[i].who;
      EXPECT_EQ(move, before.moves[i]);
    }
  }
  EXPECT_EQ(find_latitude("adversarial"), 2);
  EXPECT_FALSE(find_latitude(""));
}

TEST(Input, ItsProgramIsCanonicalAndSurvivesTextAndBinary) {
  for (std::uint64_t number = 0; number < 200; ++number) {
    for (const Target* target : targets()) {
      const program::Program program = to_program(*target, read_input(random_bytes(number)), "sqhd-stuck");
      EXPECT_EQ(program::canonical(program), program) << target->name << number;
      EXPECT_EQ(program::decode(program::encode(program)), program) << target->name << number;
      EXPECT_EQ(scenario::load_scenario_text(scenario::scenario_text(program), "fuzz"), program)
          << target->name << number;
    }
  }
}

TEST(Input, EveryKindOfMoveMakesSteps) {
  for (const Target* target : targets()) {
    for (std::size_t kind = 0; kind < target->kinds; ++kind) {
      for (const std::uint8_t hosts : {std::uint8_t{0}, std::uint8_t{3}}) {
        Input input;
        input.shape.hosts = hosts;
        input.moves.push_back({static_cast<std::uint8_t>(kind), 0, 0, 0, 0, 0, 0, 0});
        const std::size_t without = target->prepared(input.shape, "").steps.size();
        const bool gives_what_is_raw = hosts == 3 && to_program(*target, input).steps.size() == without;
        EXPECT_TRUE(to_program(*target, input).steps.size() > without || gives_what_is_raw)
            << target->name << kind;
      }
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
