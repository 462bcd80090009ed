#include "engine/random.h"

#include <bit>
#include <cassert>

namespace polypath::engine {

Random::Random(std::uint64_t seed, std::uint64_t stream) {
  // splitmix64, as the authors of xoshiro recommend: its outputs differ, so the state is never all zero.
  std::uint64_t state = mix(mix(kHashSeed2, seed), stream);
  for (std::uint64_t& word : state_) {
    state += 0x9E3779B97F4A7C15;
    std::uint64_t z = state;
    z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27U) * 0x94D049BB133111EB;
    word = z ^ z >> 31U;
  }
}

Random::Random(std::uint64_t seed, std::string_view stream)
    : Random(seed, hash_bytes(stream.data(), stream.size())) {}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t n) {
  assert(n != 0);
  // Lemire: the high half of a 128-bit product, drawn again where the low half shows the uneven remainder.
  uint128 product = static_cast<uint128>(next()) * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t uneven = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < uneven) product = static_cast<uint128>(next()) * n;
  }
  return static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t Random::between(std::uint64_t low, std::uint64_t high) {
  assert(low <= high);
  const std::uint64_t choices = high - low + 1;
  return choices == 0 ? next() : low + below(choices);
}

bool Random::bernoulli(std::uint64_t numerator, std::uint64_t denominator) {
  return below(denominator) < numerator;
}

void Random::hash(Hasher& hasher) const {
  for (const std::uint64_t word : state_) hasher.add(word);
}

}  // namespace polypath::engine
