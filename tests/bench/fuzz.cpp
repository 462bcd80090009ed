// Runs of the fuzz target `attach`, 30 steps each: how many a second, with and without the reference model.
#include <benchmark/benchmark.h>

#include <vector>

#include "fuzz/arena.h"
#include "fuzz/mutate.h"
#include "fuzz/target.h"

namespace polypath {
namespace {

constexpr std::size_t kSteps = 30;

/// Inputs as a campaign begins with, cut where their programs have 30 steps beside the set-up (a move can be
/// several: then a few more or less).
std::vector<fuzz::Input> make_inputs(std::size_t count) {
  engine::Random dice(1, "bench");
  std::vector<fuzz::Input> inputs;
  std::vector<program::Step> steps;
  while (inputs.size() < count) {
    fuzz::Input input = fuzz::generate(dice);
    std::size_t made = 0;
    while (made < kSteps && input.moves.size() < fuzz::kMostMoves) {
      input.moves.push_back(fuzz::generate(dice, 1).moves.front());
      steps.clear();
      fuzz::attach_target().append(input, steps);
      made = steps.size();
    }
    for (; made > kSteps; made = steps.size()) {
      input.moves.pop_back();
      steps.clear();
      fuzz::attach_target().append(input, steps);
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

void fuzz_run(benchmark::State& state) {
  const auto inputs = make_inputs(2'000);
  fuzz::ArenaOptions options;
  options.model = state.range(0) != 0;
  fuzz::Arena arena(options);
  for (const fuzz::Input& input : inputs) arena.run(input);  // every world is set up
  std::uint64_t steps = 0;
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    steps += arena.run(inputs[next]).steps;
    next = (next + 1) % inputs.size();
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["runs/s"] = benchmark::Counter(runs, benchmark::Counter::kIsRate);
  state.counters["steps/run"] = static_cast<double>(steps) / runs;
}
BENCHMARK(fuzz_run)->Arg(0)->Arg(1)->ArgName("model")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace polypath
