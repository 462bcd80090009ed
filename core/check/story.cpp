#include "check/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <set>
#include <string_view>

#include "spec/queue_entry.h"
#include "spec/registers.h"
#include "trace/text.h"

namespace polypath::check {
namespace {

using trace::Boundary;

constexpr std::uint8_t kGetLogPage = 0x02, kEventRequest = 0x0C, kNamespaceManagement = 0x0D,
                       kNamespaceAttachment = 0x15;

struct Objects {
  std::set<std::uint16_t> controllers;
  std::set<std::uint32_t> namespaces;
  std::set<std::uint64_t> commands;              ///< submissions
  std::set<std::uint32_t> causes;                ///< steps
  std::set<std::uint32_t> queues;                ///< controller << 16 | queue, when the rule is one of queues
  bool events = false;                           ///< the rule is one of asynchronous events
  bool awaited = false;                          ///< the rule is one of what must happen
  std::map<std::uint16_t, std::uint64_t> lived;  ///< first submission of each controller
};

spec::SubmissionEntry entry_of(const trace::Trace& trace, std::uint64_t at) {
  spec::SubmissionEntry entry;
  trace::Parts parts;
  const trace::BoundaryEvent& event = trace.events()[at];
  if (event.kind == Boundary::submitted && trace::read_submitted(trace, event, parts)) {
    std::memcpy(&entry, parts.entry.data(), sizeof entry);
  }
  return entry;
}

// Namespaces that a summary names: a list that lacks one is about that one.
void add_named(std::string_view text, std::set<std::uint32_t>& out) {
  constexpr std::string_view kWord = "namespace ";
  for (std::size_t at = text.find(kWord); at != std::string_view::npos; at = text.find(kWord, at + 1)) {
    std::uint32_t number = 0;
    bool any = false;
    for (std::size_t i = at + kWord.size();
         i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i) {
      number = number * 10 + static_cast<std::uint32_t>(text[i] - '0');
      any = true;
    }
    if (any) out.insert(number);
  }
}

void add_objects(const trace::Trace& trace, const Causes& causes, std::uint64_t at, Objects& out) {
  const trace::BoundaryEvent& event = trace.events()[at];
  if (event.cause != 0) out.causes.insert(event.cause);
  if (event.controller == trace::kNoController) {
    const auto payload = trace.payload(event);
    if (event.kind != Boundary::app_submit || payload.size() < sizeof(trace::AppRequestPart)) return;
    trace::AppRequestPart part{};
    std::memcpy(&part, payload.data(), sizeof part);
    out.namespaces.insert(part.nsid);
    return;
  }
  out.controllers.insert(event.controller);
  const std::uint64_t command = causes.command[at];
  if (trace.events()[command].kind != Boundary::submitted) return;
  out.commands.insert(command);
  const spec::SubmissionEntry entry = entry_of(trace, command);
  if (entry.nsid != 0 && entry.nsid != 0xFFFFFFFF) out.namespaces.insert(entry.nsid);
}

bool changes_namespaces(const trace::Trace& trace, std::uint64_t command) {
  if (trace.events()[command].kind != Boundary::submitted || trace.events()[command].queue != 0) return false;
  const std::uint8_t opcode = entry_of(trace, command).opcode;
  return opcode == kNamespaceManagement || opcode == kNamespaceAttachment;
}

bool matters(const trace::Trace& trace, const Causes& causes, const Objects& objects, std::uint64_t at) {
  const trace::BoundaryEvent& event = trace.events()[at];
  const std::uint64_t command = causes.command[at];
  const bool ends = event.kind == Boundary::submitted || event.kind == Boundary::completed;
  if (event.kind == Boundary::app_submit || event.kind == Boundary::app_complete) {
    return objects.causes.contains(event.cause);
  }
  if (objects.queues.contains(std::uint32_t{event.controller} << 16U | event.queue)) {
    return event.kind != Boundary::dma && event.kind != Boundary::register_read &&
           event.kind != Boundary::register_write;
  }
  if (event.kind == Boundary::function) return objects.controllers.contains(event.controller);
  if (event.kind == Boundary::register_write) {  // the first enable is how every story begins
    const auto lived = objects.lived.find(event.controller);
    return event.a == spec::reg::cc && objects.controllers.contains(event.controller) &&
           lived != objects.lived.end() && lived->second < at;
  }
  if (!ends) return false;
  if (objects.commands.contains(command)) return true;
  const spec::SubmissionEntry entry = entry_of(trace, command);
  if (changes_namespaces(trace, command)) {
    const bool creates = entry.opcode == kNamespaceManagement && (entry.cdw10 & 0xFU) == 0;
    return creates || objects.events || objects.namespaces.contains(entry.nsid);
  }
  const trace::BoundaryEvent& submission = trace.events()[command];
  if (submission.kind != Boundary::submitted) return false;
  if (submission.queue != 0) return objects.namespaces.contains(entry.nsid) && entry.opcode != 0x02;
  const bool tells =
      entry.opcode == kEventRequest || (entry.opcode == kGetLogPage && (entry.cdw10 & 0xFFU) == 4);
  return objects.events && tells && objects.controllers.contains(event.controller);
}

// Resets of other controllers since the first of `showing`.
std::vector<std::uint64_t> resets_meanwhile(const trace::Trace& trace, const Objects& objects,
                                            const std::vector<std::uint64_t>& showing) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t at = showing.front(); at < showing.back(); ++at) {
    const trace::BoundaryEvent& event = trace.events()[at];
    const bool resets =
        event.kind == Boundary::function || (event.kind == Boundary::register_write &&
                                             event.a == spec::reg::cc && spec::cc::en.get(event.c) == 0);
    if (resets && !objects.controllers.contains(event.controller)) out.push_back(at);
  }
  return out;
}

Story tell(const trace::Trace& trace, const Causes& causes, std::vector<std::uint64_t> showing,
           Objects& objects, std::size_t most) {
  const std::size_t count = trace.events().size();
  Story story;
  std::sort(showing.begin(), showing.end());
  showing.erase(std::unique(showing.begin(), showing.end()), showing.end());
  story.showing = showing;
  for (std::uint64_t at = 0; at < count; ++at) {
    const trace::BoundaryEvent& event = trace.events()[at];
    if (event.kind == Boundary::submitted) objects.lived.emplace(event.controller, at);
  }
  std::set<std::uint64_t> kept(showing.begin(), showing.end());
  if (objects.awaited && !showing.empty()) story.meanwhile = resets_meanwhile(trace, objects, showing);
  kept.insert(story.meanwhile.begin(), story.meanwhile.end());
  const auto before = ancestors(count, causes.edges, showing);
  for (std::size_t i = before.size(); i-- != 0 && kept.size() < std::max(most, showing.size());) {
    if (matters(trace, causes, objects, before[i])) kept.insert(before[i]);
  }
  story.events = order_of(count, causes.edges, {kept.begin(), kept.end()});
  return story;
}

}  // namespace

Story story_of(const trace::Trace& trace, const model::Finding& finding, std::size_t most) {
  const Causes causes = causes_of(trace);
  Objects objects;
  std::vector<std::uint64_t> showing;
  for (const std::uint64_t at : finding.events) {
    if (at < trace.events().size()) showing.push_back(at);
  }
  if (showing.empty() && !trace.events().empty()) showing.push_back(trace.events().size() - 1);
  for (const std::uint64_t at : showing) add_objects(trace, causes, at, objects);
  if (finding.controller < trace.header.controllers.size()) objects.controllers.insert(finding.controller);
  add_named(finding.summary, objects.namespaces);
  const std::string_view rule = model::row_of(finding.rule).id;
  objects.events = rule.starts_with("INV-AE");
  objects.awaited = rule.starts_with("LIV");
  if (rule.starts_with("INV-Q") && !showing.empty()) {
    const trace::BoundaryEvent& last = trace.events()[showing.back()];
    objects.queues.insert(std::uint32_t{last.controller} << 16U | last.queue);
  }
  return tell(trace, causes, std::move(showing), objects, most);
}

Story story_of_step(const trace::Trace& trace, std::uint32_t step, std::size_t most) {
  const Causes causes = causes_of(trace);
  Objects objects;
  std::vector<std::uint64_t> showing;
  for (std::uint64_t at = 0; at < trace.events().size(); ++at) {
    const trace::BoundaryEvent& event = trace.events()[at];
    const bool end = event.kind == Boundary::completed || event.kind == Boundary::app_complete ||
                     event.kind == Boundary::register_read;
    if (event.cause == step && end) showing.assign(1, at);
  }
  for (const std::uint64_t at : showing) add_objects(trace, causes, at, objects);
  return tell(trace, causes, std::move(showing), objects, most);
}

std::string story_text(const trace::Trace& trace, const Story& story) {
  std::string out;
  for (const Ordered& row : story.events) {
    const bool shows = std::binary_search(story.showing.begin(), story.showing.end(), row.event);
    const bool beside = std::binary_search(story.meanwhile.begin(), story.meanwhile.end(), row.event);
    out += fmt::format("{} {:>7} {}\n",
                       shows    ? "*"
                       : beside ? "~"
                                : " ",
                       row.event, trace::event_text(trace, trace.events()[row.event]));
    if (!row.after.empty()) out += fmt::format("            after {}\n", fmt::join(row.after, ", "));
  }
  return out;
}

std::string story_dot(const trace::Trace& trace, const Story& story) {
  std::string out = "digraph story {\n  node [shape=box, fontname=monospace];\n";
  for (const Ordered& row : story.events) {
    std::string text = trace::event_text(trace, trace.events()[row.event]);
    std::replace(text.begin(), text.end(), '"', '\'');
    const bool shows = std::binary_search(story.showing.begin(), story.showing.end(), row.event);
    out +=
        fmt::format("  e{} [label=\"{} {}\"{}];\n", row.event, row.event, text, shows ? ", penwidth=3" : "");
    for (const std::uint64_t before : row.after) out += fmt::format("  e{} -> e{};\n", before, row.event);
  }
  return out + "}\n";
}

}  // namespace polypath::check
