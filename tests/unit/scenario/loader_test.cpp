// What scenario files say, and what the program then holds.
#include <gtest/gtest.h>

#include "scenario/scenario.h"
#include "spec/status.h"

namespace polypath::scenario {
namespace {

using program::Field;
using program::Form;
using program::Program;
using program::Step;
using program::StepKind;

const std::string kWorld =
    "topology:\n"
    "  - nvme-subsys,id=subsys0\n"
    "  - nvme,id=nvme0,serial=foo,subsys=subsys0\n"
    "  - nvme,id=nvme1,serial=foo,subsys=subsys0\n"
    "  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0\n"
    "hosts:\n"
    "  - {id: host0, paths: [nvme0, nvme1]}\n";

Program load(const std::string& rest) { return load_scenario_text(kWorld + rest, "x.yaml"); }

Step step(const std::string& text) {
  const Program p = load("steps:\n  - " + text + "\n");
  return p.steps.empty() ? Step{} : p.steps.back();
}

std::string error_of(const std::string& text, const std::string& world = kWorld) {
  try {
    load_scenario_text(world + text, "x.yaml");
  } catch (const program::InputError& error) {
    return error.what();
  }
  return {};
}

TEST(ScenarioFile, HoldsWhatItsKeysSay) {
  const Program p = load(
      "name: two words\ndescription: |\n  first line\n  second: line\nprofile: spec\nseed: 0x10\nfaults: "
      "[reset-hits-peer]\n"
      "steps:\n  - wait: 5ms\noverrides:\n  - {cause: 1, site: 2, nth: 3, value: 4}\n");
  EXPECT_EQ(p.name, "two words");
  EXPECT_EQ(p.description, "first line\nsecond: line");
  EXPECT_EQ(p.seed, 16U);
  EXPECT_EQ(p.faults, std::vector<std::string>{"reset-hits-peer"});
  ASSERT_EQ(p.overrides.size(), 1U);
  EXPECT_EQ(p.overrides[0].value, 4U);
  EXPECT_EQ(p.hosts[0].io_timeout, 30 * engine::kSecond);
}

TEST(ScenarioFile, JsonIsASubset) {
  const Program yaml = load("steps:\n  - write: {ns: ns1, lba: 8, tag: A}\n  - wait: 5ms\n");
  const Program json = load_scenario_text(
      R"({"topology": ["nvme-subsys,id=subsys0", "nvme,id=nvme0,serial=foo,subsys=subsys0",
          "nvme,id=nvme1,serial=foo,subsys=subsys0", "nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0"],
          "hosts": [{"id": "host0", "paths": ["nvme0", "nvme1"]}],
          "steps": [{"write": {"ns": "ns1", "lba": 8, "tag": "A"}}, {"wait": "5ms"}]})",
      "x.json");
  EXPECT_EQ(yaml, json);
}

TEST(ScenarioFile, TheOnlyHostIsMeantWhenNoneIsNamed) {
  EXPECT_EQ(step("flush: {ns: ns1}").find(Field::host)->text, "host0");
  EXPECT_EQ(step("flush: ns1").find(Field::host)->text, "host0");
  EXPECT_NE(
      error_of("  - {id: host1, paths: []}\nsteps:\n  - flush: {ns: ns1}\n").find("does not say which host"),
      std::string::npos);
}

TEST(ScenarioFile, OptionsStandBesideTheKindOrAmongItsOperands) {
  const Step inside =
      step("create: {via: nvme0, size: 1MiB, as: fresh, at: 1ms, nowait: true, latitude: 3, actor: b}");
  const Step beside =
      step("{create: {via: nvme0, size: 1MiB}, as: fresh, at: 1ms, nowait: true, latitude: 3, actor: b}");
  EXPECT_EQ(inside, beside);
  EXPECT_EQ(inside.as, "fresh");
  EXPECT_EQ(inside.at, engine::kMillisecond);
  EXPECT_TRUE(inside.nowait);
}

TEST(ScenarioFile, AWorkloadRunsBesideTheStepsUnlessItSaysNo) {
  EXPECT_TRUE(step("workload: {ns: ns1}").nowait);
  EXPECT_FALSE(step("workload: {ns: ns1, nowait: false}").nowait);
  EXPECT_FALSE(step("flush: ns1").nowait);
}

TEST(ScenarioFile, StepsAreNumberedInOrderAroundGivenIds) {
  const Program p = load("steps:\n  - wait: 1ms\n  - wait: {duration: 1ms, id: 1}\n  - wait: 1ms\n");
  EXPECT_EQ(p.steps[0].id, 2U);
  EXPECT_EQ(p.steps[1].id, 1U);
  EXPECT_EQ(p.steps[2].id, 3U);
}

TEST(Expectations, StatusIsANameAPairOrLinuxsNumber) {
  const auto status = [](const std::string& text) {
    return step("detach: {via: nvme0, ns: ns1, controllers: [nvme1], expect: {status: " + text + "}}")
        .number(Field::status);
  };
  EXPECT_EQ(status("success"), 0U);
  EXPECT_EQ(status("namespace_already_attached"), 0x118U);
  EXPECT_EQ(status("1/18"), 0x118U);
  EXPECT_EQ(status("\"0x4002\""), 0x4002U);
  EXPECT_EQ(status("0x4002"), 0x4002U);
  EXPECT_EQ(status("0x2"), 2U);
  EXPECT_EQ(status("7/c3"), 0x7C3U);
}

TEST(Expectations, StandBesideACommandOrInsideIt) {
  const Step inside =
      step("admin: {controller: nvme0, opcode: 0x06, nsid: 1, cdw10: 0, expect: {status: success}}");
  const Step beside =
      step("{admin: {controller: nvme0, opcode: identify, nsid: 1, cdw10: 0}, expect: {status: success}}");
  EXPECT_EQ(inside, beside);
  EXPECT_EQ(inside.number(Field::opcode), 6U);
  EXPECT_NE(inside.find(Field::status), nullptr);
}

TEST(Expectations, ErrnoByNameOrNumber) {
  EXPECT_EQ(step("read: {ns: ns1, expect: {error: EIO}}").number(Field::error), 5U);
  EXPECT_EQ(step("read: {ns: ns1, expect: {error: none}}").number(Field::error, 9), 0U);
  EXPECT_EQ(step("read: {ns: ns1, expect: {error: 95}}").number(Field::error), 95U);
}

TEST(Expectations, ListsMapControllersToNamespacesAndHeadsTheReverse) {
  const Step s = step("expect: {list: {nvme0: [], nvme1: [ns1]}, heads: {ns1: [nvme1]}}");
  EXPECT_EQ(s.kind, StepKind::expect);
  const auto& list = s.find(Field::list)->list;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].text, "nvme0");
  EXPECT_TRUE(list[0].list.empty());
  EXPECT_EQ(list[1].list[0].text, "ns1");
  EXPECT_EQ(s.find(Field::heads)->list[0].list[0].text, "nvme1");
}

TEST(Operands, ReferencesAreNamesNumbersOrTheKthOfTheLiveSet) {
  EXPECT_EQ(step("read: {ns: ns1}").find(Field::ns)->form, Form::name);
  EXPECT_EQ(step("read: {ns: 7}").find(Field::ns)->number, 7U);
  const Step live = step("read: {ns: {live: 2}}");
  EXPECT_EQ(live.find(Field::ns)->form, Form::live);
  EXPECT_EQ(live.find(Field::ns)->number, 2U);
  EXPECT_EQ(step("reset: {live: 1}").find(Field::controller)->form, Form::live);
  EXPECT_EQ(step("attach: {via: nvme0, ns: ns1, controllers: [nvme0, {live: 1}, 1]}")
                .find(Field::controllers)
                ->list.size(),
            3U);
  EXPECT_EQ(step("io: {controller: nvme0, opcode: flush, queue: {live: 0}}").find(Field::queue)->form,
            Form::live);
}

TEST(Operands, ANameThatNeedNotResolveIsWrittenAsSuch) {
  EXPECT_NE(error_of("steps:\n  - read: {ns: gone}\n"), "");
  EXPECT_EQ(step("read: {ns: {name: gone}}").find(Field::ns)->text, "gone");
  EXPECT_EQ(step("wait: {duration: 1ms, after: {name: gone}}").after, "gone");
}

TEST(Operands, AnOutcomeIsANamespaceFromAnyPlace) {
  const Program p =
      load("steps:\n  - delete: {via: nvme0, ns: n5}\n  - create: {via: nvme0, size: 1MiB, as: n5}\n");
  EXPECT_EQ(p.steps[0].find(Field::ns)->text, "n5");
}

TEST(Operands, OpcodesAreCommandsOfTheQueue) {
  EXPECT_EQ(step("submit: {controller: nvme0, opcode: identify, queue: 0}").number(Field::opcode), 0x06U);
  EXPECT_EQ(step("submit: {controller: nvme0, opcode: read, queue: 1}").number(Field::opcode), 0x02U);
  EXPECT_EQ(step("io: {controller: nvme0, opcode: 0xc1}").number(Field::opcode), 0xC1U);
}

TEST(Operands, DataAreHexadecimalDigits) {
  const Step s = step("io: {controller: nvme0, opcode: write, data: \"00 ff 41\"}");
  EXPECT_EQ(s.find(Field::data)->text, std::string("\0\xff\x41", 3));
}

TEST(Messages, NameThePlaceAndTheNearMiss) {
  const struct {
    const char* text;
    const char* start;
    const char* part;
  } cases[] = {
      {"stepps: []\n", "x.yaml:8:1:", "did you mean 'steps'?"},
      {"steps:\n  - dettach: {}\n", "x.yaml:9:5:", "did you mean 'detach'?"},
      {"steps:\n  - write: {ns: ns1, lab: 0}\n", "x.yaml:9:22:", "did you mean 'lba'?"},
      {"steps:\n  - write: {ns: ns11}\n",
       "x.yaml:9:17:", "'ns11' is no namespace or outcome of a step; did you mean 'ns1'?"},
      {"steps:\n  - reset: nvme9\n", "x.yaml:9:12:", "known: nvme0, nvme1"},
      {"steps:\n  - policy: round_robin\n", "x.yaml:9:13:", "did you mean 'round-robin'?"},
      {"steps:\n  - read: {ns: ns1, expect: {status: sucess}}\n", "x.yaml:9:38:", "did you mean 'success'?"},
      {"steps:\n  - admin: {controller: nvme0, opcode: identfy}\n",
       "x.yaml:9:40:", "did you mean 'identify'?"},
      {"steps:\n  - wait: {duration: 1ms, after: x}\n", "x.yaml:9:34:", "no step has the label 'x'"},
      {"steps:\n  - write: {ns: ns1, status: success}\n", "x.yaml:9:22:", "write expect: {status: ...}"},
      {"steps:\n  - {wait: 1ms, actor: a, actor: b}\n", "x.yaml:9:27:", "given twice"},
  };
  for (const auto& one : cases) {
    const std::string message = error_of(one.text);
    EXPECT_TRUE(message.starts_with(one.start)) << message;
    EXPECT_NE(message.find(one.part), std::string::npos) << message;
  }
}

TEST(Options, ProfileAndMediaOfTheCommandLineWin) {
  const std::string words =
      "topology:\n  - nvme-subsys,id=s\n  - nvme,id=a,serial=x,subsys=s\n"
      "  - nvme,id=b,serial=y,subsys=s\n  - nvme-ns,id=ns1,drive=none.img,subsys=s\n";
  EXPECT_NE(error_of(words, ""), "");
  LoadOptions options;
  options.profile = "qemu-2021";
  options.memory_media = true;
  options.sizes["ns1"] = 1U << 20U;
  const Program p = load_scenario_text(words, "x.yaml", options);
  EXPECT_EQ(p.profile, "qemu-2021");
  EXPECT_EQ(p.topology.namespaces[0].bytes, 1U << 20U);
}

}  // namespace
}  // namespace polypath::scenario
