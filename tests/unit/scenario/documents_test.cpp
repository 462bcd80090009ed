// The schema and the reference documentation come from the tables, and stay with them.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program/program.h"
#include "scenario/scenario.h"

namespace polypath::scenario {
namespace {

std::string document(const std::string& name) {
  std::ifstream file(POLYPATH_SOURCE_DIR "/docs/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Schema, KnowsEveryStepAndEveryOperand) {
  const auto schema = nlohmann::json::parse(scenario_schema());
  const auto& kinds = schema["properties"]["steps"]["items"]["anyOf"];
  ASSERT_EQ(kinds.size(), program::step_rows().size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto& row = program::step_rows()[i];
    const std::string name(row.name);
    EXPECT_TRUE(kinds[i]["properties"].contains(name)) << name;
    const std::string kind = kinds[i].dump();
    for (const auto& f : row.fields) {
      const std::string field(program::find_field(f.field)->name);
      EXPECT_NE(kind.find("\"" + field + "\""), std::string::npos) << name << " " << field;
    }
  }
  EXPECT_EQ(schema["required"], nlohmann::json({"topology"}));
}

TEST(Schema, EveryReferenceHasItsDefinition) {
  const std::string text = scenario_schema();
  const auto schema = nlohmann::json::parse(text);
  const std::string start = "\"$ref\": \"#/$defs/";
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    const std::size_t name = at + start.size();
    EXPECT_TRUE(schema["$defs"].contains(text.substr(name, text.find('"', name) - name)));
  }
}

// To bring the documents up to date: POLYPATH_WRITE_DOCS=1 scenario_test --gtest_filter='Documents.*'
void expect_holds(const std::string& name, const std::string& generated) {
  const std::string begin = "<!-- generated from the tables -->\n",
                    end = "<!-- end of the generated part -->\n";
  std::string text = document(name);
  const std::size_t from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos) << name;
  ASSERT_NE(to, std::string::npos) << name;
  const std::size_t start = from + begin.size();
  if (std::getenv("POLYPATH_WRITE_DOCS") != nullptr) {
    text.replace(start, to - start, generated);
    std::ofstream(POLYPATH_SOURCE_DIR "/docs/" + name) << text;
    return;
  }
  EXPECT_EQ(text.substr(start, to - start), generated) << "docs/" << name << " differs from the tables";
}

TEST(Documents, ScenarioFormatHoldsTheTables) { expect_holds("scenario-format.md", step_reference()); }
TEST(Documents, TopologyHoldsTheDeviceWords) { expect_holds("topology.md", device_reference()); }

}  // namespace
}  // namespace polypath::scenario
