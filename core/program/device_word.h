// One word of a topology: a driver and its properties, as QEMU's -device writes them
// ("nvme,id=nvme0,serial=foo").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program/topology.h"

namespace polypath::program {

struct DeviceWord {
  std::string driver;
  std::string place;      ///< for messages
  std::size_t index = 0;  ///< how many-th word
  std::vector<std::pair<std::string, std::string>> properties;

  /// Null when the property is not given.
  const std::string* find(std::string_view name) const;
};

/// Splits at commas; ",," stands for a comma within a value. Throws InputError for what is no word at all.
DeviceWord split_word(std::string_view text, const std::string& place);

/// "key=value" pieces of a QEMU option, the first of them perhaps without key. Throws InputError.
std::vector<std::pair<std::string, std::string>> split_options(std::string_view text,
                                                               const std::string& place);

/// Checks the driver, that every property is known to it, given once, and supported. Throws InputError.
void check_word(const DeviceWord& word);

/// A value in a word: commas doubled.
std::string word_value(std::string_view value);

// Typed properties; the default when the property is absent. They throw InputError when the value is none of
// its type or out of bounds.
bool flag_property(const DeviceWord& word, std::string_view name, bool otherwise);
std::uint64_t number_property(const DeviceWord& word, std::string_view name, std::uint64_t otherwise,
                              std::uint64_t least, std::uint64_t most);
/// `digits` hexadecimal digits in lower case ('-' and ':' between them and "0x" before them are dropped),
/// empty when absent, 0 or "auto".
std::string hex_property(const DeviceWord& word, std::string_view name, std::size_t digits);

}  // namespace polypath::program
