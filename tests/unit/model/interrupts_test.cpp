// Interrupts by pin, which INTMS and INTMC mask. PCIe transport: "Interrupts".
#include <gtest/gtest.h>

#include "history.h"
#include "model/rules.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

const Layout kPin{.controllers = 1, .observed = trace::observed::everything | trace::observed::pin};

const spec::SubmissionEntry kAbortNothing = admin_entry(0x08, 0, 0x00630000);

/// The rules that this history breaks.
std::vector<Rule> broken(const History& h) {
  const Monitor judged = h.judge(h.now() + 5 * engine::kSecond);
  std::vector<Rule> out;
  for (const auto& finding : judged.findings()) out.push_back(finding.rule);
  return out;
}

TEST(Pin, AMaskedOneIsSilentUntilItIsUnmasked) {
  for (const bool masked : {false, true}) {
    History h(kPin);
    h.ready(0);
    if (masked) h.write_register(0, spec::reg::intms, 1);
    h.wait(engine::kSecond / 10);
    h.complete(h.start(0, 0, kAbortNothing), {.dw0 = 1, .acknowledge = false});
    const auto rules = broken(h);
    EXPECT_EQ(rules, masked ? std::vector<Rule>{Rule::q14} : std::vector<Rule>{});
  }
}

TEST(Pin, WhatWaitsIsToldWhenItIsUnmasked) {
  for (const bool told : {false, true}) {
    History h(kPin);
    h.ready(0);
    h.write_register(0, spec::reg::intms, 1);
    h.complete(h.start(0, 0, kAbortNothing), {.dw0 = 1, .interrupt = false, .acknowledge = false});
    h.wait(5 * engine::kSecond);
    h.write_register(0, spec::reg::intmc, 1);
    if (told) h.interrupt(0, 0);
    EXPECT_EQ(broken(h), told ? std::vector<Rule>{} : std::vector<Rule>{Rule::q15});
  }
}

TEST(Pin, AResetUnmasksIt) {
  History h(kPin);
  h.ready(0);
  h.write_register(0, spec::reg::intms, 1);
  h.wait(engine::kSecond / 10);
  h.disable(0);
  h.enable(0);
  h.identify(0);
  EXPECT_EQ(broken(h), std::vector<Rule>{});
}

TEST(Pin, ATableThatItDoesNotHaveMasksNothing) {
  History h(kPin);
  h.ready(0);
  h.mask(0, 0, true);
  h.wait(engine::kSecond / 10);
  h.complete(h.start(0, 0, kAbortNothing), {.dw0 = 1});
  EXPECT_EQ(broken(h), std::vector<Rule>{});
}

}  // namespace
}  // namespace polypath::model
