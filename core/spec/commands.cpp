#include "spec/commands.h"

#include <array>

#include "spec/log_feature_event.h"

namespace polypath::spec {
namespace {

using F = CommandField;

constexpr std::array<F, 1> kQueueId{{{"qid", 10, 0, 16, false}}};
constexpr std::array<F, 5> kCreateSq{{{"qid", 10, 0, 16, false},
                                      {"qsize", 10, 16, 16, true},
                                      {"pc", 11, 0, 1, false},
                                      {"qprio", 11, 1, 2, false},
                                      {"cqid", 11, 16, 16, false}}};
constexpr std::array<F, 5> kCreateCq{{{"qid", 10, 0, 16, false},
                                      {"qsize", 10, 16, 16, true},
                                      {"pc", 11, 0, 1, false},
                                      {"ien", 11, 1, 1, false},
                                      {"iv", 11, 16, 16, false}}};
constexpr std::array<F, 7> kGetLog{{{"lid", 10, 0, 8, false},
                                    {"lsp", 10, 8, 7, false},
                                    {"rae", 10, 15, 1, false},
                                    {"numdl", 10, 16, 16, false},
                                    {"numdu", 11, 0, 16, false},
                                    {"lsi", 11, 16, 16, false},
                                    {"lpo", 12, 0, 64, false}}};
constexpr std::array<F, 4> kIdentify{{{"cns", 10, 0, 8, false},
                                      {"cntid", 10, 16, 16, false},
                                      {"cnsspecid", 11, 0, 16, false},
                                      {"csi", 11, 24, 8, false}}};
constexpr std::array<F, 2> kAbort{{{"sqid", 10, 0, 16, false}, {"cid", 10, 16, 16, false}}};
constexpr std::array<F, 4> kSetFeatures{{{"fid", 10, 0, 8, false},
                                         {"sv", 10, 31, 1, false},
                                         {"value", 11, 0, 32, false},
                                         {"value2", 12, 0, 32, false}}};
constexpr std::array<F, 3> kGetFeatures{
    {{"fid", 10, 0, 8, false}, {"sel", 10, 8, 3, false}, {"value", 11, 0, 32, false}}};
constexpr std::array<F, 2> kNsManagement{{{"sel", 10, 0, 4, false}, {"csi", 11, 24, 8, false}}};
constexpr std::array<F, 1> kSelect{{{"sel", 10, 0, 4, false}}};
constexpr std::array<F, 2> kSpoiltRange{{{"slba", 10, 0, 64, false}, {"nlb", 12, 0, 16, true}}};
constexpr std::array<F, 9> kRange{{{"slba", 10, 0, 64, false},
                                   {"nlb", 12, 0, 16, true},
                                   {"fua", 12, 30, 1, false},
                                   {"stc", 12, 24, 1, false},
                                   {"prchk", 12, 26, 3, false},
                                   {"pract", 12, 29, 1, false},
                                   {"ilbrt", 14, 0, 32, false},
                                   {"lbat", 15, 0, 16, false},
                                   {"lbatm", 15, 16, 16, false}}};
constexpr std::array<F, 7> kZeroes{{{"slba", 10, 0, 64, false},
                                    {"nlb", 12, 0, 16, true},
                                    {"deac", 12, 25, 1, false},
                                    {"fua", 12, 30, 1, false},
                                    {"pract", 12, 29, 1, false},
                                    {"ilbrt", 14, 0, 32, false},
                                    {"lbat", 15, 0, 16, false}}};

constexpr std::array<F, 11> kCopy{{{"sdlba", 10, 0, 64, false},
                                   {"nr", 12, 0, 8, true},
                                   {"desfmt", 12, 8, 4, false},
                                   {"fua", 12, 30, 1, false},
                                   {"prinfor", 12, 12, 4, false},
                                   {"prinfow", 12, 26, 4, false},
                                   {"stcw", 12, 24, 1, false},
                                   {"stcr", 12, 25, 1, false},
                                   {"ilbrt", 14, 0, 32, false},
                                   {"lbat", 15, 0, 16, false},
                                   {"lbatm", 15, 16, 16, false}}};
constexpr std::array<F, 4> kDataset{
    {{"nr", 10, 0, 8, true}, {"idr", 11, 0, 1, false}, {"idw", 11, 1, 1, false}, {"ad", 11, 2, 1, false}}};
constexpr std::array<F, 1> kSelfTest{{{"stc", 10, 0, 4, false}}};
constexpr std::array<F, 4> kLbaStatus{{{"slba", 10, 0, 64, false},
                                       {"mndw", 12, 0, 32, true},
                                       {"rl", 13, 0, 16, false},
                                       {"atype", 13, 24, 8, false}}};
constexpr std::array<F, 3> kCommit{
    {{"fs", 10, 0, 3, false}, {"ca", 10, 3, 3, false}, {"bpid", 10, 31, 1, false}}};
constexpr std::array<F, 2> kDownload{{{"numd", 10, 0, 32, true}, {"ofst", 11, 0, 32, false}}};
constexpr std::array<F, 6> kSanitize{{{"sanact", 10, 0, 3, false},
                                      {"ause", 10, 3, 1, false},
                                      {"owpass", 10, 4, 4, false},
                                      {"oipbp", 10, 8, 1, false},
                                      {"ndas", 10, 9, 1, false},
                                      {"ovrpat", 11, 0, 32, false}}};
constexpr std::array<F, 6> kFormat{{{"lbafl", 10, 0, 4, false},
                                    {"mset", 10, 4, 1, false},
                                    {"pi", 10, 5, 3, false},
                                    {"pil", 10, 8, 1, false},
                                    {"ses", 10, 9, 3, false},
                                    {"lbafu", 10, 12, 2, false}}};

constexpr std::array<F, 4> kZoneSend{{{"slba", 10, 0, 64, false},
                                      {"zsa", 13, 0, 8, false},
                                      {"all", 13, 8, 1, false},
                                      {"zsaso", 13, 9, 1, false}}};
constexpr std::array<F, 5> kZoneReceive{{{"slba", 10, 0, 64, false},
                                         {"numd", 12, 0, 32, true},
                                         {"zra", 13, 0, 8, false},
                                         {"zrasf", 13, 8, 8, false},
                                         {"partial", 13, 16, 1, false}}};
constexpr std::array<F, 4> kZoneAppend{{{"zslba", 10, 0, 64, false},
                                        {"nlb", 12, 0, 16, true},
                                        {"piremap", 12, 25, 1, false},
                                        {"fua", 12, 30, 1, false}}};

using enum Direction;
using enum NsidUse;
using enum Announced;
constexpr auto kAdmin = CommandSet::admin;
constexpr auto kNvm = CommandSet::nvm;

// Numbers are permanent. Rows that are not implemented yet are here because recordings and Identify pages
// name them.
constexpr std::array<CommandRow, 36> kRows{{
    {1, kAdmin, 0x00, "delete_sq", "Delete I/O Submission Queue", none, unused, mandatory, 0, 0, true,
     DataLength::none, kQueueId},
    {2, kAdmin, 0x01, "create_sq", "Create I/O Submission Queue", none, unused, mandatory, 0, 0, true,
     DataLength::none, kCreateSq},
    {3, kAdmin, 0x02, "get_log_page", "Get Log Page", to_host, depends, mandatory, 0, 0, true,
     DataLength::log_dwords, kGetLog},
    {4, kAdmin, 0x04, "delete_cq", "Delete I/O Completion Queue", none, unused, mandatory, 0, 0, true,
     DataLength::none, kQueueId},
    {5, kAdmin, 0x05, "create_cq", "Create I/O Completion Queue", none, unused, mandatory, 0, 0, true,
     DataLength::none, kCreateCq},
    {6, kAdmin, 0x06, "identify", "Identify", to_host, depends, mandatory, 0, 0, true, DataLength::page,
     kIdentify},
    {7, kAdmin, 0x08, "abort", "Abort", none, unused, mandatory, 0, 0, true, DataLength::none, kAbort},
    {8, kAdmin, 0x09, "set_features", "Set Features", to_controller, depends, mandatory, 0,
     effect::controller_capability, true, DataLength::feature, kSetFeatures},
    {9, kAdmin, 0x0A, "get_features", "Get Features", to_host, depends, mandatory, 0, 0, true,
     DataLength::feature, kGetFeatures},
    {10,
     kAdmin,
     0x0C,
     "async_event_request",
     "Asynchronous Event Request",
     none,
     unused,
     mandatory,
     0,
     0,
     true,
     DataLength::none,
     {}},
    {11, kAdmin, 0x0D, "ns_management", "Namespace Management", to_controller, depends, oacs, 3,
     effect::ns_inventory, true, DataLength::create_page, kNsManagement},
    {12, kAdmin, 0x10, "firmware_commit", "Firmware Commit", none, unused, oacs, 2,
     effect::controller_capability, true, DataLength::none, kCommit},
    {13, kAdmin, 0x11, "firmware_download", "Firmware Image Download", to_controller, unused, oacs, 2, 0,
     true, DataLength::dwords_cdw10, kDownload},
    {14, kAdmin, 0x14, "self_test", "Device Self-test", none, depends, oacs, 4, 0, true, DataLength::none,
     kSelfTest},
    {15, kAdmin, 0x15, "ns_attachment", "Namespace Attachment", to_controller, required, oacs, 3,
     effect::ns_inventory, true, DataLength::page, kSelect},
    {16, kAdmin, 0x18, "keep_alive", "Keep Alive", none, unused, kas, 0, 0, true, DataLength::none, {}},
    {17,
     kAdmin,
     0x7C,
     "doorbell_buffer_config",
     "Doorbell Buffer Config",
     none,
     unused,
     oacs,
     8,
     0,
     true,
     DataLength::none,
     {}},
    {18, kAdmin, 0x80, "format", "Format NVM", none, depends, oacs, 1,
     effect::block_content | effect::ns_capability, true, DataLength::none, kFormat},
    {19, kAdmin, 0x84, "sanitize", "Sanitize", none, unused, sanicap, 0, effect::block_content, true,
     DataLength::none, kSanitize},
    {20, kAdmin, 0x86, "get_lba_status", "Get LBA Status", to_host, required, oacs, 9, 0, true,
     DataLength::dwords_cdw12, kLbaStatus},
    {21, kNvm, 0x00, "flush", "Flush", none, required, mandatory, 0, 0, true, DataLength::none, {}},
    {22, kNvm, 0x01, "write", "Write", to_controller, required, mandatory, 0, effect::block_content, true,
     DataLength::blocks, kRange},
    {23, kNvm, 0x02, "read", "Read", to_host, required, mandatory, 0, 0, true, DataLength::blocks, kRange},
    {24, kNvm, 0x04, "write_uncorrectable", "Write Uncorrectable", none, required, oncs, 1,
     effect::block_content, true, DataLength::none, kSpoiltRange},
    {25, kNvm, 0x05, "compare", "Compare", to_controller, required, oncs, 0, 0, true, DataLength::blocks,
     kRange},
    {26, kNvm, 0x08, "write_zeroes", "Write Zeroes", none, required, oncs, 3, effect::block_content, true,
     DataLength::none, kZeroes},
    {27, kNvm, 0x09, "dataset_management", "Dataset Management", to_controller, required, oncs, 2,
     effect::block_content, true, DataLength::ranges, kDataset},
    {28, kNvm, 0x0C, "verify", "Verify", none, required, oncs, 7, 0, true, DataLength::none, kRange},
    {29,
     kNvm,
     0x0D,
     "reservation_register",
     "Reservation Register",
     to_controller,
     required,
     oncs,
     5,
     0,
     false,
     DataLength::key_pair,
     {}},
    {30,
     kNvm,
     0x0E,
     "reservation_report",
     "Reservation Report",
     to_host,
     required,
     oncs,
     5,
     0,
     false,
     DataLength::dwords_cdw10,
     {}},
    {31,
     kNvm,
     0x11,
     "reservation_acquire",
     "Reservation Acquire",
     to_controller,
     required,
     oncs,
     5,
     0,
     false,
     DataLength::key_pair,
     {}},
    {32,
     kNvm,
     0x15,
     "reservation_release",
     "Reservation Release",
     to_controller,
     required,
     oncs,
     5,
     0,
     false,
     DataLength::key_pair,
     {}},
    {33, kNvm, 0x19, "copy", "Copy", to_controller, required, oncs, 8, effect::block_content, true,
     DataLength::copy_ranges, kCopy},
    {34, kNvm, 0x79, "zone_send", "Zone Management Send", to_controller, required, zoned, 0,
     effect::block_content, true, DataLength::zone_data, kZoneSend},
    {35, kNvm, 0x7A, "zone_receive", "Zone Management Receive", to_host, required, zoned, 0, 0, true,
     DataLength::dwords_cdw12, kZoneReceive},
    {36, kNvm, 0x7D, "zone_append", "Zone Append", to_controller, required, zoned, 0, effect::block_content,
     true, DataLength::blocks, kZoneAppend},
}};

// Opcode to row, built once by the compiler: dispatch is an index, never a search.
constexpr std::array<std::array<std::uint8_t, 256>, 2> index_by_opcode() {
  std::array<std::array<std::uint8_t, 256>, 2> index{};
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    index[static_cast<std::size_t>(kRows[i].set)][kRows[i].opcode] = static_cast<std::uint8_t>(i + 1);
  }
  return index;
}
constexpr auto kByOpcode = index_by_opcode();

}  // namespace

std::span<const CommandRow> commands() { return kRows; }

const CommandRow* find_command(CommandSet set, std::uint8_t opcode) {
  const auto slot = kByOpcode[static_cast<std::size_t>(set)][opcode];
  return slot == 0 ? nullptr : &kRows[slot - 1U];
}

const CommandRow* find_command(std::string_view name) {
  for (const auto& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const CommandRow* find_command_number(std::uint16_t number) {
  for (const auto& row : kRows) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

std::uint64_t data_bytes(const CommandRow& row, const SubmissionEntry& entry, std::uint32_t block_bytes) {
  switch (row.length) {
    case DataLength::none:
      return 0;
    case DataLength::page:
      return 4096;
    case DataLength::log_dwords:
      return ((std::uint64_t{entry.cdw11 & 0xFFFFU} << 16U | entry.cdw10 >> 16U) + 1) * 4;
    case DataLength::feature: {
      // SEL 3 of Get Features answers in the completion entry.
      const bool capabilities = row.direction == Direction::to_host && (entry.cdw10 >> 8U & 7U) == 3;
      if (capabilities) return 0;
      switch (static_cast<FeatureId>(entry.cdw10 & 0xFFU)) {
        case FeatureId::lba_range:
          return 4096;
        case FeatureId::autonomous_power:
          return 256;
        case FeatureId::timestamp:
          return 8;
        case FeatureId::host_behavior:
          return 512;
        default:
          return 0;
      }
    }
    case DataLength::create_page:
      return (entry.cdw10 & 0xFU) == 0 ? 4096 : 0;
    case DataLength::blocks:
      return std::uint64_t{entry.block_count()} * block_bytes;
    case DataLength::ranges:
      return (std::uint64_t{entry.cdw10 & 0xFFU} + 1) * 16;
    case DataLength::copy_ranges:  // the formats with odd numbers have room for longer tags
      return (std::uint64_t{entry.cdw12 & 0xFFU} + 1) * ((entry.cdw12 & 0x100U) != 0 ? 40 : 32);
    case DataLength::dwords_cdw10:
      return (std::uint64_t{entry.cdw10} + 1) * 4;
    case DataLength::dwords_cdw12:
      return (std::uint64_t{entry.cdw12} + 1) * 4;
    case DataLength::key_pair:
      return 16;
    case DataLength::zone_data:
      return (entry.cdw13 & 0xFFU) == 0x10 ? 64 : 0;
  }
  return 0;
}

std::uint64_t field_value(const SubmissionEntry& entry, const CommandField& field) {
  std::uint64_t word = entry.cdw(field.dword);
  if (field.lsb + field.bits > 32) word |= std::uint64_t{entry.cdw(field.dword + 1U)} << 32U;
  const std::uint64_t mask = field.bits >= 64 ? ~0ULL : (1ULL << field.bits) - 1;
  return ((word >> field.lsb) & mask) + (field.zero_based ? 1 : 0);
}

void set_field(SubmissionEntry& entry, const CommandField& field, std::uint64_t value) {
  if (field.zero_based) value -= 1;
  const std::uint64_t mask = field.bits >= 64 ? ~0ULL : (1ULL << field.bits) - 1;
  std::uint64_t word = entry.cdw(field.dword);
  const bool wide = field.lsb + field.bits > 32;
  if (wide) word |= std::uint64_t{entry.cdw(field.dword + 1U)} << 32U;
  word = (word & ~(mask << field.lsb)) | (value & mask) << field.lsb;
  entry.set_cdw(field.dword, static_cast<std::uint32_t>(word));
  if (wide) entry.set_cdw(field.dword + 1U, static_cast<std::uint32_t>(word >> 32U));
}

}  // namespace polypath::spec
