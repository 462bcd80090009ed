#include "program/sgl_words.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace polypath::program {
namespace {

using Kind = SglWord::Kind;

std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

bool read_number(std::string_view& text, std::uint64_t most, std::uint64_t& out) {
  std::string_view word = next_word(text);
  const bool hex = word.starts_with("0x");
  if (hex) word.remove_prefix(2);
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, out, hex ? 16 : 10);
  return read.ec == std::errc{} && read.ptr == end && out <= most;
}

std::optional<SglWord> read_word(std::string_view text) {
  struct Name {
    std::string_view name;
    Kind kind;
  };
  constexpr std::array<Name, 5> kNames{{{"block", Kind::block},
                                        {"bucket", Kind::bucket},
                                        {"segment", Kind::segment},
                                        {"raw", Kind::raw},
                                        {"shift", Kind::shift}}};
  const std::string_view name = next_word(text);
  const auto* at =
      std::find_if(kNames.begin(), kNames.end(), [&](const Name& row) { return row.name == name; });
  if (at == kNames.end()) return std::nullopt;
  SglWord word{.kind = at->kind};
  std::uint64_t number = 0;
  if (word.kind == Kind::raw) {
    if (!read_number(text, 0xFF, number)) return std::nullopt;
    word.identifier = static_cast<std::uint8_t>(number);
    if (!read_number(text, ~std::uint64_t{0}, word.address)) return std::nullopt;
  }
  if (word.kind != Kind::segment) {
    if (!read_number(text, word.kind == Kind::shift ? 4095 : 0xFFFFFFFF, number)) return std::nullopt;
    word.length = static_cast<std::uint32_t>(number);
  }
  if (!next_word(text).empty()) return std::nullopt;
  return word;
}

}  // namespace

std::optional<std::vector<SglWord>> parse_sgl(std::string_view text) {
  std::vector<SglWord> words;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    const auto word = read_word(text.substr(0, comma));
    if (!word || words.size() == kMostSglWords) return std::nullopt;
    if (word->kind == Kind::shift && !words.empty()) return std::nullopt;
    words.push_back(*word);
    if (more) text.remove_prefix(comma + 1);
  }
  return words;
}

}  // namespace polypath::program
