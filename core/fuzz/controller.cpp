// The fuzz target `controller`: any register access, any queue, every command of the table with any operand
// and any data pointer, and every reset, on 1 to 4 controllers of raw drivers. Where `attach` asks for what
// drivers ask for, this one asks for what they should not.
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "engine/random.h"
#include "fuzz/move_steps.h"
#include "fuzz/target.h"
#include "spec/commands.h"
#include "spec/registers.h"

namespace polypath::fuzz {
namespace {

using program::Field;
using program::Form;
using program::Step;
using program::StepKind;
using program::Value;

enum class What : std::uint8_t {
  write_then_read,
  look,
  io_command,
  admin_command,
  any_opcode,
  placed,
  identify,
  log,
  feature,
  create_ns,
  attachment,
  event_request,
  abort,
  create_cq,
  create_sq,
  delete_queue,
  queue_pair,
  burst,
  register_read,
  register_write,
  configuration,
  reset,
  enable,
  disable,
  shutdown,
  doorbell,
  mask,
  reap,
  pause,
};

// The weights of kinds. Places are part of stored inputs: append only, in whole multiples.
constexpr std::array kKinds{What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::any_opcode,
                            What::placed,
                            What::identify,
                            What::log,
                            What::feature,
                            What::create_ns,
                            What::attachment,
                            What::event_request,
                            What::abort,
                            What::create_cq,
                            What::create_sq,
                            What::delete_queue,
                            What::queue_pair,
                            What::burst,
                            What::register_read,
                            What::register_write,
                            What::configuration,
                            What::reset,
                            What::enable,
                            What::disable,
                            What::shutdown,
                            What::doorbell,
                            What::mask,
                            What::reap,
                            What::pause,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::placed,
                            What::identify,
                            What::log,
                            What::feature,
                            What::create_ns,
                            What::attachment,
                            What::abort,
                            What::create_cq,
                            What::create_sq,
                            What::queue_pair,
                            What::burst,
                            What::register_read,
                            What::register_write,
                            What::reset,
                            What::pause,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::placed,
                            What::identify,
                            What::log,
                            What::feature,
                            What::attachment,
                            What::reset,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::identify,
                            What::log,
                            What::feature,
                            What::attachment,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::feature,
                            What::write_then_read,
                            What::io_command,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::any_opcode,
                            What::placed,
                            What::identify,
                            What::log,
                            What::feature,
                            What::create_ns,
                            What::attachment,
                            What::event_request,
                            What::abort,
                            What::create_cq,
                            What::create_sq,
                            What::delete_queue,
                            What::queue_pair,
                            What::burst,
                            What::register_read,
                            What::register_write,
                            What::configuration,
                            What::reset,
                            What::enable,
                            What::disable,
                            What::shutdown,
                            What::doorbell,
                            What::mask,
                            What::reap,
                            What::pause,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::placed,
                            What::identify,
                            What::log,
                            What::feature,
                            What::create_ns,
                            What::attachment,
                            What::abort,
                            What::create_cq,
                            What::create_sq,
                            What::queue_pair,
                            What::burst,
                            What::register_read,
                            What::register_write,
                            What::reset,
                            What::pause,
                            What::write_then_read,
                            What::look,
                            What::io_command,
                            What::admin_command,
                            What::placed,
                            What::identify,
                            What::log};
static_assert(kKinds.size() == 128);

// What operands of commands usually are. Everything else comes from kOdd.
struct Usual {
  std::string_view field;
  std::array<std::uint32_t, 16> values;
};
constexpr std::array<Usual, 22> kUsual{{
    {"slba", {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 127, 255, 2040, 2047}},
    {"sdlba", {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 127, 255, 2040, 2047}},
    {"nlb", {1, 1, 1, 2, 2, 3, 4, 4, 5, 8, 8, 9, 16, 33, 128, 65536}},
    {"nr", {1, 1, 1, 1, 2, 2, 3, 4, 8, 16, 64, 128, 255, 256, 1, 2}},
    {"fid", {1, 2, 4, 5, 6, 7, 8, 9, 0x0A, 0x0B, 0x0E, 0x0F, 0x10, 0x16, 0x80, 3}},
    {"lid", {0, 1, 2, 3, 4, 5, 6, 0x0C, 0x12, 0x13, 7, 8, 9, 0x0D, 0x81, 0x70}},
    {"cns", {0, 1, 2, 3, 5, 6, 7, 8, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x1A, 0x1C}},
    {"cntid", {0, 0, 0, 0, 1, 1, 2, 3, 4, 0xFFFF, 0xFFFE, 7, 0, 0, 1, 2}},
    {"sel", {0, 0, 0, 1, 1, 1, 2, 3, 0, 1, 0, 1, 4, 7, 0, 1}},
    {"ses", {0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0, 0, 3, 7}},
    {"lbafl", {0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 2, 3, 0, 15}},
    {"stc", {1, 1, 1, 2, 2, 2, 0xF, 0xF, 0xF, 0, 3, 0xE, 1, 2, 1, 2}},
    {"numdl", {0, 1, 3, 15, 127, 127, 255, 1023, 1023, 1023, 2047, 63, 31, 0xFFFF, 139, 7}},
    {"lpo", {0, 0, 0, 0, 0, 0, 0, 0, 4, 64, 512, 1024, 4096, 2, 0, 0}},
    {"qid", {1, 1, 1, 2, 2, 2, 3, 3, 4, 0, 5, 8, 9, 64, 0xFFFF, 1}},
    {"qsize", {2, 2, 3, 4, 5, 8, 8, 16, 16, 17, 32, 64, 1, 2048, 2049, 65536}},
    {"cqid", {1, 1, 1, 2, 2, 2, 3, 3, 4, 0, 5, 8, 9, 64, 0xFFFF, 1}},
    {"iv", {0, 1, 1, 2, 2, 3, 3, 0, 1, 2, 3, 4, 5, 64, 0xFFFF, 0}},
    {"pc", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1}},
    {"sqid", {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 5, 0xFFFF, 0, 1, 2}},
    {"cid", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xFFFF, 0xFFFE, 0}},
    {"value",
     {0, 1, 2, 3, 4, 7, 0x100, 0x101, 0xFF, 0xFFFF, 0x10001, 0x30003, 0x140, 0x1013F, 0x8000, 0x200}},
}};

std::uint64_t odd(std::uint8_t code) {
  const unsigned bit = code & 0x3FU;
  switch (code >> 6U & 3U) {
    case 0:
      return std::uint64_t{1} << bit;
    case 1:
      return (std::uint64_t{1} << bit) - 1;
    case 2:
      return ~std::uint64_t{0} - bit;
    default:
      return bit;
  }
}

// An operand: one in eight bytes stands for something odd, the others for what drivers use.
std::uint64_t operand(std::string_view name, std::uint8_t code) {
  if ((code & 0xE0U) == 0xE0U) return odd(static_cast<std::uint8_t>(code * 37U));
  for (const Usual& usual : kUsual) {
    if (usual.field == name) return usual.values[code & 15U];
  }
  return code < 0xC0 ? 0 : code < 0xD0 ? 1 : code & 7U;  // flags and small numbers
}

void put_le(std::string& bytes, std::size_t at, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> 8U * i);
}

Value data_of(std::string&& bytes) { return {Form::literal, 0, std::move(bytes), {}}; }

/// Hosts of a shape whose namespaces have metadata: what it says of them has no other meaning here.
constexpr std::uint8_t kMetadataWorld = 3;

class Writer : private MoveSteps {
 public:
  Writer(const Input& input, std::vector<Step>& steps) : MoveSteps(input.shape, steps) {
    for (unsigned k = 0; k < shape_.controllers; ++k) enabled_[k] = true;
  }

  void write(const Move& move) {
    begin(move);
    const Move& m = move;
    const What what = kKinds[m.what % kKinds.size()];
    if (what <= What::burst && (m.salt & 0x1CU) != 0x1CU) ready();
    switch (what) {
      case What::write_then_read:
        range(controller_, 0x01);
        range(peer_, (m.w & 8U) != 0 ? 0x05 : 0x02);
        break;
      case What::io_command:
        table_command(spec::CommandSet::nvm);
        break;
      case What::admin_command:
        table_command(spec::CommandSet::admin);
        break;
      case What::any_opcode: {
        const bool admin_set = (m.w & 1U) != 0;
        Step& step = on(admin_set ? StepKind::admin : StepKind::io, controller_);
        // Queues have kinds of their own; a request for events is answered when there is one.
        put(step, Field::opcode, admin_set && m.x < 0x06 ? m.x | 0x80U : m.x);
        if (admin_set && m.x == 0x0C) step.nowait = true;
        put(step, Field::nsid, ns());
        put(step, Field::cdw10, m.y);
        put(step, Field::cdw12, m.z & 7U);
        if ((m.w & 0xE0U) == 0xE0U) put(step, Field::flags, std::uint64_t{m.w} << 3U & 0xFFU);
        break;
      }
      case What::placed:
        placed();
        break;
      case What::identify:
        chosen(0x06);
        break;
      case What::log:
        log();
        break;
      case What::look:
        look();
        break;
      case What::feature:
        chosen((m.w & 1U) != 0 ? 0x09 : 0x0A);
        break;
      case What::create_ns:
        create_ns();
        break;
      case What::attachment:
        attachment();
        break;
      case What::event_request:
        admin(controller_, 0x0C).nowait = true;
        break;
      case What::abort:
        chosen(0x08);
        break;
      case What::create_cq:
      case What::create_sq:
        create_queue(what == What::create_cq);
        break;
      case What::delete_queue:
        put(admin(controller_, (m.x & 1U) != 0 ? 0x04 : 0x00), Field::cdw10, operand("qid", m.y) & 0xFFFFU);
        break;
      case What::queue_pair: {
        Step& step =
            on((m.w & 1U) != 0 ? StepKind::delete_queue_pair : StepKind::create_queue_pair, controller_);
        put(step, Field::queue, 1U + (m.x & 3U));
        if (step.kind == StepKind::create_queue_pair) put(step, Field::depth, 2U + (m.y & 15U));
        break;
      }
      case What::burst:
        for (unsigned i = 0; i < 2U + (m.w & 7U); ++i) {
          range(i % 2 == 0 ? controller_ : peer_, (m.z >> (i & 7U) & 1U) != 0 ? 0x01 : 0x02);
          steps_.back().nowait = true;
        }
        break;
      case What::register_read:
      case What::register_write:
        register_access(what == What::register_write);
        break;
      case What::configuration:
        configuration();
        break;
      case What::reset:
        reset();
        break;
      case What::enable:
        if ((m.y & 3U) != 0) {
          enabled_[controller_] = false;
          ready();
        } else {
          put(on(StepKind::enable, controller_), Field::depth, 2U + (m.x & 31U));
          enabled_[controller_] = true;
        }
        break;
      case What::disable:
        on(StepKind::disable, controller_);
        enabled_[controller_] = false;
        break;
      case What::shutdown: {
        Step& step = on(StepKind::register_write, controller_);
        put(step, Field::offset, spec::reg::cc);
        put(step, Field::value, 0x00460001U | (m.x & 3U) << 14U);
        put(add(StepKind::wait), Field::duration, std::uint64_t{m.y + 1U} * 20'000U);
        put(on(StepKind::register_read, controller_), Field::offset, spec::reg::csts);
        break;
      }
      case What::doorbell: {
        // Of a queue that nobody made, or a value out of range. A value in range over entries that were not
        // written again would put old commands before the controller, and no rule says what a host may
        // expect.
        const bool nobody = (m.y & 1U) != 0;
        Step& step = on(StepKind::doorbell, controller_);
        put(step, Field::queue, (m.x & 3U) + (nobody ? 60U : 0U));
        put(step, Field::value, nobody ? m.y & 0x0FU : 0x8000U | m.y * 128U);
        if ((m.z & 1U) != 0) put(step, Field::cq, 1);
        break;
      }
      case What::mask: {
        Step& step = on(StepKind::mask_vector, controller_);
        put(step, Field::vector, m.x & 7U);
        if ((m.y & 1U) != 0) put(step, Field::masked, 0);
        break;
      }
      case What::reap:
        on(StepKind::reap, controller_);
        break;
      case What::pause:
        put(add(StepKind::wait), Field::duration,
            std::uint64_t{m.x + 1U} * ((m.y & 0x80U) != 0 ? 100'000U : 700U));
        break;
    }
  }

 private:
  // Most commands go to a controller that takes them.
  void ready() {
    if (enabled_[controller_]) return;
    put(on(StepKind::enable, controller_), Field::depth, 8);
    Step& pair = on(StepKind::create_queue_pair, controller_);
    put(pair, Field::queue, 1);
    put(pair, Field::depth, 4U + (move_->z & 7U));
    enabled_[controller_] = true;
  }

  // A read or write that a driver would send, perhaps over the end of the namespace.
  void range(unsigned controller, std::uint64_t opcode) {
    const Move& m = *move_;
    Step& step = on(StepKind::io, controller);
    put(step, Field::opcode, opcode);
    put(step, Field::nsid, ns());
    put(step, Field::lba, operand("slba", m.x));
    put(step, Field::blocks, 1U + (m.y & 7U));
    put(step, Field::queue, 1U + ((m.z & 3U) == 3U ? 1U : 0U));
    if (opcode != 0x02 && (m.z & 4U) != 0) put(step, Field::tag, Value{Form::literal, 0, "A", {}});
    if (shape_.hosts == kMetadataWorld) protection(step, opcode);
  }

  // Checks of protection information, the controller's own, tags that differ, and metadata that are wrong.
  void protection(Step& step, std::uint64_t opcode) {
    const Move& m = *move_;
    constexpr std::array<const char*, 5> kParts{"guard", "application", "reference", "storage", "metadata"};
    const std::uint32_t checks = m.salt >> 4U & 7U, action = m.w >> 6U == 3 ? 1 : 0, storage = m.w >> 5U & 1U;
    put(step, Field::cdw12, checks << 26U | action << 29U | storage << 24U);
    if ((m.w & 0x10U) != 0) put(step, Field::cdw15, m.w % 3 == 0 ? 0xFFFFU : 0xFFFF'0000U | m.w);
    if ((m.w & 0x0CU) == 0x0CU) put(step, Field::cdw14, m.x & 0x0FU);
    if (opcode != 0x02 && (m.salt & 7U) < kParts.size() && (m.w & 3U) == 0)
      put(step, Field::spoil, Value{Form::literal, 0, kParts[m.salt & 7U], {}});
  }

  // The operands of a row of the table: the move's bytes for the first three, then what the salt makes of
  // them.
  spec::SubmissionEntry entry_of(const spec::CommandRow& row, std::array<std::uint8_t, 3> first) const {
    spec::SubmissionEntry entry;
    engine::Random dice(std::uint64_t{move_->salt} << 8U | row.opcode, "operands");
    std::size_t k = 0;
    for (const spec::CommandField& field : row.fields) {
      const std::uint64_t more = move_->salt == 0 ? 0 : dice.next();
      const auto code = k < first.size() ? first[k] : static_cast<std::uint8_t>(more >> 56U);
      ++k;
      spec::set_field(entry, field, operand(field.name, code));
    }
    return entry;
  }

  Step& command(const spec::CommandRow& row, const spec::SubmissionEntry& entry) {
    const Move& m = *move_;
    Step& step = on(row.set == spec::CommandSet::admin ? StepKind::admin : StepKind::io, controller_);
    put(step, Field::opcode, row.opcode);
    const bool everywhere = row.set == spec::CommandSet::admin && (m.w & 3U) == 3U;
    if (everywhere) {
      put(step, Field::nsid, literal(0xFFFFFFFF));
    } else if (row.nsid != spec::NsidUse::unused || (m.w & 0x70U) == 0x70U) {
      put(step, Field::nsid, ns());
    }
    constexpr std::pair<Field, unsigned> kDwords[] = {{Field::cdw10, 10}, {Field::cdw11, 11},
                                                      {Field::cdw12, 12}, {Field::cdw13, 13},
                                                      {Field::cdw14, 14}, {Field::cdw15, 15}};
    for (const auto& [field, dword] : kDwords) {
      if (entry.cdw(dword) != 0) put(step, field, entry.cdw(dword));
    }
    return step;
  }

  void table_command(spec::CommandSet set) {
    const Move& m = *move_;
    // Rows of the set, the queue commands and requests for events apart.
    std::array<const spec::CommandRow*, 64> rows{};
    std::size_t count = 0;
    for (const spec::CommandRow& row : spec::commands()) {
      const bool own_kind = set == spec::CommandSet::admin && (row.opcode <= 0x05 || row.opcode == 0x0C);
      if (row.set == set && !own_kind && count < rows.size()) rows[count++] = &row;
    }
    const spec::CommandRow& row = *rows[m.x % count];
    const spec::SubmissionEntry entry = entry_of(row, {m.y, m.z, m.w});
    Step& step = command(row, entry);
    if (row.length == spec::DataLength::ranges || row.length == spec::DataLength::copy_ranges) {
      put(step, Field::data, data_of(source_ranges(row.length)));
    }
    if (set == spec::CommandSet::nvm && (m.salt & 7U) == 7U) put(step, Field::queue, 2);
    if ((m.salt & 0xE0U) == 0xE0U) put(step, Field::flags, m.salt & 0xC3U);
  }

  // Ranges of Dataset Management (16 bytes) or Copy (32): three, then nothing.
  std::string source_ranges(spec::DataLength kind) const {
    const Move& m = *move_;
    const std::size_t width = kind == spec::DataLength::ranges ? 16 : 32;
    std::string bytes(3 * width, '\0');
    for (std::size_t i = 0; i < 3; ++i) {
      const std::uint64_t lba = operand("slba", static_cast<std::uint8_t>(m.z + 3 * i));
      const std::uint64_t blocks = m.y >> (2 * i) & 7U;
      if (kind == spec::DataLength::ranges) put_le(bytes, i * width + 4, blocks, 4);
      put_le(bytes, i * width + 8, lba, 8);
      if (kind != spec::DataLength::ranges) put_le(bytes, i * width + 16, blocks, 2);
    }
    return bytes;
  }

  // One command of the table, its first operands from x, y, z.
  void chosen(std::uint8_t opcode) {
    const Move& m = *move_;
    const spec::CommandRow& row = *spec::find_command(spec::CommandSet::admin, opcode);
    const spec::SubmissionEntry entry = entry_of(row, {m.x, m.y, m.z});
    Step& step = command(row, entry);
    if (opcode == 0x06 && (m.w & 0xC0U) == 0) {  // lists begin behind an NSID
      std::erase_if(step.operands, [](const program::Operand& o) { return o.field == Field::nsid; });
      put(step, Field::nsid, m.w >> 2U & 7U);
    }
    if (opcode == 0x09) {
      std::string data(16, '\0');
      put_le(data, 0, std::uint64_t{m.z} * 0x01010101U, 8);
      put(step, Field::data, data_of(std::move(data)));
    }
  }

  void log() {
    const Move& m = *move_;
    Step& step = admin(controller_, 0x02);
    if ((m.w & 3U) != 0) put(step, Field::nsid, (m.w & 3U) == 1U ? ns() : literal(0xFFFFFFFF));
    const std::uint64_t dwords = operand("numdl", m.y);
    const std::uint32_t retain = (m.w & 0x0CU) == 0x0CU ? 0x8000U : 0U;
    put(step, Field::cdw10, (operand("lid", m.x) & 0xFFU) | retain | (dwords & 0xFFFFU) << 16U);
    if (dwords > 0xFFFF) put(step, Field::cdw11, dwords >> 16U & 0xFFFFU);
    const std::uint64_t offset = operand("lpo", m.z);
    if (offset != 0) put(step, Field::cdw12, offset & 0xFFFFFFFFU);
    if (offset >> 32U != 0) put(step, Field::cdw13, offset >> 32U);
  }

  // What a driver finds out about its controller: an event is asked for and its log read, then some of
  // features, health, errors and namespaces.
  void look() {
    const Move& m = *move_;
    admin(controller_, 0x0C).nowait = true;
    const auto read_log = [&](unsigned lid, unsigned dwords) {
      Step& step = admin(controller_, 0x02);
      put(step, Field::nsid, 0xFFFFFFFF);
      put(step, Field::cdw10, lid | (dwords - 1) << 16U);
    };
    if ((m.w & 1U) != 0) read_log(0x04, 1024);
    if ((m.w & 2U) != 0) read_log(0x02, 128);
    if ((m.w & 4U) != 0) read_log(0x01, 64);
    if ((m.w & 8U) != 0)
      put(admin(controller_, 0x0A), Field::cdw10, (operand("fid", m.x) & 0xFFU) | (m.y & 3U) << 8U);
    if ((m.w & 16U) != 0) {
      Step& list = admin(controller_, 0x06);
      put(list, Field::cdw10, (m.z & 1U) != 0 ? 0x10U : 0x02U);
    }
    if ((m.w & 32U) != 0) put(admin(controller_, 0x06), Field::nsid, ns());
    if ((m.w & 64U) != 0) put(on(StepKind::register_read, controller_), Field::offset, spec::reg::csts);
  }

  // A command whose data pointer is what it is: offsets, lists, the queues of nobody, beyond the memory.
  void placed() {
    const Move& m = *move_;
    // Each controller has an area of its own: the model does not know which controllers share a memory.
    const std::uint64_t area = 0xA00000 + std::uint64_t{controller_} * 0x1000000;
    constexpr std::uint64_t kOffsets[] = {0,     0, 0, 4,     8, 0x200, 0xE00, 0xFFC,
                                          0xFF8, 2, 1, 0x800, 0, 0x100, 0,     0xC00};
    const bool read = (m.w & 1U) != 0, admin_set = (m.w & 6U) == 6U;
    Step& step = on(admin_set ? StepKind::admin : StepKind::io, controller_);
    put(step, Field::opcode, admin_set ? 0x06U : read ? 0x02U : 0x01U);
    put(step, Field::nsid, ns());
    if (admin_set) {
      put(step, Field::cdw10, m.z & 3U);
    } else {
      put(step, Field::lba, m.z & 15U);
      put(step, Field::blocks, 1U + (m.x & 0x1FU));
    }
    const std::uint64_t first = area + (m.y & 0xF0U) * 0x1000U + kOffsets[m.y & 15U];
    put(step, Field::prp1,
        (m.x & 0xE0U) == 0xE0U ? first + (std::uint64_t{1} << (32U + (m.y & 15U))) : first);
    const std::uint64_t second = area + 0x1000U * (m.z & 0xF0U) + 0x1000U + kOffsets[m.w >> 4U & 15U];
    if ((m.w & 8U) == 0) put(step, Field::prp2, second);
  }

  void create_ns() {
    const Move& m = *move_;
    Step& step = admin(controller_, 0x0D);
    put(step, Field::cdw10, 0);
    if ((m.w & 0xE0U) == 0xE0U) put(step, Field::cdw11, std::uint64_t{m.w & 3U} << 24U);
    std::string data(31, '\0');  // what is missing of the structure is zeros
    const std::uint64_t blocks = (m.x & 0xE0U) == 0xE0U ? odd(m.x) : std::uint64_t{8} << (m.x & 7U);
    put_le(data, 0, blocks, 8);
    put_le(data, 8, (m.y & 0xC0U) == 0xC0U ? blocks / 2 : blocks, 8);
    data[26] = static_cast<char>((m.z & 0xE0U) == 0xE0U ? m.z & 15U : m.z & 1U);  // FLBAS
    data[29] = static_cast<char>((m.y & 0x30U) == 0x30U ? m.y & 0xFU : 0U);       // DPS
    data[30] = static_cast<char>(m.w & 1U);                                       // NMIC
    put(step, Field::data, data_of(std::move(data)));
  }

  void attachment() {
    const Move& m = *move_;
    Step& step = admin(controller_, 0x15);
    put(step, Field::nsid, ns());
    put(step, Field::cdw10, (m.x & 0xE0U) == 0xE0U ? m.x & 15U : m.x & 1U);
    const unsigned count = m.y & 3U;
    std::string data(2 + 2 * count, '\0');
    put_le(data, 0, (m.z & 0xE0U) == 0xE0U ? odd(m.z) & 0xFFFFU : count, 2);
    for (unsigned i = 0; i < count; ++i) {
      const unsigned id = m.w >> i & 7U;
      put_le(data, 2 + 2 * i, id < 6 ? id % shape_.controllers : id * 31U, 2);
    }
    put(step, Field::data, data_of(std::move(data)));
  }

  void create_queue(bool completion) {
    const Move& m = *move_;
    const spec::CommandRow& row = *spec::find_command(spec::CommandSet::admin, completion ? 0x05 : 0x01);
    spec::SubmissionEntry entry = entry_of(row, {m.x, m.y, 0});
    // Of a Completion Queue the interrupts, of a Submission Queue its Completion Queue.
    entry.cdw11 = (entry.cdw11 & 0xFFFFU) |
                  static_cast<std::uint32_t>(operand(completion ? "iv" : "cqid", m.z) & 0xFFFFU) << 16U;
    Step& step = command(row, entry);
    const std::uint64_t offset = (m.w & 0xC0U) == 0xC0U ? m.w & 0x3FU : 0;
    put(step, Field::prp1,
        0x900000U + std::uint64_t{m.w & 7U} * 0x4000U + (completion ? 0x2000U : 0U) + offset);
  }

  void register_access(bool write) {
    const Move& m = *move_;
    constexpr std::uint16_t kOffsets[] = {
        0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28,  0x2C,  0x30,  0x34,  0x38, 0x3C,
        0x40, 0x44, 0x48, 0x50, 0x58, 0x5C, 0x60, 0x64, 0x68, 0x6C, 0xE00, 0xE04, 0xE14, 0xFFC, 0x02, 0x15};
    std::uint16_t offset = kOffsets[m.x & 31U];
    // Writes of CC are `configuration`, `enable`, `disable` and `shutdown`; of NSSR, `reset`.
    if (write && (offset == 0x14 || offset == 0x15 || offset == 0x20)) offset = spec::reg::csts;
    // The queues of an enabled controller lie where these registers say: a driver that moves them loses them.
    if (write && offset >= 0x24 && offset < 0x38 && enabled_[controller_]) offset = 0x38;
    Step& step = on(write ? StepKind::register_write : StepKind::register_read, controller_);
    put(step, Field::offset, offset);
    constexpr std::uint8_t kWidths[] = {4, 4, 4, 8, 4, 2, 1, 4};
    const std::uint8_t width = kWidths[m.y & 7U];
    if (write) {
      const std::uint64_t value = (m.z & 0x80U) != 0 ? odd(m.w) : m.w;
      put(step, Field::value, width == 8 ? value : value & 0xFFFFFFFFU);
    }
    if (width != 4) put(step, Field::bytes, width);
  }

  // CC as no driver should write it: one field other than the raw driver's, or EN in another order.
  void configuration() {
    const Move& m = *move_;
    constexpr std::uint8_t kFields[] = {4, 7, 11, 14, 16, 20, 24, 0};
    std::uint32_t value = 0x00460000U | ((m.x & 1U) != 0 ? 1U : 0U);
    value ^= std::uint32_t{m.y & 7U} << kFields[m.z & 7U];
    Step& step = on(StepKind::register_write, controller_);
    put(step, Field::offset, spec::reg::cc);
    put(step, Field::value, value);
    enabled_[controller_] = (value & 1U) != 0;
    if ((m.w & 3U) != 0) put(add(StepKind::wait), Field::duration, std::uint64_t{m.w} * 10'000U);
    put(on(StepKind::register_read, controller_), Field::offset,
        (m.w & 4U) != 0 ? spec::reg::csts : spec::reg::cc);
  }

  void reset() {
    const Move& m = *move_;
    constexpr StepKind kLevels[] = {StepKind::disable,        StepKind::flr,         StepKind::hot_reset,
                                    StepKind::register_write, StepKind::power_cycle, StepKind::fatal,
                                    StepKind::disable,        StepKind::flr};
    const StepKind kind = kLevels[m.x & 7U];
    const bool whole = kind == StepKind::register_write || kind == StepKind::power_cycle;
    Step& step = on(kind, controller_);
    if (kind == StepKind::register_write) {
      put(step, Field::offset, spec::reg::nssr);
      put(step, Field::value, (m.y & 15U) == 15U ? m.z : 0x4E564D65U);
    }
    for (unsigned k = 0; k < shape_.controllers; ++k) enabled_[k] = enabled_[k] && !whole && k != controller_;
    if ((m.y & 0x10U) != 0) put(add(StepKind::wait), Field::duration, 1'000'000U);
    if ((m.y & 0x20U) != 0) put(on(StepKind::register_read, peer_), Field::offset, spec::reg::csts);
    if ((m.z & 3U) == 0) return;
    for (unsigned k = 0; k < shape_.controllers; ++k) {
      if (!whole && k != controller_) continue;
      controller_ = k;
      ready();
    }
  }

  std::array<bool, 4> enabled_{};
};

program::Program prepared(const Shape& shape, const std::string& fault) {
  Shape raw = shape;
  raw.hosts = 0;  // every controller is a raw driver's
  program::Program program =
      prepared_program(raw, fault, shape.hosts == kMetadataWorld ? With::metadata : With::nothing);
  program.name = "controller";
  return program;
}

void append(const Input& input, std::vector<Step>& steps) {
  Writer writer(input, steps);
  for (const Move& move : input.moves) writer.write(move);
}

}  // namespace

const Target& controller_target() {
  static constexpr Target kTarget{"controller",
                                  "any register, queue, command, operand and reset of raw drivers", prepared,
                                  append, kKinds.size()};
  return kTarget;
}

}  // namespace polypath::fuzz
