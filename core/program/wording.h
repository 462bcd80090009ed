// How messages about bad input are worded: one line, names quoted, near misses named.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace polypath::program {

/// "'text'" on one line: control characters and bytes that are no UTF-8 shown as '?', long text cut with
/// "...".
std::string in_quotes(std::string_view text);

/// The candidate that a person most likely meant by `text`, empty when none is near.
std::string_view near_miss(std::string_view text, const std::vector<std::string_view>& candidates);

/// "; did you mean 'x'? known: x, y", without the question when nothing is near, "; there is none" when
/// nothing is known.
std::string remedy(std::string_view text, const std::vector<std::string_view>& candidates);

/// "a, b, c" (the first 40 and "..." when there are more).
std::string listing(const std::vector<std::string_view>& names);

/// Length of the well-formed UTF-8 at the start of `text`: text.size() when all of it is.
std::size_t utf8_prefix(std::string_view text);

/// `text` without control characters (line ends kept if `lines`), as well-formed UTF-8, blanks at both ends
/// dropped, at most `longest` bytes.
std::string clean_text(std::string_view text, std::size_t longest, bool lines = false);

/// True when clean_text would leave it as it is.
bool is_clean_text(std::string_view text, std::size_t longest, bool lines = false);

}  // namespace polypath::program
