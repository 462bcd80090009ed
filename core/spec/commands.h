// THE table of commands. Support and effects log, fuzz decoder, text form of programs, trace printing,
// Python's methods and the reference documentation all derive from a row. Adding a command starts here
// (docs/extending.md).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "spec/queue_entry.h"

namespace polypath::spec {

enum class CommandSet : std::uint8_t { admin = 0, nvm = 1 };
/// Data direction as seen by the controller's data pointer (opcode bits 1:0).
enum class Direction : std::uint8_t { none = 0, to_controller = 1, to_host = 2 };
/// How a command uses NSID. `depends`: by CNS, LID, FID or action.
enum class NsidUse : std::uint8_t { unused, required, depends };
/// What announces the command in Identify Controller. `oacs`, `oncs`: `bit` of that field; `kas`: KAS is not
/// 0; `sanicap`: one of the kinds of SANICAP bits 2:0; `zoned`: the Zoned command set in the command set
/// vectors (Identify CNS 1Ch).
enum class Announced : std::uint8_t { mandatory, oacs, oncs, kas, sanicap, zoned };

/// Where the length of a command's data comes from.
enum class DataLength : std::uint8_t {
  none,
  page,          ///< 4096 bytes
  log_dwords,    ///< NUMD of Get Log Page
  feature,       ///< by FID; most features carry none
  create_page,   ///< 4096 bytes when SEL is 0
  blocks,        ///< NLB logical blocks
  ranges,        ///< NR descriptors of 16 bytes (Dataset Management)
  copy_ranges,   ///< NR descriptors of 32 or, by DESFMT, 40 bytes (Copy)
  dwords_cdw10,  ///< 0's based dwords in CDW10
  dwords_cdw12,  ///< 0's based dwords in CDW12
  key_pair,      ///< 16 bytes (reservation commands)
  zone_data,     ///< 64 bytes when ZSA is 10h: the extension of a zone descriptor
};

/// Effects, as bits of the Commands Supported and Effects log (LID 05h).
namespace effect {
inline constexpr std::uint32_t supported = 1U << 0, block_content = 1U << 1, ns_capability = 1U << 2,
                               ns_inventory = 1U << 3, controller_capability = 1U << 4;
}

/// One named operand of a command: a field of a command dword.
struct CommandField {
  std::string_view name;  ///< the standard's abbreviation in lower case: "cns", "slba"
  std::uint8_t dword;     ///< 2, 3 or 10..15; a field wider than its dword goes on in the next
  std::uint8_t lsb;
  std::uint8_t bits;
  bool zero_based;  ///< true: text and Python give the count (1..), the wire the count minus one
};

struct CommandRow {
  std::uint16_t number;  ///< permanent; never reused, programs and corpora store it
  CommandSet set;
  std::uint8_t opcode;
  std::string_view name;   ///< snake case, the name in programs and Python
  std::string_view title;  ///< the standard's name
  Direction direction;
  NsidUse nsid;
  Announced announced;
  std::uint8_t bit;       ///< of OACS or ONCS
  std::uint32_t effects;  ///< effect:: bits
  bool implemented;       ///< the simulated device has a handler
  DataLength length;
  std::span<const CommandField> fields;
};

/// All rows, by number.
std::span<const CommandRow> commands();
/// Row of an opcode, null when the table has none.
const CommandRow* find_command(CommandSet set, std::uint8_t opcode);
/// Row of a name ("identify"), null when the table has none.
const CommandRow* find_command(std::string_view name);
/// Row with this permanent number, null when there is none.
const CommandRow* find_command_number(std::uint16_t number);

/// Value of a field in an entry, as text and Python show it (zero-based counts plus one).
std::uint64_t field_value(const SubmissionEntry& entry, const CommandField& field);
void set_field(SubmissionEntry& entry, const CommandField& field, std::uint64_t value);

/// Bytes that a command moves through its data pointer, for logical blocks of `block_bytes`; 0 when it moves
/// none or the table does not know it. May exceed what any controller accepts.
std::uint64_t data_bytes(const CommandRow& row, const SubmissionEntry& entry, std::uint32_t block_bytes);

/// Set of a queue: the Admin queue takes admin commands, every other the NVM set.
constexpr CommandSet set_of_queue(std::uint16_t qid) {
  return qid == 0 ? CommandSet::admin : CommandSet::nvm;
}

}  // namespace polypath::spec
