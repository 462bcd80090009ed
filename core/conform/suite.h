// The cases: small programs with the set of answers that the standard allows, read from conformance/*.yaml.
// docs/conformance.md is their manual.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conform/want.h"
#include "program/program.h"

namespace polypath::conform {

/// What a step of the case must answer.
struct StepWant {
  std::string words;  ///< the step as the program has it, on one line
  std::string name;   ///< by which later steps refer to its data
  std::optional<Want> want;
};

enum class Judged : std::uint8_t { device, host };

struct Case {
  std::string id;      ///< "Q-014": stable
  std::string family;  ///< "queues"
  std::string title;
  std::string area;                 ///< of the standard
  std::vector<std::string> origin;  ///< numbers of the list of checks, or a fact sheet
  std::vector<std::string> needs;   ///< what must be announced (needs.h), "!" for must not
  Judged judged = Judged::device;
  std::string world;
  std::string place;  ///< "conformance/queues.yaml:14:3"
  std::string text;   ///< the scenario that it is, for `polypath run`
  program::Program program;
  std::size_t setup = 0;  ///< steps before those of the case
  std::vector<StepWant> steps;
};

struct Suite {
  std::vector<Case> cases;  ///< by family as the files are named, then as they stand
};

/// Reads every *.yaml of a folder, worlds.yaml first. Where the profile has no zones or no metadata, or no
/// storage tags are wanted, the namespaces of a world that asks for them are without. Throws InputError.
Suite load_suite(const std::string& folder, const std::string& profile, bool storage_tags = true);
/// The same suite with the worlds of protection information as profile `spec-pi` has them.
Suite with_protection(Suite suite, const std::string& folder, bool storage_tags);
/// Every case on the profile that has what it is about: those of protection information on `spec-pi`, all
/// others on `spec-zoned`.
Suite load_widest_suite(const std::string& folder);

}  // namespace polypath::conform
