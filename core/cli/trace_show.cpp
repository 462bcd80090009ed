// polypath trace show: a stored run, event by event.
#include <fmt/format.h>

#include "store/store.h"
#include "terminal.h"
#include "trace/text.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

struct Options {
  std::int64_t run = 0;
  trace::TextOptions text;
};

void list_runs(const Session& session) {
  const auto store = store::Store::open_existing(session.db);
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : store.list_runs()) {
    rows.push_back({fmt::format("{}", run.id), run.created, run.verdict, run.profile,
                    fmt::format("{}", run.seed), fmt::format("{:016x}", run.trace_hash), run.name});
  }
  fmt::print("{}", table({"run", "when (UTC)", "verdict", "profile", "seed", "trace hash", "name"}, rows));
}

void show(const Session& session, const Options& options) {
  const auto store = store::Store::open_existing(session.db);
  const trace::Trace trace = store.load_trace(options.run);
  fmt::print("{}", trace::trace_text(trace, options.text));
}

}  // namespace

void add_trace(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("trace", "Stored runs and their traces");
  verb->require_subcommand(1);
  auto* showing = verb->add_subcommand("show", "Print a run's trace, one line for each event");
  showing->add_option("run", options->run, "Run number, as `run` printed it")->required();
  showing->add_option("--db", session.db, "Store to read")->capture_default_str();
  showing->add_flag("--inside", options->text.inside,
                    "Merge what only the simulator knows: path choices, versions");
  showing->add_option("--first", options->text.first, "Number of the first event");
  showing->add_option("--count", options->text.count, "How many events");
  showing->callback([&session, options] { show(session, *options); });
  auto* listing = verb->add_subcommand("list", "The runs of a store, latest first");
  listing->add_option("--db", session.db, "Store to read")->capture_default_str();
  listing->callback([&session] { list_runs(session); });
}

}  // namespace polypath::cli
