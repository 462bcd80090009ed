// Makes the seed corpus of a target: fuzz_make_corpus TARGET DIRECTORY [RUNS [FILES]]. The loop of core/fuzz
// runs for a while; of the inputs that it kept, those that reach most states that no earlier one
// reached are written, one file each. Inputs that break a rule are left out: a corpus is replayed as a test.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fuzz/loop.h"

using namespace polypath;

int main(int argc, char** argv) {
  const fuzz::Target* target = argc < 3 ? nullptr : fuzz::find_target(argv[1]);
  if (target == nullptr) {
    std::fprintf(stderr, "usage: fuzz_make_corpus TARGET DIRECTORY [RUNS [FILES]]; targets:");
    for (const fuzz::Target* known : fuzz::targets())
      std::fprintf(stderr, " %s", std::string(known->name).c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  const std::filesystem::path directory = argv[2];
  const unsigned long runs = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 50'000;
  const std::size_t most = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 200;
  fuzz::ArenaOptions options;
  options.target = target;
  fuzz::Loop loop(options, 1);
  fuzz::Found found;
  for (unsigned long i = 0; i < runs; ++i) loop.step(found);

  struct Candidate {
    const fuzz::Input* input;
    std::vector<std::size_t> states;
  };
  fuzz::Arena arena(options);
  std::vector<Candidate> candidates;
  for (const fuzz::Input& input : loop.corpus()) {
    const fuzz::Result result = arena.run(input);
    if (result.violation() != nullptr || result.cut) continue;
    Candidate candidate{&input, {}};
    const auto bytes = arena.counters().bytes();
    for (std::size_t k = 0; k < bytes.size(); ++k) {
      if (bytes[k] != 0) candidate.states.push_back(k);
    }
    candidates.push_back(std::move(candidate));
  }
  std::vector<bool> covered(fuzz::kCounters);
  std::filesystem::create_directories(directory);
  std::size_t written = 0;
  for (; written < most && !candidates.empty(); ++written) {
    const auto fresh = [&](const Candidate& c) {
      return std::count_if(c.states.begin(), c.states.end(), [&](std::size_t k) { return !covered[k]; });
    };
    const auto best =
        std::max_element(candidates.begin(), candidates.end(),
                         [&](const Candidate& a, const Candidate& b) { return fresh(a) < fresh(b); });
    if (fresh(*best) == 0) break;
    for (const std::size_t k : best->states) covered[k] = true;
    const auto bytes = fuzz::write_input(*best->input);
    const std::string number = std::to_string(written);
    std::ofstream file(
        directory / ("seed-" + std::string(3 - std::min<std::size_t>(3, number.size()), '0') + number),
        std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    candidates.erase(best);
  }
  std::printf("%zu inputs of %zu, %lld states\n", written, loop.corpus().size(),
              static_cast<long long>(std::count(covered.begin(), covered.end(), true)));
  return 0;
}
