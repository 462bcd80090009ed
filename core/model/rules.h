// The rules, in one table: what each says, whose rule it is, where it is waived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace polypath::model {

enum class Rule : std::uint8_t {
#define POLYPATH_RULE(name, id, scope, area, title) name,
#include "model/rules.def"
#undef POLYPATH_RULE
  count
};
inline constexpr std::size_t kRules = static_cast<std::size_t>(Rule::count);

/// Whose rule it is. `standard`: who breaks it breaks the standard. `host`: the host's own promise to its
/// applications. `hazard`: lawful, and harmful all the same; reported apart, never part of a verdict.
enum class Scope : std::uint8_t { standard, host, hazard };
std::string_view scope_name(Scope scope);

/// A profile that is allowed to break (a part of) a rule, and why.
struct Waiver {
  std::string_view profile, part, reason;
};

struct RuleRow {
  Rule rule;
  std::string_view id;
  Scope scope;
  std::string_view area;
  std::string_view title;
  std::span<const Waiver> waivers;
};

/// All rules, in the order of Rule.
std::span<const RuleRow> rules();
const RuleRow& row_of(Rule rule);
/// Null when no rule has this id.
const RuleRow* find_rule(std::string_view id);
/// The waiver of a rule for a profile, null when the rule holds there in full.
const Waiver* find_waiver(Rule rule, std::string_view profile);

}  // namespace polypath::model
