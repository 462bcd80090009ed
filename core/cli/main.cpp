// polypath: see `polypath --help`.
#include <fmt/format.h>

#include <exception>

#include "program/topology.h"
#include "store/store.h"
#include "trace/import_error.h"
#include "verbs.h"

namespace {

// Colons and line breaks of a message come from the places it names; one line is what the reader gets.
int complain(int code, const char* what) {
  std::string text(what);
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  fmt::print(stderr, "polypath: {}\n", text);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace polypath;
  CLI::App app{"A deterministic laboratory for NVMe multipath: simulate, replay, judge.", "polypath"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "polypath 0.1.0");
  app.footer(
      "Exit codes: 0 clean, 1 a finding, 2 bad input or usage, 3 internal error.\n"
      "First steps: polypath run scenarios/seed.yaml; polypath list -v scenarios/seed.yaml");
  cli::Session session;
  cli::add_run(app, session);
  cli::add_list(app, session);
  cli::add_replay(app, session);
  cli::add_trace(app, session);
  cli::add_check(app, session);
  cli::add_commands(app, session);
  cli::add_rules(app, session);
  cli::add_fuzz(app, session);
  cli::add_mutants(app, session);
  cli::add_minimize(app, session);
  cli::add_explain(app, session);
  cli::add_explore(app, session);
  cli::add_conform(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kClean : cli::kBadInput;
  } catch (const program::InputError& error) {
    return complain(cli::kBadInput, error.what());
  } catch (const trace::ImportError& error) {
    return complain(cli::kBadInput, error.what());
  } catch (const store::StoreError& error) {
    return complain(cli::kBadInput, error.what());
  } catch (const std::exception& error) {
    return complain(cli::kInternal, (std::string("internal error: ") + error.what() +
                                     "; please report it with the command line")
                                        .c_str());
  }
  return session.exit_code;
}
