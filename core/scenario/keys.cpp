#include "scenario/keys.h"

#include <array>

namespace polypath::scenario {
namespace {

using enum KeyType;
constexpr std::array<KeyRow, 9> kFile{{
    {"name", text, false, "one line that names the scenario"},
    {"description", text, false, "what it shows"},
    {"profile", name, false, "how the devices behave where the standard leaves it open (spec)"},
    {"seed", number, false, "answers every decision that is left open (0)"},
    {"topology", list, true, "devices in QEMU's -device words; see topology.md"},
    {"hosts", list, false, "hosts, each with the controllers that it probes"},
    {"faults", list, false, "planted faults that are on from the start"},
    {"steps", list, false, "what is done, in order"},
    {"overrides", list, false, "exact answers to decisions, from recordings"},
}};
constexpr std::array<KeyRow, 7> kHost{{
    {"id", name, true, "name of the host"},
    {"policy", text, false, "numa (default) or round-robin"},
    {"paths", names, false,
     "controllers in the order of probing; all, when there is one host and this is left out"},
    {"queues", number, false, "I/O queue pairs per controller (1)"},
    {"queue_depth", number, false, "entries of an I/O queue (64)"},
    {"io_timeout", duration, false, "when the host gives a command up (30s)"},
    {"later", flag, false, "true: raw drivers have its controllers until `give` steps hand them over"},
}};
constexpr std::array<KeyRow, 9> kStep{{
    {"expect", map, false, "status, error and result that the step must have"},
    {"as", name, false, "name that the outcome is bound to: the NSID of create, the value of register_read"},
    {"label", name, false, "name that `after` of other steps refers to"},
    {"after", label_reference, false, "label of a step that must have ended before"},
    {"at", duration, false, "not before this virtual time"},
    {"actor", name, false, "who does it; the steps of one actor are done in turn (main)"},
    {"nowait", flag, false, "the actor goes on without the outcome (workload: yes unless it says false)"},
    {"latitude", byte, false, "0 benign; up to 255: how freely open decisions are taken"},
    {"id", number, false, "identity that survives minimization (its position)"},
}};
constexpr std::array<KeyRow, 4> kOverride{{
    {"cause", number, true, "id of the step that caused the decision, 0 for none"},
    {"site", number, true, "which decision"},
    {"nth", number, true, "how many-th of this cause and site, from 0"},
    {"value", number, true, "the answer"},
}};

}  // namespace

std::span<const KeyRow> file_keys() { return kFile; }
std::span<const KeyRow> host_keys() { return kHost; }
std::span<const KeyRow> step_keys() { return kStep; }
std::span<const KeyRow> override_keys() { return kOverride; }

const program::FieldRow* shorthand(const program::StepRow& row) {
  const program::FieldRow* only = nullptr;
  for (const program::StepFieldRow& field : row.fields) {
    if (!field.required || field.field == program::Field::host) continue;
    if (only != nullptr) return nullptr;
    only = program::find_field(field.field);
  }
  return only;
}

}  // namespace polypath::scenario
