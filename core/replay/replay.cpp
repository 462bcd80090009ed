#include "replay/replay.h"

#include <map>

#include "target/runner.h"
#include "target/world.h"
#include "trace/partial.h"

namespace polypath::replay {

Replay run(const trace::Recording& recording, const ReplayOptions& options) {
  Stimulus stimulus = make_stimulus(recording, options);
  const auto problem = target::find_problem(stimulus.program);
  if (!problem.empty()) throw program::InputError(recording.name, problem);

  target::World world(stimulus.program);
  target::RunLimits limits;
  limits.virtual_time = stimulus.begin + (recording.last_time - recording.first_time) + 60 * engine::kSecond;
  target::Runner runner(world, stimulus.program, limits);
  runner.run();

  std::map<std::uint32_t, std::string> trouble;
  for (const auto& finding : runner.findings()) trouble.emplace(finding.step, finding.summary);
  Replay replay;
  replay.result = compare(recording, stimulus, world.trace(), trouble);
  replay.trace_hash = world.trace().hash();
  replay.state_hash = world.hash(engine::HashKind::exact);
  const auto& events = world.trace().events();
  replay.virtual_ns = events.empty() ? 0 : events.back().latest;
  replay.trace = std::move(world.trace());
  replay.program = std::move(stimulus.program);
  return replay;
}

trace::Trace observed_trace(const trace::Recording& recording, const ReplayOptions& options) {
  trace::Trace trace;
  if (options.topology) {
    program::Program program;
    program.topology = *options.topology;
    program.profile = options.profile;
    const auto header = target::make_header(program);
    trace = trace::partial_trace(recording, &header);
  } else {
    trace = trace::partial_trace(recording);
  }
  trace.header.profile = options.profile;
  return trace;
}

}  // namespace polypath::replay
