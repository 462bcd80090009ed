#include "fuzz/loop.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "fuzz/mutate.h"

namespace polypath::fuzz {
namespace {

// Magnitudes: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, 128 and more.
std::uint8_t magnitude(std::uint8_t count) {
  if (count < 4) return static_cast<std::uint8_t>(count == 0 ? 0U : 1U << (count - 1U));
  const auto width = static_cast<unsigned>(std::bit_width(count));  // 3..8
  return static_cast<std::uint8_t>(1U << (width < 6 ? width : width < 8 ? 6U : 7U));
}

constexpr std::size_t kMostCorpus = 20'000;

}  // namespace

Loop::Loop(ArenaOptions options, std::uint64_t seed, std::optional<std::uint8_t> latitude)
    : arena_(std::move(options)), dice_(seed, "fuzz"), latitude_(latitude) {
  make_next();
}

void Loop::make_next() {
  choose_next();
  if (latitude_) set_latitude(next_, *latitude_);
}

void Loop::choose_next() {
  const std::uint64_t count = corpus_.size();
  if (count == 0 || dice_.below(6) == 0) {
    next_ = generate(dice_);
    return;
  }
  // Half of the time one of the last that were kept: what they reached is fresh.
  const auto pick = [&]() -> const Input& {
    const std::uint64_t recent = std::min<std::uint64_t>(count, 64);
    return corpus_[dice_.below(2) == 0 ? count - 1 - dice_.below(recent) : dice_.below(count)];
  };
  if (dice_.below(4) == 0) {
    const Input& one = pick();
    next_ = cross(one, pick(), dice_);
    if (dice_.below(2) == 0) mutate(next_, dice_);
  } else {
    next_ = pick();
    mutate(next_, dice_);
  }
}

bool Loop::new_states() {
  const auto bytes = arena_.counters().bytes();
  bool any = false;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if (word == 0) continue;
    for (std::size_t i = at; i < at + sizeof word; ++i) {
      const auto fresh = static_cast<std::uint8_t>(magnitude(bytes[i]) & ~seen_[i]);
      if (fresh == 0) continue;
      seen_[i] = static_cast<std::uint8_t>(seen_[i] | fresh);
      ++states_;
      any = true;
    }
  }
  return any;
}

void Loop::offer(const Input& input) {
  if (!arena_.options().counters) return;
  const Result result = arena_.run(input);
  ++runs_;
  steps_ += result.steps;
  if (new_states() && corpus_.size() < kMostCorpus) corpus_.push_back(input);
}

bool Loop::step(Found& found) {
  const Result result = arena_.run(next_);
  ++runs_;
  steps_ += result.steps;
  kept_ = arena_.options().counters && new_states() && corpus_.size() < kMostCorpus;
  if (kept_) corpus_.push_back(next_);
  bool reported = false;
  for (const model::Finding& finding : result.findings) {
    if (finding.scope() == model::Scope::hazard) continue;
    ++violations_;
    found.shape = shape_of(*result.trace, finding);
    if (!shapes_.insert(found.shape).second) continue;
    found.rule = model::row_of(finding.rule).id;
    found.input = next_;
    reported = true;
    break;  // the others are found again, or come of the first
  }
  if (reported) found.input = shrink(found.input, found.shape);
  make_next();
  return reported;
}

Input Loop::shrink(const Input& input, const std::string& shape) {
  const auto shows = [&](const Input& candidate) {
    const Result result = arena_.run(candidate);
    for (const model::Finding& finding : result.findings) {
      if (finding.scope() != model::Scope::hazard && shape_of(*result.trace, finding) == shape) return true;
    }
    return false;
  };
  Input best = input;
  for (std::size_t size = best.moves.size(); size > 0; size /= 2) {
    for (std::size_t at = 0; at + size <= best.moves.size();) {
      Input candidate = best;
      const auto from = candidate.moves.begin() + static_cast<std::ptrdiff_t>(at);
      candidate.moves.erase(from, from + static_cast<std::ptrdiff_t>(size));
      if (shows(candidate)) {
        best = std::move(candidate);
      } else {
        at += size;
      }
    }
  }
  return best;
}

}  // namespace polypath::fuzz
