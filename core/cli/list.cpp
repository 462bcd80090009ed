// polypath list: the tables that `nvme list -v` prints, for a scenario or a QEMU command line.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "replay/replay.h"
#include "session_run.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

struct Options {
  std::string file, qemu_args, output = "text";
  Overrides overrides;
  bool verbose = false;
};

program::Program program_of(const Options& options) {
  if (options.qemu_args.empty()) return load_program(options.file, options.overrides);
  program::Program program;
  program.name = "QEMU command line";
  program.profile = options.overrides.profile.empty() ? "qemu-2021" : options.overrides.profile;
  program.topology = topology_from_qemu_args(options.qemu_args, options.overrides.media, program.profile);
  program::HostSpec host;
  host.id = "host0";
  for (const auto& controller : program.topology.controllers) host.paths.push_back(controller.id);
  program.hosts.push_back(host);
  return program;
}

void list(Session& session, const Options& options) {
  if (options.file.empty() == options.qemu_args.empty()) {
    throw program::InputError("list", "name a scenario file, or give --qemu-args, not both");
  }
  program::Program program = program_of(options);
  const Ran ran = run_program(std::move(program), options.qemu_args.empty() ? options.file : "--qemu-args");
  fmt::print("{}", options.output == "json" ? list_json(ran) + "\n" : list_text(ran, options.verbose));
  session.exit_code = ran.clean() ? kClean : kFinding;
  if (!ran.clean()) fmt::print(stderr, "{}", summary(ran, true));
}

}  // namespace

void add_list(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand(
      "list", "Subsystems, controllers and namespaces as `nvme list` shows them at the end of a run");
  verb->add_option("scenario", options->file, "Scenario file");
  verb->add_option("--qemu-args", options->qemu_args, "QEMU command line, or @FILE that holds one");
  verb->add_option("--media", options->overrides.media, "memory[:ns1=128MiB,...]: no drive files are read");
  verb->add_option("--profile", options->overrides.profile, "Kind of controller");
  verb->add_flag("-v,--verbose", options->verbose, "All three tables");
  verb->add_option("-o,--output", options->output, "text or json")->check(CLI::IsMember({"text", "json"}));
  verb->callback([&session, options] { list(session, *options); });
}

}  // namespace polypath::cli
