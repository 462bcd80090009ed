// The cases that the repository has, and what a run makes of them.
#include "conform/suite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "conform/known.h"
#include "conform/report.h"
#include "conform/run.h"
#include "device/faults.h"
#include "device/profile.h"
#include "program/topology.h"

namespace polypath::conform {
namespace {

namespace fs = std::filesystem;

const Suite& spec_suite() {
  static const Suite suite = load_suite(POLYPATH_SOURCE_DIR "/conformance", "spec");
  return suite;
}

const Case& find(const std::string& id) {
  return *std::find_if(spec_suite().cases.begin(), spec_suite().cases.end(),
                       [&](const Case& one) { return one.id == id; });
}

Verdict run_one(const Case& one, std::map<std::string, Announced>& worlds,
                const std::vector<std::string>& faults) {
  if (!worlds.contains(one.world)) worlds[one.world] = ask_announced(one, nullptr);
  return run_case(one, worlds[one.world], nullptr, faults);
}

Verdict run(const std::string& id, const std::vector<std::string>& faults = {}) {
  static std::map<std::string, Announced> worlds;
  return run_one(find(id), worlds, faults);
}

/// On a profile that has what it is about.
Verdict run_widest(const std::string& id, const std::vector<std::string>& faults) {
  static const Suite suite = load_widest_suite(POLYPATH_SOURCE_DIR "/conformance");
  static std::map<std::string, Announced> worlds;
  const auto at =
      std::find_if(suite.cases.begin(), suite.cases.end(), [&](const Case& one) { return one.id == id; });
  return run_one(*at, worlds, faults);
}

/// A folder with one file of cases that goes away with the test.
class SuiteText : public testing::Test {
 protected:
  SuiteText() {
    std::string pattern = (fs::temp_directory_path() / "polypath-cases-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(folder_ / "worlds.yaml") << "worlds:\n  one: {topology: [\"nvme,id=nvme0,serial=x\", "
                                              "\"nvme-ns,id=ns1,size=1MiB,bus=nvme0\"]}\n";
  }
  ~SuiteText() override { fs::remove_all(folder_); }
  std::string complaint(const std::string& cases) {
    std::ofstream(folder_ / "cases.yaml") << "family: f\nworld: one\narea: a\ncases:\n" << cases;
    try {
      load_suite(folder_.string(), "spec");
    } catch (const program::InputError& error) {
      return error.what();
    }
    return "";
  }
  fs::path folder_;
};

TEST_F(SuiteText, BadCasesAreNamedWithPlaceAndRemedy) {
  EXPECT_EQ(complaint("  - {id: A, title: t, steps: [wait: 1ms]}\n"), "");
  EXPECT_NE(complaint("  - {id: A, steps: [wait: 1ms]}\n").find("has no `title:`"), std::string::npos);
  EXPECT_NE(
      complaint("  - {id: A, title: t, needs: [formt], steps: [wait: 1ms]}\n").find("did you mean 'format'"),
      std::string::npos);
  EXPECT_NE(complaint("  - {id: A, title: t, world: two, steps: [wait: 1ms]}\n").find("has no world 'two'"),
            std::string::npos);
  EXPECT_NE(
      complaint("  - {id: A, title: t, steps: [wait: 1ms]}\n  - {id: A, title: t, steps: [wait: 1ms]}\n")
          .find("A is given twice"),
      std::string::npos);
  EXPECT_NE(complaint("  - {id: A, title: t, stpes: [wait: 1ms]}\n").find("did you mean 'steps'"),
            std::string::npos);
  EXPECT_NE(complaint("  - {id: A, title: t, steps: [reset: nvme9]}\n").find("(A)"), std::string::npos);
}

TEST_F(SuiteText, ARowIsACaseOfItsOwn) {
  EXPECT_EQ(
      complaint("  - {id: $id, title: \"$c waits\", rows: [{id: A-1, c: nvme0}, {id: A-2, c: nvme0}],\n"
                "     steps: [register_read: {controller: $c, offset: 8, want: {fields: {is_not: 9}}}]}\n"),
      "");
  const Suite suite = load_suite(folder_.string(), "spec");
  ASSERT_EQ(suite.cases.size(), 2U);
  EXPECT_EQ(suite.cases[1].id, "A-2");
  EXPECT_EQ(suite.cases[1].title, "nvme0 waits");
  EXPECT_EQ(suite.cases[1].steps[0].words, "{register_read: {controller: nvme0, offset: 8}}");
}

TEST(Suite, HasAtLeast250CasesAndEveryOneNamesItsAreaAndOrigin) {
  EXPECT_GE(spec_suite().cases.size(), 250U);
  for (const Case& one : spec_suite().cases) {
    EXPECT_FALSE(one.area.empty()) << one.id;
    EXPECT_FALSE(one.origin.empty()) << one.id;
    EXPECT_TRUE(std::any_of(one.steps.begin(), one.steps.end(),
                            [](const StepWant& step) { return step.want.has_value(); }) ||
                one.judged == Judged::host || one.text.find("equals") != std::string::npos)
        << one.id << " expects nothing";
  }
}

class SuiteOnProfile : public testing::TestWithParam<const char*> {};

TEST_P(SuiteOnProfile, NoCaseFails) {
  const Suite suite = load_suite(POLYPATH_SOURCE_DIR "/conformance", GetParam());
  std::map<std::string, Announced> worlds;
  std::size_t passed = 0;
  for (const Case& one : suite.cases) {
    if (!worlds.contains(one.world)) worlds[one.world] = ask_announced(one, nullptr);
    const Verdict verdict = run_case(one, worlds[one.world], nullptr);
    EXPECT_NE(verdict.result, Result::failed) << one.id << ": " << verdict.problems.front();
    passed += verdict.result == Result::passed ? 1 : 0;
  }
  EXPECT_GE(passed, 200U);
}
INSTANTIATE_TEST_SUITE_P(Profiles, SuiteOnProfile,
                         testing::Values("spec", "spec-zoned", "spec-blocks", "spec-pi", "minimal",
                                         "qemu-2021", "qemu-7.2", "linux-nvmet"));

TEST(Suite, RunsOnEveryProfileThatThereIs) { EXPECT_EQ(device::profiles().size(), 8U); }

TEST(Run, AFaultTurnsItsCaseRedAndTheStepIsTold) {
  if (!device::faults_compiled_in()) GTEST_SKIP();
  EXPECT_EQ(run("N-088").result, Result::passed);
  const Verdict verdict = run("N-088", {"active-list-unsorted"});
  EXPECT_EQ(verdict.result, Result::failed);
  ASSERT_FALSE(verdict.problems.empty());
  EXPECT_NE(verdict.problems[0].find("of the list is"), std::string::npos) << verdict.problems[0];
}

TEST(Run, WhatIsNotAnnouncedIsNotAsked) {
  const Verdict verdict = run("A-010");
  EXPECT_EQ(verdict.result, Result::skipped);
  EXPECT_NE(verdict.reason.find("namespace_management is announced"), std::string::npos) << verdict.reason;
}

// The document is made by `polypath conform --faults`; a fault that it does not know must be added to it.
TEST(FaultTable, EveryPlantedFaultTurnsACheckRed) {
  std::ifstream in(POLYPATH_SOURCE_DIR "/docs/conformance-faults.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const auto& row : device::faults()) {
    const std::string begin = "| `" + std::string(row.id) + "` | ";
    const auto at = text.find(begin);
    ASSERT_NE(at, std::string::npos) << row.id << " is not in docs/conformance-faults.md";
    if (!device::faults_compiled_in()) continue;
    const auto cell = text.find("| ", at + begin.size()) + 2;
    const std::string first = text.substr(cell, text.find_first_of(", ", cell) - cell);
    ASSERT_NE(first, "none") << row.id;
    EXPECT_EQ(run_widest(first, {std::string(row.id)}).result, Result::failed) << row.id << " in " << first;
  }
}

TEST(Known, AnArgumentIsForOneVersionAndForFailuresOnly) {
  const std::string file = POLYPATH_SOURCE_DIR "/conformance/known/qemu-7.2.yaml";
  EXPECT_TRUE(load_known(file, "qemu", "8.0.1").cases.empty());
  EXPECT_TRUE(load_known(file, "sim", "7.2").cases.empty());
  Known known = load_known(file, "qemu", "7.2.22");
  ASSERT_TRUE(known.cases.contains("N-071"));
  Verdict failed{"N-071", Result::failed, "", {"a list in any order"}, {}};
  apply(known, failed);
  EXPECT_EQ(failed.result, Result::known);
  Verdict passed{"N-072", Result::passed, "", {}, {}};
  apply(known, passed);
  EXPECT_EQ(passed.result, Result::passed);
  EXPECT_EQ(idle(known, {failed, passed}).size(), 1U);
  Verdict everywhere{"H-001", Result::failed, "", {"INV-LOG-01: the effects log"}, {"INV-LOG-01"}};
  apply(known, everywhere);
  EXPECT_EQ(everywhere.result, Result::passed);
}

TEST(Known, EveryArgumentIsOfACaseThatThereIs) {
  const Known known = load_known(POLYPATH_SOURCE_DIR "/conformance/known/qemu-7.2.yaml", "qemu", "7.2.22");
  std::set<std::string> ids;
  for (const Case& one : spec_suite().cases) ids.insert(one.id);
  for (const auto& [id, argument] : known.cases) {
    EXPECT_TRUE(ids.contains(id)) << id;
    EXPECT_FALSE(argument.argument.empty()) << id;
  }
}

TEST(Report, JsonIsABaselineAndTextIsEscaped) {
  Report report{"sim", "0.1.0", "spec", {&find("R-001"), &find("R-002")}, {}, {}};
  report.verdicts.push_back({"R-001", Result::failed, "", {"<b> & \"c\""}, {}});
  report.verdicts.push_back({"R-002", Result::passed, "", {}, {}});
  const auto results = results_of_json(to_json(report), "file");
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0], std::make_pair(std::string("R-001"), std::string("failed")));
  EXPECT_THROW(results_of_json("{}", "file"), program::InputError);
  EXPECT_THROW(results_of_json("{\"cases\": [{\"id\": 1}]}", "file"), program::InputError);
  EXPECT_NE(to_junit(report).find("tests=\"2\" failures=\"1\""), std::string::npos);
  EXPECT_NE(to_junit(report).find("&lt;b&gt; &amp; &quot;c&quot;"), std::string::npos);
  const std::string page = to_html(report);
  EXPECT_NE(page.find("&lt;b&gt;"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);  // it needs nothing else
}

}  // namespace
}  // namespace polypath::conform
