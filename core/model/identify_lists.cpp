// Lists of namespaces and of controllers.
#include <fmt/format.h>

#include <cstring>

#include "model/identify.h"
#include "model/namespaces.h"

namespace polypath::model {
namespace {

constexpr std::size_t kEntries = spec::kNsListEntries;

/// The NSIDs of a list: up to the first zero. False when its form is wrong: not ascending, not beyond the
/// start, or something behind its end.
bool read_list(std::span<const std::byte> data, std::uint32_t start, std::vector<std::uint32_t>& out) {
  std::uint32_t before = start;
  for (std::size_t i = 0; i < kEntries; ++i) {
    const auto nsid = read_as<std::uint32_t>(data.subspan(i * 4));
    if (nsid == 0) {
      // Zeros up to the end: compared with itself, one byte on. Lists are short and their pages long.
      const auto rest = data.subspan(i * 4, (kEntries - i) * 4);
      return std::memcmp(rest.data(), rest.data() + 1, rest.size() - 1) == 0;
    }
    if (nsid <= before) return false;
    before = nsid;
    out.push_back(nsid);
  }
  return true;
}

std::string list_text(const std::vector<std::uint32_t>& list) {
  std::string out;
  for (std::size_t i = 0; i < list.size() && i < 16; ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", list[i]);
  return list.empty() ? "none" : list.size() > 16 ? out + " ..." : out;
}

/// Calls `fit(namespace index, listed)` for every namespace that the list speaks of, and `stranger(nsid)` for
/// those that the model does not know.
template <class Fit, class Stranger>
void each_of_list(const Scene& scene, const std::vector<std::uint32_t>& list, std::uint32_t start, Fit&& fit,
                  Stranger&& stranger) {
  const std::uint32_t subsystem = scene.c().subsystem;
  const bool full = list.size() == kEntries;
  const std::uint32_t last = full ? list.back() : 0xFFFFFFFF;
  std::size_t at = start == 0xFFFFFFFF ? 0 : first_from(scene.s, subsystem, start + 1);
  for (const std::uint32_t nsid : list) {
    while (at < scene.s.subsystems[subsystem].namespaces.size() &&
           scene.s.namespaces[scene.s.subsystems[subsystem].namespaces[at]].nsid < nsid) {
      fit(scene.s.subsystems[subsystem].namespaces[at++], false);
    }
    const auto& known = scene.s.subsystems[subsystem].namespaces;
    if (at < known.size() && scene.s.namespaces[known[at]].nsid == nsid) {
      fit(known[at++], true);
    } else if (stranger(nsid)) {
      fit(resolve_namespace(scene, nsid), true);
      ++at;
    }
  }
  while (at < scene.s.subsystems[subsystem].namespaces.size()) {
    const std::uint32_t index = scene.s.subsystems[subsystem].namespaces[at++];
    if (scene.s.namespaces[index].nsid > last) break;
    fit(index, false);
  }
}

bool maybe_created(const Scene& scene, const Command& command) {
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  return subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
}

}  // namespace

void check_active_list(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  std::vector<std::uint32_t> list;
  const std::uint32_t start = command.entry.nsid;
  exercised(scene, Rule::ns01);
  if (!read_list(data, start, list)) {
    violation(scene, Rule::ns01, fmt::format("{}: not a list of namespaces", text_of(scene, command)),
              "ascending, then zeros", list_text(list), {command.submitted});
    return;
  }
  const auto type = scene.c().announced.cntrltype;
  if (type == 2 || type == 3) {
    exercised(scene, Rule::ns19);
    if (!list.empty()) {
      violation(scene, Rule::ns19,
                fmt::format("{} is no I/O controller and has active namespaces", name_of(scene, scene.index)),
                "none", list_text(list), {command.submitted});
    }
    return;
  }
  bool reported = false;
  each_of_list(
      scene, list, start,
      [&](std::uint32_t index, bool listed) {
        const Namespace& ns = scene.s.namespaces[index];
        if (ns.died != 0) exercised(scene, Rule::ns14);
        Seq changed = 0;
        for (const auto& attached : ns.attached) {
          if (attached.controller != scene.index) continue;
          changed = attached.changed;
          if (changed != 0 && attached.changed_by != scene.index) exercised(scene, Rule::ns21);
        }
        const bool allowed = listed ? may_be_active(ns, scene.index, command.submitted)
                                    : may_be_inactive(ns, scene.index, command.submitted);
        if (allowed) {
          observe_attachment(scene, index, scene.index, listed, command.submitted);
          return;
        }
        if (reported) return;  // one finding for a list
        reported = true;
        violation(scene, rule_of_view(scene, &ns, scene.index, listed),
                  fmt::format("{}: namespace {} {} listed", text_of(scene, command), ns.nsid,
                              listed ? "is" : "is not"),
                  listed ? "only attached namespaces" : "all attached namespaces", list_text(list),
                  {command.submitted, changed, ns.died});
      },
      [&](std::uint32_t nsid) {
        const bool known_complete = scene.s.subsystems[scene.c().subsystem].complete;
        if (!known_complete) return true;
        if (!maybe_created(scene, command) && !reported) {
          reported = true;
          violation(
              scene, Rule::ns01,
              fmt::format("{}: namespace {} is listed and does not exist", text_of(scene, command), nsid),
              "only attached namespaces", list_text(list), {command.submitted});
        }
        return false;
      });
}

void check_allocated_list(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  std::vector<std::uint32_t> list;
  const std::uint32_t start = command.entry.nsid;
  const auto& announced = scene.c().announced;
  exercised(scene, Rule::ns09);
  const auto say = [&](Rule rule, std::string what, const char* allowed) {
    violation(scene, rule, fmt::format("{}: {}", text_of(scene, command), what), allowed, list_text(list),
              {command.submitted});
  };
  if (!read_list(data, start, list)) {
    say(Rule::ns09, "not a list of namespaces", "ascending, then zeros");
    return;
  }
  const std::uint32_t most = announced.mnan != 0 ? announced.mnan : announced.nn;
  if (announced.known && !list.empty() && (list.back() > announced.nn || list.size() > most)) {
    say(Rule::ns09, "more than there may be", "identifiers up to NN, as many as MNAN");
    return;
  }
  bool reported = false;
  each_of_list(
      scene, list, start,
      [&](std::uint32_t index, bool listed) {
        const Namespace& ns = scene.s.namespaces[index];
        if (ns.exists.possible_since(listed, command.submitted) || reported) return;
        reported = true;
        say(listed && ns.died != 0 ? Rule::ns14 : Rule::ns09,
            fmt::format("namespace {} {} listed", ns.nsid, listed ? "is" : "is not"),
            "exactly the namespaces that exist");
      },
      [&](std::uint32_t nsid) {
        if (!scene.s.subsystems[scene.c().subsystem].complete) return true;
        if (!maybe_created(scene, command) && !reported) {
          reported = true;
          say(Rule::ns09, fmt::format("namespace {} is listed and does not exist", nsid),
              "exactly the namespaces that exist");
        }
        return false;
      });
}

namespace {

/// A controller list; false when its form is wrong.
bool read_controllers(std::span<const std::byte> data, std::uint16_t start, std::vector<std::uint32_t>& out) {
  const auto count = read_as<std::uint16_t>(data);
  if (count > spec::kControllerListEntries) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = read_as<std::uint16_t>(data.subspan(2 + i * 2));
    if (id < start || (!out.empty() && id <= out.back())) return false;
    out.push_back(id);
  }
  return true;
}

}  // namespace

void check_attached_controllers(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  std::vector<std::uint32_t> list;
  const auto start = static_cast<std::uint16_t>(command.entry.cdw10 >> 16U);
  const auto say = [&](Rule rule, std::string what, const char* allowed) {
    violation(scene, rule, fmt::format("{}: {}", text_of(scene, command), what), allowed, list_text(list),
              {command.submitted});
  };
  exercised(scene, Rule::ns02);
  if (!read_controllers(data, start, list)) {
    say(Rule::ns02, "not a list of controllers", "ascending identifiers");
    return;
  }
  const std::uint32_t index = resolve_namespace(scene, command.entry.nsid);
  const bool full = list.size() == spec::kControllerListEntries;
  if (index == kNone) {
    if (!list.empty() && !maybe_created(scene, command))
      say(Rule::ns02, "controllers of a namespace that does not exist", "none");
    return;
  }
  for (const auto controller : scene.s.subsystems[scene.c().subsystem].controllers) {
    const std::uint16_t cntlid = scene.s.controllers[controller].cntlid;
    if (cntlid == trace::kUnknownCntlid || cntlid < start) continue;
    if (full && cntlid > list.back()) continue;
    const bool listed = std::find(list.begin(), list.end(), cntlid) != list.end();
    Namespace& ns = scene.s.namespaces[index];
    const bool allowed = listed ? may_be_active(ns, controller, command.submitted)
                                : may_be_inactive(ns, controller, command.submitted);
    if (!allowed) {
      say(Rule::ns02,
          fmt::format("namespace {} {} attached to {}", ns.nsid, listed ? "is not" : "is",
                      name_of(scene, controller)),
          "exactly the controllers that it is attached to");
      return;
    }
  }
}

void check_controller_list(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  std::vector<std::uint32_t> list;
  const auto start = static_cast<std::uint16_t>(command.entry.cdw10 >> 16U);
  exercised(scene, Rule::ns08);
  const auto say = [&](const char* what, const char* allowed) {
    violation(scene, Rule::ns08, fmt::format("{}: {}", text_of(scene, command), what), allowed,
              list_text(list), {command.submitted});
  };
  if (!read_controllers(data, start, list)) {
    say("not a list of controllers", "ascending identifiers");
    return;
  }
  const auto& own = scene.c().announced;
  const bool full = list.size() == spec::kControllerListEntries;
  if (own.known && own.cntrltype <= 1 && own.cntlid >= start && !(full && own.cntlid > list.back()) &&
      std::find(list.begin(), list.end(), own.cntlid) == list.end()) {
    say("the controller itself is missing", "every I/O controller of the subsystem");
  } else if (!list.empty() && list.back() > 0xFFEF) {
    say("a reserved identifier", "identifiers up to FFEFh");
  }
}

}  // namespace polypath::model
