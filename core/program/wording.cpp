#include "program/wording.h"

#include <algorithm>

namespace polypath::program {
namespace {

constexpr std::size_t kLongestQuote = 60;
constexpr std::size_t kMostListed = 40;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// Bytes of the character at the start of `text`, 0 when it is not well-formed (RFC 3629: no overlong forms,
// no surrogates, nothing beyond 10FFFFh).
std::size_t character_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  std::size_t bytes = 0;
  unsigned low = 0x80, high = 0xBF;  // of the second byte
  if (first >= 0xC2 && first <= 0xDF) {
    bytes = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    bytes = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    bytes = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (bytes == 0 || text.size() < bytes || at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < bytes; ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return 0;
  }
  return bytes;
}

// Control characters of both ranges; C1 (U+0080 to U+009F) is C2 80 to C2 9F.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x20 || first == 0x7F) return true;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

// Damerau's distance: insertions, deletions, replacements, swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  while (!text.empty()) {
    if (out.size() > kLongestQuote) return out + "...'";
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0 || is_control(text)) {
      out += '?';
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out + "'";
}

std::string_view near_miss(std::string_view text, const std::vector<std::string_view>& candidates) {
  if (text.empty() || text.size() > 64) return {};
  std::string_view best;
  std::size_t least = text.size() <= 3 ? 2 : text.size() <= 7 ? 3 : 4;  // one, two or three slips
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 64 || candidate.empty()) continue;
    const std::size_t d = distance(text, candidate);
    if (d < least && d < candidate.size()) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

std::string remedy(std::string_view text, const std::vector<std::string_view>& candidates) {
  if (candidates.empty()) return "; there is none";
  const std::string_view near = near_miss(text, candidates);
  return (near.empty() ? std::string("; known: ") : "; did you mean " + in_quotes(near) + "? known: ") +
         listing(candidates);
}

std::string listing(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMostListed) return out + ", ...";
    if (i != 0) out += ", ";
    out += names[i];
  }
  return out;
}

std::size_t utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t bytes = character_bytes(text.substr(at));
    if (bytes == 0) return at;
    at += bytes;
  }
  return at;
}

std::string clean_text(std::string_view text, std::size_t longest, bool lines) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const bool kept = bytes != 0 && (!is_control(text) || (lines && text[0] == '\n'));
    const std::string_view piece = kept ? text.substr(0, bytes) : " ";
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
    if (out.empty() && is_blank(piece[0])) continue;
    if (out.size() + piece.size() > longest) break;
    out += piece;
  }
  while (!out.empty() && is_blank(out.back())) out.pop_back();
  return out;
}

bool is_clean_text(std::string_view text, std::size_t longest, bool lines) {
  return clean_text(text, longest, lines) == text;
}

}  // namespace polypath::program
