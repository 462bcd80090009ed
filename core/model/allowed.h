// The set of statuses that a command may end with.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "model/rules.h"
#include "spec/status.h"

namespace polypath::model {

class Allowed {
 public:
  /// Statuses that the circumstances allow.
  void may(spec::Status status) {
    const auto code = static_cast<std::size_t>(status);
    bits_[code / 64] |= std::uint64_t{1} << code % 64;
  }
  void may(std::initializer_list<spec::Status> statuses) {
    for (const auto status : statuses) may(status);
  }
  /// A cause that surely holds: Success is impossible, one of these (or of another cause) is due. `rule` says
  /// so.
  void must(Rule rule, std::initializer_list<spec::Status> statuses) {
    may(statuses);
    if (success_) rule_ = rule;
    success_ = false;
  }
  /// The event (number plus one, 0 none) that made it so, for the finding.
  void because(std::uint64_t event) { cause_ = event; }
  std::uint64_t cause() const { return cause_; }
  /// The model does not know this command well enough to judge its status.
  void anything() { anything_ = true; }

  bool judged() const { return !anything_; }
  bool success() const { return success_ || anything_; }
  bool contains(spec::Status status) const {
    if (status == spec::Status::success) return success();
    const auto code = static_cast<std::size_t>(status);
    return anything_ || (code / 64 < bits_.size() && (bits_[code / 64] >> code % 64 & 1U) != 0);
  }
  std::size_t size() const {
    std::size_t count = success_ ? 1 : 0;
    for (const auto word : bits_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  /// The rule that excludes Success.
  Rule rule() const { return rule_; }
  std::string text() const {
    std::string out = success_ ? "success" : "";
    for (std::size_t code = 1; code < bits_.size() * 64; ++code) {
      if ((bits_[code / 64] >> code % 64 & 1U) == 0) continue;
      if (!out.empty()) out += ", ";
      out += spec::status_name(static_cast<spec::Status>(code));
    }
    return out;
  }

 private:
  std::uint64_t cause_ = 0;
  std::array<std::uint64_t, 16> bits_{};  // SCT 0 to 3; a controller sends no other
  Rule rule_ = Rule::q33;
  bool success_ = true;
  bool anything_ = false;
};

}  // namespace polypath::model
