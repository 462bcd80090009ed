#include "subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "scenario/scenario.h"

namespace polypath::cli {
namespace {

struct Place {
  std::int64_t run = 0;
  std::size_t in_run = 0;    ///< RUN.K
  std::int64_t finding = 0;  ///< FK
};

// "12", "12.3" or "F7"; none when the text is no such thing.
std::optional<Place> parse_place(const std::string& text) {
  const char* const end = text.data() + text.size();
  Place place;
  if (text.starts_with('F')) {
    const auto [rest, error] = std::from_chars(text.data() + 1, end, place.finding);
    return error == std::errc{} && rest == end && place.finding > 0 ? std::optional(place) : std::nullopt;
  }
  const auto [rest, error] = std::from_chars(text.data(), end, place.run);
  if (error != std::errc{}) return std::nullopt;
  if (rest == end) return place;
  if (*rest != '.') return std::nullopt;
  const auto [last, problem] = std::from_chars(rest + 1, end, place.in_run);
  return problem == std::errc{} && last == end && place.in_run != 0 ? std::optional(place) : std::nullopt;
}

}  // namespace

bool names_kept_run(const std::string& what) {
  return !std::filesystem::exists(what) && parse_place(what).has_value();
}

Subject load_subject(const std::string& what, const std::string& db, const Overrides& overrides) {
  Subject subject;
  if (!names_kept_run(what)) {
    subject.program = load_program(what, overrides);
    return subject;
  }
  Place place = *parse_place(what);
  const auto store = store::Store::open_existing(db);
  if (place.finding != 0) {
    const auto [run, finding] = store.load_finding(place.finding);
    place.run = run;
    subject.rule = finding.rule;
  }
  subject.kept = store.load_run(place.run);
  const store::Run& run = *subject.kept;
  if (run.program.empty()) {
    throw program::InputError(
        db, fmt::format("run {} was made by no program; name one that `polypath run` kept", run.id));
  }
  if (place.in_run > run.findings.size()) {
    throw program::InputError(db, fmt::format("run {} has {} findings; name one of them, or the run alone",
                                              run.id, run.findings.size()));
  }
  if (place.in_run != 0) subject.rule = run.findings[place.in_run - 1].rule;
  scenario::LoadOptions options;
  options.memory_media = true;
  subject.program =
      scenario::load_scenario_text(run.program, fmt::format("run {} of {}", run.id, db), options);
  return subject;
}

void write_scenario(const std::string& path, const program::Program& program) {
  std::ofstream file(path, std::ios::binary);
  file << scenario::scenario_text(program);
  file.flush();
  if (!file) throw program::InputError(path, "cannot be written; name a file in a directory that is there");
}

}  // namespace polypath::cli
