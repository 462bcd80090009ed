// What a step must answer is a set, and an answer outside of it is told.
#include "conform/want.h"

#include <gtest/gtest.h>

#include "program/topology.h"
#include "scenario/yaml_tree.h"

namespace polypath::conform {
namespace {

Want want(const std::string& text) { return read_want(scenario::read_yaml(text, "case"), "case"); }

target::StepOutcome answer(std::uint16_t status, std::vector<std::uint8_t> data = {}) {
  target::StepOutcome outcome;
  outcome.started = outcome.done = true;
  outcome.status = status;
  for (const std::uint8_t byte : data) outcome.data.push_back(static_cast<std::byte>(byte));
  return outcome;
}

TEST(Want, AnyStatusOfTheSetIsRight) {
  const Want set = want("[invalid_field, 1/18]");
  EXPECT_EQ(disappointment(set, answer(0x002), {}), "");
  EXPECT_EQ(disappointment(set, answer(0x118), {}), "");
  EXPECT_NE(disappointment(set, answer(0x000), {}), "");
}

TEST(Want, RetryBitsAreNoPartOfAStatus) {
  EXPECT_EQ(disappointment(want("invalid_field"), answer(0x4002), {}), "");
  EXPECT_EQ(disappointment(want("invalid_field"), answer(0x6002), {}), "");
}

TEST(Want, ACommandThatWaitsIsNoCommandThatSucceeded) {
  target::StepOutcome waiting;
  waiting.started = true;
  EXPECT_EQ(disappointment(want("waits"), waiting, {}), "");
  EXPECT_NE(disappointment(want("success"), waiting, {}), "");
  EXPECT_NE(disappointment(want("waits"), answer(0), {}), "");
}

TEST(Want, ALostCommandMustBeExpected) {
  target::StepOutcome lost = answer(0);
  lost.lost = true;
  EXPECT_EQ(disappointment(want("lost"), lost, {}), "");
  EXPECT_NE(disappointment(want("[success, waits]"), lost, {}), "");
}

TEST(Want, FieldsAreLittleEndianMaskedAndOfASet) {
  const auto seen = answer(0, {0x34, 0x12, 0xFF});
  EXPECT_EQ(disappointment(want("{fields: {at: 0, bytes: 2, is: 0x1234}}"), seen, {}), "");
  EXPECT_EQ(disappointment(want("{fields: {at: 0, bytes: 2, is: [1, 0x1200..0x12ff]}}"), seen, {}), "");
  EXPECT_EQ(disappointment(want("{fields: {at: 2, mask: 0x0f, is: 0xf}}"), seen, {}), "");
  EXPECT_NE(disappointment(want("{fields: {at: 0, bytes: 2, is: 0x1235}}"), seen, {}), "");
  EXPECT_NE(disappointment(want("{fields: {at: 2, is_not: 0xff}}"), seen, {}), "");
}

TEST(Want, AListEndsWithZeros) {
  EXPECT_EQ(disappointment(want("{list: [1, 2]}"), answer(0, {1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}), {}), "");
  EXPECT_NE(disappointment(want("{list: [1]}"), answer(0, {1, 0, 0, 0, 2, 0, 0, 0}), {}), "");
  EXPECT_NE(disappointment(want("{list: [1, 2]}"), answer(0, {1, 0, 0, 0}), {}), "");
  EXPECT_EQ(disappointment(want("{controllers: [0, 7]}"), answer(0, {2, 0, 0, 0, 7, 0, 0, 0}), {}), "");
  EXPECT_NE(disappointment(want("{controllers: [0]}"), answer(0, {2, 0, 0, 0, 7, 0}), {}), "");
}

TEST(Want, DataAreComparedWithThoseOfANamedStep) {
  const auto one = answer(0, {1, 2}), other = answer(0, {1, 3});
  const Named named{{"one", &one}};
  EXPECT_EQ(disappointment(want("{same: one}"), one, named), "");
  EXPECT_NE(disappointment(want("{same: one}"), other, named), "");
  EXPECT_EQ(disappointment(want("{differs: one}"), other, named), "");
  EXPECT_NE(disappointment(want("{fields: {at: 1, differs: one, same_at: 1}}"), one, named), "");
  EXPECT_NE(disappointment(want("{same: nobody}"), one, named), "");
}

TEST(Want, BadTextIsNamedWithItsPlaceAndARemedy) {
  for (const auto& [text, part] :
       std::vector<std::pair<std::string, std::string>>{{"sucess", "is no status"},
                                                        {"{statuses: success}", "unknown key 'statuses'"},
                                                        {"{fields: {at: x}}", "is no number"},
                                                        {"{fields: {bytes: 9}}", "1 to 8"}}) {
    try {
      want(text);
      FAIL() << text;
    } catch (const program::InputError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_TRUE(std::string(error.what()).starts_with("case:1:")) << error.what();
    }
  }
}

}  // namespace
}  // namespace polypath::conform
