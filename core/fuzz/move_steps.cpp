#include "fuzz/move_steps.h"

namespace polypath::fuzz {

program::Step& MoveSteps::add(program::StepKind kind) {
  const Move& m = *move_;
  program::Step& step = steps_.emplace_back();
  ++number_;
  step.id = number_ + 1000U * m.salt;
  step.kind = kind;
  constexpr std::uint8_t kLatitudes[] = {0, 0, 1, 2};
  step.latitude = kLatitudes[m.who >> 5U & 3U];
  step.nowait = (m.who & 0x10U) != 0;
  const unsigned actor = m.who >> 2U & 3U;
  step.actor = kActors[actor];
  if (actor != 0 && (actors_ >> actor & 1U) == 0) {
    actors_ |= 1U << actor;
    step.after = kReady;
  }
  step.operands.reserve(8);
  return step;
}

program::Value MoveSteps::ns() const {
  const std::uint8_t code = move_->ns;
  if (code < 0x80) return named(kNamespaces[code % shape_.namespaces]);
  if (code < 0xE0) return live(code & 7U);
  constexpr std::uint32_t kOdd[] = {0xFFFFFFFF, 0, 0xFFFFFFFE, 256, 257, 7, 8, 1};
  return literal(kOdd[code & 7U]);
}

}  // namespace polypath::fuzz
