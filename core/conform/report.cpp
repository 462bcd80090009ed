#include "conform/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace polypath::conform {
namespace {

/// For text and attributes of XML and HTML alike.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? '?' : c;
    }
  }
  return out;
}

std::string heading(const Report& report) {
  return fmt::format("{} {}, profile {}", report.target, report.version, report.profile);
}

constexpr std::string_view kStyle = R"(
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2329}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dee4;
vertical-align:top}td.n{text-align:right}code,pre{font:13px ui-monospace,monospace}pre{white-space:pre-wrap;
background:#f4f6f8;padding:.6rem;margin:.4rem 0}
.passed{color:#176f2c}.failed{color:#b3261e;font-weight:600}.known{color:#8a5a00}.skipped{color:#5c6670}
)";

std::string case_row(const Case& one, const Verdict& verdict) {
  std::string details =
      fmt::format("<details><summary>{}</summary><p>{}", escaped(one.title), escaped(one.area));
  if (!one.origin.empty())
    details += fmt::format("; check {}", escaped(fmt::format("{}", fmt::join(one.origin, ", "))));
  details += fmt::format("; judges the {}</p>", one.judged == Judged::host ? "host" : "device");
  details += "<pre>" + escaped(one.text) + "</pre></details>";
  if (!verdict.reason.empty()) details += "<div>" + escaped(verdict.reason) + "</div>";
  for (const std::string& problem : verdict.problems) details += "<pre>" + escaped(problem) + "</pre>";
  const std::string_view result = result_name(verdict.result);
  return fmt::format("<tr><td><code>{}</code></td><td class=\"{}\">{}</td><td>{}</td></tr>\n",
                     escaped(one.id), result, result, details);
}

}  // namespace

void Counts::add(Result result) {
  switch (result) {
    case Result::passed:
      ++passed;
      break;
    case Result::failed:
      ++failed;
      break;
    case Result::known:
      ++known;
      break;
    case Result::skipped:
      ++skipped;
      break;
  }
}

Counts count(const Report& report, const std::string& family) {
  Counts out;
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    if (family.empty() || report.cases[i]->family == family) out.add(report.verdicts[i].result);
  }
  return out;
}

std::vector<std::string> families(const Report& report) {
  std::vector<std::string> out;
  for (const Case* one : report.cases) {
    if (std::find(out.begin(), out.end(), one->family) == out.end()) out.push_back(one->family);
  }
  return out;
}

std::string to_json(const Report& report) {
  auto cases = nlohmann::json::array();
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const Case& one = *report.cases[i];
    const Verdict& verdict = report.verdicts[i];
    cases.push_back({{"id", one.id},
                     {"family", one.family},
                     {"title", one.title},
                     {"area", one.area},
                     {"origin", one.origin},
                     {"needs", one.needs},
                     {"judged", one.judged == Judged::host ? "host" : "device"},
                     {"result", result_name(verdict.result)},
                     {"reason", verdict.reason},
                     {"problems", verdict.problems},
                     {"rules", verdict.rules}});
  }
  const Counts all = count(report);
  return nlohmann::json{
      {"target", report.target},
      {"version", report.version},
      {"profile", report.profile},
      {"counts",
       {{"passed", all.passed}, {"failed", all.failed}, {"known", all.known}, {"skipped", all.skipped}}},
      {"idle", report.idle},
      {"cases", cases}}
      .dump(2);
}

std::string to_junit(const Report& report) {
  const Counts all = count(report);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"polypath conform\" tests=\"{}\" "
      "failures=\"{}\" skipped=\"{}\">\n",
      all.all(), all.failed, all.skipped + all.known);
  for (const std::string& family : families(report)) {
    const Counts some = count(report, family);
    out += fmt::format("<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
                       escaped(family), some.all(), some.failed, some.skipped + some.known);
    for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
      const Case& one = *report.cases[i];
      const Verdict& verdict = report.verdicts[i];
      if (one.family != family) continue;
      out += fmt::format("<testcase classname=\"{}\" name=\"{} {}\"", escaped(family), escaped(one.id),
                         escaped(one.title));
      const std::string problems = escaped(fmt::format("{}", fmt::join(verdict.problems, "\n")));
      switch (verdict.result) {
        case Result::passed:
          out += "/>\n";
          break;
        case Result::failed:
          out += fmt::format("><failure message=\"{}\">{}</failure></testcase>\n",
                             escaped(verdict.problems.front()), problems);
          break;
        case Result::known:
        case Result::skipped:
          out += fmt::format("><skipped message=\"{}\"/></testcase>\n", escaped(verdict.reason));
          break;
      }
    }
    out += "</testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string to_html(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Conformance of {0}</title>"
      "<style>{1}</style></head><body>\n<h1>Conformance of {0}</h1>\n",
      escaped(heading(report)), kStyle);
  out += "<table><tr><th>family</th><th>passed</th><th>failed</th><th>known</th><th>skipped</th></tr>\n";
  const auto row = [&](const std::string& name, const Counts& c) {
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n{}\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td></tr>\n",
        escaped(name), c.passed, c.failed == 0 ? "" : " failed", c.failed, c.known, c.skipped);
  };
  for (const std::string& family : families(report)) row(family, count(report, family));
  row("all", count(report));
  out += "</table>\n";
  for (const std::string& line : report.idle) out += "<p class=\"failed\">" + escaped(line) + "</p>\n";
  for (const std::string& family : families(report)) {
    out += "<h2>" + escaped(family) + "</h2>\n<table>\n";
    for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
      if (report.cases[i]->family == family) out += case_row(*report.cases[i], report.verdicts[i]);
    }
    out += "</table>\n";
  }
  return out + "</body></html>\n";
}

std::vector<std::pair<std::string, std::string>> results_of_json(const std::string& text,
                                                                 const std::string& file) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::pair<std::string, std::string>> out;
  if (json.is_object() && json.contains("cases") && json["cases"].is_array()) {
    for (const auto& one : json["cases"]) {
      if (!one.is_object() || !one.contains("id") || !one.contains("result") || !one["id"].is_string() ||
          !one["result"].is_string()) {
        out.clear();
        break;
      }
      out.emplace_back(one["id"].get<std::string>(), one["result"].get<std::string>());
    }
  }
  if (out.empty()) {
    throw program::InputError(file, "is no result of `polypath conform --json`; name such a file or a run");
  }
  return out;
}

}  // namespace polypath::conform
