// Text for people: colours where they help and are wanted, tables, progress on a terminal only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polypath::cli {

enum class Colour : std::uint8_t { plain, red, green, yellow, bold, dim };

/// `text` in a colour when standard output is a terminal and NO_COLOR is not set; otherwise as it is.
std::string paint(Colour colour, std::string_view text);

/// Columns padded to their widest cell, a rule under the header, two spaces between.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

/// A line on standard error that is rewritten as work proceeds; silent when standard error is no terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `done` of `total` (0: unknown).
  void show(std::uint64_t done, std::uint64_t total);

 private:
  std::string what_;
  std::uint64_t last_percent_ = ~std::uint64_t{0};
  bool terminal_;
};

/// A whole line on standard error that is rewritten; silent when standard error is no terminal.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  void show(const std::string& text);
  void clear();

 private:
  bool terminal_, shown_ = false;
};

}  // namespace polypath::cli
