// The entry points that libFuzzer calls, the same for every target: any bytes are a program, the model judges
// its run. What it does beyond that is set by environment variables: fuzz/README.md.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "check/judge.h"
#include "fuzz/arena.h"
#include "fuzz/mutate.h"
#include "fuzz_target.h"

namespace {

using namespace polypath;

#if defined(__clang__) && defined(__linux__)
// libFuzzer clears these before a run and takes them for coverage after it.
__attribute__((section("__libfuzzer_extra_counters")))
#endif
std::array<std::uint8_t, fuzz::kCounters>
    g_states;

bool is_off(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && std::strcmp(value, "0") == 0;
}

struct Campaign {
  Campaign() {
    fuzz::ArenaOptions options;
    options.target = &fuzz_target();
    if (const char* fault = std::getenv("POLYPATH_FUZZ_FAULT")) options.fault = fault;
    options.model = !is_off("POLYPATH_FUZZ_MODEL");
    options.counters = !is_off("POLYPATH_FUZZ_COUNTERS");
    if (const char* name = std::getenv("POLYPATH_FUZZ_LATITUDE")) {
      latitude = fuzz::find_latitude(name);
      if (!latitude) {
        fmt::print(stderr, "POLYPATH_FUZZ_LATITUDE={}: say benign, random or adversarial\n", name);
        std::exit(2);
      }
    }
    go_on = is_off("POLYPATH_FUZZ_STOP");
    arena = std::make_unique<fuzz::Arena>(options);
  }
  std::unique_ptr<fuzz::Arena> arena;
  std::optional<std::uint8_t> latitude;  ///< of every move
  bool go_on = false;                    ///< report each shape once and go on
  std::set<std::string> shapes;          ///< reported
};

Campaign& campaign() {
  static Campaign one;
  return one;
}

// The input of a finding after which the campaign goes on.
void keep(std::size_t number, std::span<const std::uint8_t> input) {
  const char* directory = std::getenv("POLYPATH_FUZZ_FINDINGS");
  if (directory == nullptr) return;
  std::ofstream file(fmt::format("{}/finding-{}", directory, number), std::ios::binary);
  file.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  if (!file.flush()) fmt::print(stderr, "POLYPATH_FUZZ_FINDINGS={}: cannot write there\n", directory);
}

void report(const fuzz::Result& result, const model::Finding& finding, std::span<const std::uint8_t> input) {
  const std::string shape = fuzz::shape_of(*result.trace, finding);
  if (!campaign().shapes.insert(shape).second) return;
  fmt::print(stderr, "FINDING {}\n{}", shape, check::explain(*result.trace, finding));
  std::fflush(stderr);
  if (!campaign().go_on) std::abort();  // libFuzzer keeps the input
  keep(campaign().shapes.size(), input);
}

}  // namespace

extern "C" {

// A run makes and frees a thousand small blocks: with short stacks and a small quarantine that is twice as
// fast. ASAN_OPTIONS of the environment win over these.
const char* __asan_default_options();
const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:malloc_context_size=2:quarantine_size_mb=8:thread_local_quarantine_"
         "size_kb=64";
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Campaign& t = campaign();
  fuzz::Input input = fuzz::read_input({data, size});
  if (t.latitude) fuzz::set_latitude(input, *t.latitude);
  const fuzz::Result result = t.arena->run(input);
  if (t.arena->options().counters)
    std::memcpy(g_states.data(), t.arena->counters().bytes().data(), g_states.size());
  for (const model::Finding& finding : result.findings) {
    if (finding.scope() != model::Scope::hazard) report(result, finding, fuzz::write_input(input));
  }
  return 0;
}

#ifdef POLYPATH_LIBFUZZER
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  engine::Random dice(seed, "mutator");
  if (dice.below(4) == 0) return LLVMFuzzerMutate(data, size, most);  // bytes and the dictionary
  fuzz::Input input = fuzz::read_input({data, size});
  if (input.moves.empty() || dice.below(16) == 0) {
    input = fuzz::generate(dice);
  } else {
    fuzz::mutate(input, dice);
  }
  const auto bytes = fuzz::write_input(input);
  const std::size_t length = std::min(bytes.size(), most);
  std::memcpy(data, bytes.data(), length);
  return length;
}

std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                      const std::uint8_t* other, std::size_t other_size, std::uint8_t* out,
                                      std::size_t most, unsigned seed) {
  engine::Random dice(seed, "crossover");
  const auto bytes = fuzz::write_input(
      fuzz::cross(fuzz::read_input({one, one_size}), fuzz::read_input({other, other_size}), dice));
  const std::size_t length = std::min(bytes.size(), most);
  std::memcpy(out, bytes.data(), length);
  return length;
}
#endif

}  // extern "C"
