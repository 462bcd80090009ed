#include "trace/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "trace/text.h"

namespace polypath::trace {
namespace {

constexpr std::size_t kContext = 3;

bool same_event(const Trace& left, const BoundaryEvent& a, const Trace& right, const BoundaryEvent& b) {
  BoundaryEvent moved = b;
  moved.payload_offset = a.payload_offset;  // where the bytes lie is no part of what happened
  if (std::memcmp(&a, &moved, sizeof a) != 0) return false;
  const auto x = left.payload(a);
  const auto y = right.payload(b);
  return std::equal(x.begin(), x.end(), y.begin(), y.end());
}

/// First field of the header that differs, for people; empty when there is none.
std::string header_difference(const TraceHeader& a, const TraceHeader& b) {
  if (a == b) return "";
  if (a.source != b.source) return fmt::format("source: {} | {}", a.source, b.source);
  if (a.profile != b.profile) return fmt::format("profile: {} | {}", a.profile, b.profile);
  if (a.seed != b.seed) return fmt::format("seed: {} | {}", a.seed, b.seed);
  if (a.format != b.format) return fmt::format("format: {} | {}", a.format, b.format);
  if (a.subsystems != b.subsystems)
    return fmt::format("subsystems: {} | {}", a.subsystems.size(), b.subsystems.size());
  for (std::size_t i = 0; i < std::min(a.controllers.size(), b.controllers.size()); ++i) {
    if (a.controllers[i] != b.controllers[i])
      return fmt::format("controller {} ({})", i, a.controllers[i].name);
  }
  if (a.controllers.size() != b.controllers.size()) {
    return fmt::format("controllers: {} | {}", a.controllers.size(), b.controllers.size());
  }
  for (std::size_t i = 0; i < std::min(a.namespaces.size(), b.namespaces.size()); ++i) {
    if (a.namespaces[i] != b.namespaces[i])
      return fmt::format("namespace {} (NSID {})", i, a.namespaces[i].nsid);
  }
  return fmt::format("namespaces: {} | {}", a.namespaces.size(), b.namespaces.size());
}

/// Both sides of one event; when the lines read alike, what hides behind them.
std::string two_sides(const Trace& left, const Trace& right, std::size_t at) {
  const auto line = [at](const Trace& trace) {
    return at < trace.events().size() ? event_text(trace, trace.events()[at])
                                      : std::string("(the trace ends here)");
  };
  const auto a = line(left), b = line(right);
  std::string text = fmt::format("left  {:>8} {}\nright {:>8} {}\n", at, a, at, b);
  if (a != b || at >= left.events().size() || at >= right.events().size()) return text;
  const auto& x = left.events()[at];
  const auto& y = right.events()[at];
  const auto field = [&](std::string_view name, auto p, auto q) {
    if (p != q) text += fmt::format("      {}: {:#x} | {:#x}\n", name, p, q);
  };
  field("earliest", x.earliest, y.earliest);
  field("latest", x.latest, y.latest);
  field("a", x.a, y.a);
  field("b", x.b, y.b);
  field("c", x.c, y.c);
  field("slot", x.slot, y.slot);
  field("cause", x.cause, y.cause);
  field("flags", static_cast<unsigned>(x.flags), static_cast<unsigned>(y.flags));
  const auto p = left.payload(x), q = right.payload(y);
  const auto first = std::mismatch(p.begin(), p.end(), q.begin(), q.end());
  if (first.first != p.end() || first.second != q.end()) {
    text += fmt::format("      payload: {} | {} bytes, equal up to byte {}\n", p.size(), q.size(),
                        first.first - p.begin());
  }
  return text;
}

}  // namespace

std::optional<Difference> first_difference(const Trace& left, const Trace& right) {
  const auto header = header_difference(left.header, right.header);
  if (!header.empty()) return Difference{true, 0, "the headers differ in " + header + "\n"};
  const auto& a = left.events();
  const auto& b = right.events();
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (at < common && same_event(left, a[at], right, b[at])) ++at;
  if (at == a.size() && at == b.size()) return std::nullopt;
  std::string text;
  for (std::size_t i = at > kContext ? at - kContext : 0; i < at; ++i) {
    text += fmt::format("both  {:>8} {}\n", i, event_text(left, a[i]));
  }
  return Difference{false, at, text + two_sides(left, right, at)};
}

}  // namespace polypath::trace
