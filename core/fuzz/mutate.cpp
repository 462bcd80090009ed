#include "fuzz/mutate.h"

#include <algorithm>

namespace polypath::fuzz {
namespace {

std::uint8_t byte(engine::Random& dice) { return static_cast<std::uint8_t>(dice.next() >> 56U); }

Move random_move(engine::Random& dice, unsigned actors) {
  Move move;
  move.what = byte(dice);
  move.who = byte(dice);
  // Few actors and few commands in flight: most orders that matter need no more.
  if (dice.below(3) != 0) move.who &= 0xEFU;
  const unsigned actor = static_cast<unsigned>(dice.below(actors));
  move.who = static_cast<std::uint8_t>((move.who & ~0x0CU) | actor << 2U);
  if (dice.below(2) != 0) move.who &= 0x9FU;
  move.ns = byte(dice);
  move.x = byte(dice);
  move.y = byte(dice);
  move.z = byte(dice);
  move.w = byte(dice);
  move.salt = dice.below(4) == 0 ? byte(dice) : 0;
  return move;
}

// One of few that come again and again: preparing a world takes as long as some twenty runs.
Shape random_shape(engine::Random& picker) {
  constexpr std::uint64_t kUsual = 48;
  const std::uint64_t number = picker.below(64) == 0 ? picker.next() : picker.below(kUsual);
  engine::Random dice(number, "shape");
  Shape shape;
  shape.controllers = static_cast<std::uint8_t>(1 + dice.below(4));
  if (shape.controllers == 1 && dice.below(4) != 0) shape.controllers = 2;
  shape.namespaces = static_cast<std::uint8_t>(1 + dice.below(dice.below(2) == 0 ? 3 : 6));
  shape.hosts = static_cast<std::uint8_t>(dice.below(4) != 0 ? 0 : 1 + dice.below(3));
  shape.pattern = static_cast<std::uint8_t>(dice.below(4));
  shape.alone = shape.controllers > 1 && dice.below(8) == 0;
  shape.shallow = dice.below(2) == 0;
  shape.events = dice.below(4) != 0;
  return shape;
}

// A number near the old one, or one bit of it, or any.
void alter_byte(std::uint8_t& value, engine::Random& dice) {
  switch (dice.below(3)) {
    case 0:
      value = static_cast<std::uint8_t>(value + dice.between(1, 4) - 2U);
      break;
    case 1:
      value = static_cast<std::uint8_t>(value ^ 1U << dice.below(8));
      break;
    default:
      value = byte(dice);
      break;
  }
}

void alter(Move& move, engine::Random& dice) {
  std::uint8_t* const fields[] = {&move.what, &move.who, &move.ns, &move.x, &move.y, &move.z, &move.w, &move.salt};
  alter_byte(*fields[dice.below(std::size(fields))], dice);
}

}  // namespace

Input generate(engine::Random& dice, std::size_t most) {
  Input input;
  input.shape = random_shape(dice);
  const auto actors = static_cast<unsigned>(dice.below(3) != 0 ? 1 : 1 + dice.below(4));
  const std::size_t count = 1 + dice.below(most);
  // Moves about one namespace, or on one controller, meet more often than moves about anything.
  const bool one_ns = dice.below(2) == 0;
  const std::uint8_t ns = byte(dice);
  for (std::size_t i = 0; i < count; ++i) {
    Move move = random_move(dice, actors);
    if (one_ns && dice.below(8) != 0) move.ns = ns;
    input.moves.push_back(move);
  }
  return input;
}

void mutate(Input& input, engine::Random& dice) {
  auto& moves = input.moves;
  for (std::uint64_t rounds = 1 + dice.below(4); rounds > 0; --rounds) {
    const auto place = [&] { return moves.begin() + static_cast<std::ptrdiff_t>(dice.below(moves.size())); };
    const std::uint64_t action = moves.empty() ? 0 : dice.below(16);
    const bool full = moves.size() >= kMostMoves;
    if (action < 4 && !full) {
      const auto at = static_cast<std::ptrdiff_t>(dice.below(moves.size() + 1));
      moves.insert(moves.begin() + at, random_move(dice, 2));
    } else if (action == 4 && !full) {  // the same again, somewhere
      const Move copy = *place();
      moves.insert(place(), copy);
    } else if (action == 5) {
      std::iter_swap(place(), place());
    } else if (action < 8 && moves.size() > 1) {
      const auto first = place();
      const auto most = std::min<std::ptrdiff_t>(moves.end() - first, 4);
      moves.erase(first, first + static_cast<std::ptrdiff_t>(1 + dice.below(static_cast<std::uint64_t>(most))));
    } else if (action == 8) {
      input.shape = random_shape(dice);
    } else if (action == 9) {  // the same command on another controller
      auto at = place();
      at->who = static_cast<std::uint8_t>((at->who & ~3U) | dice.below(4));
    } else if (action == 10) {  // two moves about the same namespace and blocks
      const Move other = *place();
      auto at = place();
      at->ns = other.ns;
      at->x = other.x;
    } else {
      alter(*place(), dice);
    }
  }
}

Input cross(const Input& one, const Input& other, engine::Random& dice) {
  Input child;
  child.shape = dice.below(2) == 0 ? one.shape : other.shape;
  const std::size_t head = dice.below(one.moves.size() + 1), from = dice.below(other.moves.size() + 1);
  child.moves.assign(one.moves.begin(), one.moves.begin() + static_cast<std::ptrdiff_t>(head));
  child.moves.insert(child.moves.end(), other.moves.begin() + static_cast<std::ptrdiff_t>(from), other.moves.end());
  if (child.moves.size() > kMostMoves) child.moves.resize(kMostMoves);
  return child;
}

}  // namespace polypath::fuzz
