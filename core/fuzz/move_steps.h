// What the writers of all fuzz targets read in a move: who does something, to which namespace, how freely.
#pragma once

#include <cstdint>
#include <vector>

#include "fuzz/put.h"
#include "fuzz/world.h"

namespace polypath::fuzz {

class MoveSteps {
 protected:
  MoveSteps(const Shape& shape, std::vector<program::Step>& steps)
      : shape_(shape), steps_(steps), number_(static_cast<std::uint32_t>(steps.size())) {}

  void begin(const Move& move) {
    move_ = &move;
    controller_ = (move.who & 3U) % shape_.controllers;
    peer_ = (controller_ + 1U + (move.who >> 7U)) % shape_.controllers;
  }

  /// A step of the move's actor and latitude. Valid until the next one.
  program::Step& add(program::StepKind kind);
  program::Step& on(program::StepKind kind, unsigned controller) {
    program::Step& step = add(kind);
    put_name(step, program::Field::controller, kControllers[controller]);
    return step;
  }
  program::Step& admin(unsigned controller, std::uint64_t opcode) {
    program::Step& step = on(program::StepKind::admin, controller);
    put(step, program::Field::opcode, opcode);
    return step;
  }
  /// The move's namespace: one of the topology, one of those that exist when the step runs, or an odd NSID.
  program::Value ns() const;

  const Shape& shape_;
  std::vector<program::Step>& steps_;
  const Move* move_ = nullptr;
  unsigned controller_ = 0, peer_ = 0;

 private:
  std::uint32_t number_;
  unsigned actors_ = 0;  ///< bit set of those that have begun
};

}  // namespace polypath::fuzz
