// A QEMU command line: its -device words, with the files that its -drive and -blockdev options name.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "program/device_word.h"
#include "program/wording.h"

namespace polypath::program {
namespace {

constexpr std::size_t kLongestArguments = 16U << 20U;
constexpr std::size_t kMostBlockLayers = 32;

struct Argument {
  std::string text;
  std::size_t offset = 0;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Places in a text, asked for in ascending order.
class Places {
 public:
  Places(std::string_view text, const std::string& source) : text_(text), source_(source) {}
  std::string at(std::size_t offset) {
    for (; at_ < offset && at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
    }
    return fmt::format("{}:{}:{}", source_, line_, offset - std::min(offset, line_start_) + 1);
  }

 private:
  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0, line_ = 1, line_start_ = 0;
};

std::string place(std::string_view args, const TopologyOptions& options, std::size_t offset) {
  return Places(args, options.source).at(offset);
}

// Splits as a shell would: quotes, backslashes, comments to the end of a line. A shell array, NAME=( ... ),
// in which scripts keep their arguments, is taken for what stands in it.
std::vector<Argument> split_arguments(std::string_view args, const TopologyOptions& options) {
  std::vector<Argument> out;
  std::size_t i = 0;
  while (i < args.size()) {
    if (is_space(args[i])) {
      ++i;
      continue;
    }
    if (args[i] == '#') {
      while (i < args.size() && args[i] != '\n') ++i;
      continue;
    }
    if (args[i] == '\\' && i + 1 < args.size() && args[i + 1] == '\n') {
      i += 2;
      continue;
    }
    Argument argument;
    argument.offset = i;
    char quote = 0;
    std::size_t opened = i;
    for (; i < args.size() && (quote != 0 || !is_space(args[i])); ++i) {
      const char c = args[i];
      if (c == '\0') throw InputError(place(args, options, i), "a NUL byte in a command line; remove it");
      if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
        opened = i;
      } else if (c == '\\' && quote != '\'' && i + 1 < args.size()) {
        ++i;
        if (args[i] != '\n') argument.text += args[i];
      } else {
        argument.text += c;
      }
    }
    if (quote != 0) {
      throw InputError(place(args, options, opened), "this quotation mark is never closed; close it");
    }
    const std::size_t array = argument.text.find("=(");
    if (out.empty() && array != std::string::npos && argument.text[0] != '-')
      argument.text.erase(0, array + 2);
    out.push_back(std::move(argument));
  }
  if (!out.empty() && out.back().text.ends_with(')') && out.back().text.find('(') == std::string::npos) {
    out.back().text.pop_back();
  }
  return out;
}

// What -drive and -blockdev options say about where data are.
struct Block {
  std::string file;   ///< a file, or
  std::string layer;  ///< another block node, or
  std::string size;   ///< nothing but zeros of this size
  std::string place;
};
using Blocks = std::map<std::string, Block>;

void add_block(Blocks& blocks, const std::string& text, const std::string& place, bool blockdev) {
  if (text.starts_with('{')) {
    throw InputError(
        place,
        "QEMU's JSON form of -blockdev is not understood; write driver=file,node-name=f1,filename=...");
  }
  Block block;
  block.place = place;
  std::string name, driver;
  const auto options = split_options(text, place);
  for (std::size_t i = 0; i < options.size(); ++i) {
    const auto& [key, value] = options[i];
    if (key == (blockdev ? "node-name" : "id")) name = value;
    if (key == "driver") driver = value;
    if (i == 0 && value.empty()) driver = key;
    if (key == "size") block.size = value;
    if (key == "filename" || key == "file.filename") block.file = value;
    if (key == "file") (blockdev ? block.layer : block.file) = value;
  }
  if (name.empty()) {
    if (blockdev) throw InputError(place, "-blockdev has no node-name; add node-name=d1");
    return;  // a drive for another device
  }
  if (!driver.starts_with("null-")) block.size.clear();
  if (!blocks.emplace(name, block).second) {
    throw InputError(place, fmt::format("{} is already used at {}; choose another name", in_quotes(name),
                                        blocks[name].place));
  }
}

// Follows layers down to a file or to a size; the word then names that.
void resolve_drive(std::string& word, const Blocks& blocks, const std::string& place,
                   const TopologyOptions& options) {
  DeviceWord split = split_word(word, place);
  const std::string* drive = split.find("drive");
  if (drive == nullptr || options.memory_media) return;
  std::string name = *drive;
  const Block* block = nullptr;
  for (std::size_t depth = 0; depth < kMostBlockLayers; ++depth) {
    const auto at = blocks.find(name);
    if (at == blocks.end()) {
      std::vector<std::string_view> names;
      for (const auto& entry : blocks) names.push_back(entry.first);
      throw InputError(place,
                       fmt::format("drive={} has no -drive or -blockdev{}; add one or use --media memory",
                                   in_quotes(name), remedy(name, names)));
    }
    block = &at->second;
    if (block->layer.empty()) break;
    name = block->layer;
  }
  if (!block->layer.empty()) {
    throw InputError(block->place,
                     fmt::format("block layers of drive={} go in a circle; name a file", in_quotes(*drive)));
  }
  if (block->file.empty() && block->size.empty()) {
    throw InputError(block->place, fmt::format("drive={} names no file; add file= or use --media memory",
                                               in_quotes(*drive)));
  }
  std::string resolved = split.driver;
  for (const auto& [key, value] : split.properties) {
    if (key == "drive" && block->file.empty()) {
      resolved += ",size=" + word_value(block->size);
    } else {
      resolved += "," + key + "=" + word_value(key == "drive" ? block->file : value);
    }
  }
  word = resolved;
}

bool is_device_of_ours(const std::string& word) {
  const std::string_view text = word;
  const std::string_view driver = text.substr(0, text.find(','));
  return driver.find("nvme") != std::string_view::npos || driver == "pcie-root-port";
}

}  // namespace

Topology parse_qemu_args(std::string_view args, const TopologyOptions& options,
                         std::vector<std::string>* ignored) {
  if (args.size() > kLongestArguments) {
    throw InputError(options.source + ":1:1", "a command line of more than 16 MiB; shorten it");
  }
  if (const std::size_t good = utf8_prefix(args); good != args.size()) {
    throw InputError(place(args, options, good), "this is no UTF-8 text; give a QEMU command line");
  }
  const std::vector<Argument> arguments = split_arguments(args, options);
  Places where(args, options.source);
  std::vector<std::string> words, places;
  Blocks blocks;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string option = arguments[i].text;
    const std::string place_here = where.at(arguments[i].offset);
    if (option.starts_with("--")) option.erase(0, 1);
    const bool takes = option == "-device" || option == "-drive" || option == "-blockdev";
    const bool last = i + 1 == arguments.size();
    if (takes && (last || arguments[i + 1].text.empty())) {
      throw InputError(place_here, fmt::format("{} has nothing after it; the line seems cut off", option));
    }
    if (!takes) {
      std::string text = arguments[i].text;
      if (option.starts_with('-') && !last && !arguments[i + 1].text.starts_with('-'))
        text += " " + arguments[++i].text;
      if (ignored != nullptr) ignored->push_back(text);
      continue;
    }
    ++i;
    const std::string& text = arguments[i].text;
    const std::string place_of_text = where.at(arguments[i].offset);
    if (option != "-device") {
      add_block(blocks, text, place_of_text, option == "-blockdev");
    } else if (text.starts_with('{') || is_device_of_ours(text)) {
      words.push_back(text);
      places.push_back(place_of_text);
    } else if (ignored != nullptr) {
      ignored->push_back("-device " + text);
    }
  }
  if (words.empty()) {
    throw InputError(options.source + ":1:1",
                     "no NVMe device here; give -device nvme,id=nvme0,serial=foo and the like");
  }
  for (std::size_t i = 0; i < words.size(); ++i) resolve_drive(words[i], blocks, places[i], options);
  return parse_topology(words, places, options);
}

}  // namespace polypath::program
