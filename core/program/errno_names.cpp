#include "program/errno_names.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace polypath::program {
namespace {

struct Row {
  std::uint16_t number;
  std::string_view name;
};

// Numbers of Linux on every architecture that runs QEMU's x86 and Arm guests; what blk_errors[] of
// block/blk-core.c can give, and what the multipath head adds.
constexpr std::array<Row, 18> kRows{{{0, "none"},
                                     {5, "EIO"},
                                     {6, "ENXIO"},
                                     {11, "EAGAIN"},
                                     {12, "ENOMEM"},
                                     {16, "EBUSY"},
                                     {19, "ENODEV"},
                                     {22, "EINVAL"},
                                     {28, "ENOSPC"},
                                     {52, "EBADE"},
                                     {61, "ENODATA"},
                                     {62, "ETIME"},
                                     {67, "ENOLINK"},
                                     {75, "EOVERFLOW"},
                                     {84, "EILSEQ"},
                                     {95, "EOPNOTSUPP"},
                                     {110, "ETIMEDOUT"},
                                     {121, "EREMOTEIO"}}};
constexpr std::uint64_t kMostErrno = 4095;

}  // namespace

std::string errno_name(std::uint64_t number) {
  for (const Row& row : kRows) {
    if (row.number == number) return std::string(row.name);
  }
  return std::to_string(number);
}

std::optional<std::uint64_t> errno_from_name(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.number;
  }
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number > kMostErrno) return std::nullopt;
  return number;
}

std::vector<std::string_view> errno_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kRows) names.push_back(row.name);
  return names;
}

}  // namespace polypath::program
