#include "model/rules.h"

#include <array>

#include "model/findings.h"

namespace polypath::model {
namespace {

constexpr std::array<Waiver, 1> kSerialWaiver{
    {{"qemu-2021", "serial number", "QEMU of 2021 gave each controller of a subsystem a serial of its own"}}};

constexpr std::span<const Waiver> waivers_of(Rule rule) {
  return rule == Rule::ns07 ? std::span<const Waiver>(kSerialWaiver) : std::span<const Waiver>();
}

constexpr std::array<RuleRow, kRules> kRows{{
#define POLYPATH_RULE(name, id, scope, area, title) \
  {Rule::name, id, Scope::scope, area, title, waivers_of(Rule::name)},
#include "model/rules.def"
#undef POLYPATH_RULE
}};

}  // namespace

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::standard:
      return "standard";
    case Scope::host:
      return "host";
    case Scope::hazard:
      return "hazard";
  }
  return "standard";
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::violation:
      return "violation";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return "inconclusive";
}

std::span<const RuleRow> rules() { return kRows; }

const RuleRow& row_of(Rule rule) { return kRows[static_cast<std::size_t>(rule)]; }

const RuleRow* find_rule(std::string_view id) {
  for (const auto& row : kRows) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

const Waiver* find_waiver(Rule rule, std::string_view profile) {
  for (const auto& waiver : row_of(rule).waivers) {
    if (waiver.profile == profile) return &waiver;
  }
  return nullptr;
}

}  // namespace polypath::model
