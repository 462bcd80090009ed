#include "subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "scenario/scenario.h"
#include "store/store.h"

namespace polypath::cli {
namespace {

// "12" or "12.3"; false when the text is no such thing.
bool parse_run(const std::string& text, std::int64_t& run, std::size_t& finding) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, run);
  if (error != std::errc{}) return false;
  finding = 0;
  if (rest == end) return true;
  if (*rest != '.') return false;
  const auto [last, problem] = std::from_chars(rest + 1, end, finding);
  return problem == std::errc{} && last == end && finding != 0;
}

}  // namespace

Subject load_subject(const std::string& what, const std::string& db, const Overrides& overrides) {
  Subject subject;
  std::size_t finding = 0;
  if (std::filesystem::exists(what) || !parse_run(what, subject.run, finding)) {
    subject.run = 0;
    subject.program = load_program(what, overrides);
    return subject;
  }
  const store::Run run = store::Store::open_existing(db).load_run(subject.run);
  if (run.program.empty()) {
    throw program::InputError(
        db, fmt::format("run {} was made by no program; name one that `polypath run` kept", subject.run));
  }
  if (finding > run.findings.size()) {
    throw program::InputError(db, fmt::format("run {} has {} findings; name one of them, or the run alone",
                                              subject.run, run.findings.size()));
  }
  if (finding != 0) subject.rule = run.findings[finding - 1].rule;
  scenario::LoadOptions options;
  options.memory_media = true;
  subject.program =
      scenario::load_scenario_text(run.program, fmt::format("run {} of {}", subject.run, db), options);
  return subject;
}

void write_scenario(const std::string& path, const program::Program& program) {
  std::ofstream file(path, std::ios::binary);
  file << scenario::scenario_text(program);
  file.flush();
  if (!file) throw program::InputError(path, "cannot be written; name a file in a directory that is there");
}

}  // namespace polypath::cli
