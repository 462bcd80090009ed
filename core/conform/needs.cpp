#include "conform/needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace polypath::conform {
namespace {

enum class Where : std::uint8_t { cap, identify, capabilities, zoned, ns };

/// Bits of CAP (`at`: lowest bit), of a field of Identify Controller (`at`: byte), or of what a feature can.
struct NeedRow {
  std::string_view name, title;
  Where where;
  unsigned at, bytes;
  std::uint64_t mask;
};

constexpr std::array<NeedRow, 54> kNeeds{{
    {"weighted_round_robin", "CAP.AMS", Where::cap, 17, 8, 1},
    {"subsystem_reset", "CAP.NSSRS", Where::cap, 36, 8, 1},
    {"any_queue_memory", "CAP.CQR is 0", Where::cap, 16, 8, 0},
    {"subsystem_shutdown", "CAP.NSSS", Where::cap, 61, 8, 1},
    {"base_2", "VER 2.x", Where::identify, 82, 1, 0x02},
    {"several_controllers", "CMIC bit 1", Where::identify, 76, 1, 0x02},
    {"ana", "CMIC bit 3", Where::identify, 76, 1, 0x08},
    {"namespace_events", "OAES bit 8", Where::identify, 92, 4, 1U << 8U},
    {"firmware_events", "OAES bit 9", Where::identify, 92, 4, 1U << 9U},
    {"zone_events", "OAES bit 27", Where::identify, 92, 4, 1U << 27U},
    {"host_id_128", "CTRATT bit 0", Where::identify, 96, 4, 1},
    {"security", "OACS bit 0", Where::identify, 256, 2, 1U << 0U},
    {"format", "OACS bit 1", Where::identify, 256, 2, 1U << 1U},
    {"firmware", "OACS bit 2", Where::identify, 256, 2, 1U << 2U},
    {"firmware_image", "FRMW bits 3:1, several slots", Where::identify, 260, 1, 0x0C},
    {"firmware_at_once", "FRMW bit 4", Where::identify, 260, 1, 0x10},
    {"firmware_read_only", "FRMW bit 0", Where::identify, 260, 1, 0x01},
    {"namespace_management", "OACS bit 3", Where::identify, 256, 2, 1U << 3U},
    {"self_test", "OACS bit 4", Where::identify, 256, 2, 1U << 4U},
    {"directives", "OACS bit 5", Where::identify, 256, 2, 1U << 5U},
    {"doorbell_buffer", "OACS bit 8", Where::identify, 256, 2, 1U << 8U},
    {"lba_status", "OACS bit 9", Where::identify, 256, 2, 1U << 9U},
    {"smart_per_namespace", "LPA bit 0", Where::identify, 261, 1, 0x01},
    {"effects_log", "LPA bit 1", Where::identify, 261, 1, 0x02},
    {"log_offset", "LPA bit 2", Where::identify, 261, 1, 0x04},
    {"telemetry", "LPA bit 3", Where::identify, 261, 1, 0x08},
    {"supported_logs", "LPA bit 5", Where::identify, 261, 1, 0x20},
    {"capacity", "TNVMCAP", Where::identify, 280, 8, ~std::uint64_t{0}},
    {"keep_alive", "KAS", Where::identify, 320, 2, 0xFFFF},
    {"autonomous_power", "APSTA", Where::identify, 265, 1, 0x01},
    {"thermal_management", "HCTMA", Where::identify, 322, 2, 0x01},
    {"saved_features", "Temperature Threshold, SEL 3 bit 0", Where::capabilities, 0, 4, 0x01},
    {"zones", "the first namespace has zones", Where::zoned, 2816, 8, ~std::uint64_t{0}},
    {"protection", "DPS bits 2:0 of the first namespace", Where::ns, 29, 1, 0x07},
    {"eight_bytes_in_format_2", "LBAF2 of the first namespace, bit 3 of MS", Where::ns, 136, 1, 0x08},
    {"metadata_beside", "MC bit 1 of the first namespace", Where::ns, 27, 1, 0x02},
    {"long_guards", "OCFS bit 1", Where::identify, 534, 2, 0x02},
    {"sanitize", "SANICAP", Where::identify, 328, 4, 0x07},
    {"sanitize_config", "SANICAP bit 29", Where::identify, 328, 4, 1U << 29U},
    {"compare", "ONCS bit 0", Where::identify, 520, 2, 1U << 0U},
    {"write_uncorrectable", "ONCS bit 1", Where::identify, 520, 2, 1U << 1U},
    {"dataset_management", "ONCS bit 2", Where::identify, 520, 2, 1U << 2U},
    {"write_zeroes", "ONCS bit 3", Where::identify, 520, 2, 1U << 3U},
    {"save_select", "ONCS bit 4", Where::identify, 520, 2, 1U << 4U},
    {"timestamp", "ONCS bit 6", Where::identify, 520, 2, 1U << 6U},
    {"verify", "ONCS bit 7", Where::identify, 520, 2, 1U << 7U},
    {"copy", "ONCS bit 8", Where::identify, 520, 2, 1U << 8U},
    {"compare_and_write", "FUSES bit 0", Where::identify, 522, 2, 0x01},
    {"write_cache", "VWC bit 0", Where::identify, 525, 1, 0x01},
    {"write_protection", "NWPC bit 0", Where::identify, 531, 1, 0x01},
    {"lasting_protection", "NWPC bits 2:1", Where::identify, 531, 1, 0x06},
    {"sgl", "SGLS bits 1:0", Where::identify, 536, 4, 0x03},
    {"bit_bucket", "SGLS bit 16", Where::identify, 536, 4, 1U << 16U},
    {"long_sgl", "SGLS bit 18", Where::identify, 536, 4, 1U << 18U},
}};

std::string_view without_not(std::string_view need) { return need.starts_with('!') ? need.substr(1) : need; }

const NeedRow* find(std::string_view name) {
  const auto* at =
      std::find_if(kNeeds.begin(), kNeeds.end(), [&](const NeedRow& row) { return row.name == name; });
  return at == kNeeds.end() ? nullptr : at;
}

bool met(const NeedRow& row, const Announced& announced) {
  if (row.where == Where::cap) {
    const bool set = (announced.cap >> row.at & 1U) != 0;
    return row.mask == 0 ? !set : set;
  }
  if (row.where == Where::capabilities) return (announced.capabilities & row.mask) != 0;
  const auto& page = row.where == Where::zoned ? announced.zoned
                     : row.where == Where::ns  ? announced.ns
                                               : announced.identify;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < row.bytes && row.at + i < page.size(); ++i)
    value |= std::to_integer<std::uint64_t>(page[row.at + i]) << 8 * i;
  return (value & row.mask) != 0;
}

}  // namespace

bool known_need(std::string_view need) { return find(without_not(need)) != nullptr; }

std::vector<std::string_view> all_needs() {
  std::vector<std::string_view> out;
  for (const NeedRow& row : kNeeds) out.push_back(row.name);
  return out;
}

std::string unmet_need(const std::vector<std::string>& needs, const Announced& announced) {
  for (const std::string& need : needs) {
    const NeedRow* row = find(without_not(need));
    const bool negated = need.starts_with('!');
    if (met(*row, announced) != negated) continue;
    return fmt::format("{} is {}announced ({})", row->name, negated ? "" : "not ", row->title);
  }
  return "";
}

}  // namespace polypath::conform
