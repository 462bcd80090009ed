#include "fuzz/zoned.h"

#include <iterator>
#include <utility>

#include "fuzz/put.h"

namespace polypath::fuzz {
namespace {

using program::Field;
using program::Form;
using program::Operand;
using program::Step;
using program::Value;

enum class What : std::uint8_t {
  append,
  appends,
  write,
  zeroes,
  spoil,
  fill,
  read,
  send,
  send_all,
  report,
  extend,
  copy,
  race,
  look,
};

// What is listed twice comes twice as often. Places are part of stored inputs: append only, in whole
// multiples.
constexpr What kKinds[] = {
    What::append, What::append, What::appends, What::appends,  What::write,    What::write,  What::zeroes,
    What::spoil,  What::fill,   What::read,    What::read,     What::send,     What::send,   What::send,
    What::send,   What::send,   What::send,    What::send_all, What::send_all, What::report, What::report,
    What::report, What::report, What::extend,  What::extend,   What::copy,     What::race,   What::race,
    What::race,   What::look,   What::append,  What::report};
static_assert(std::size(kKinds) == 32);

constexpr std::uint64_t kWrite = 0x01, kRead = 0x02, kSpoil = 0x04, kZeroes = 0x08, kCopy = 0x19,
                        kSend = 0x79, kReceive = 0x7A, kAppend = 0x7D;
constexpr std::uint64_t kReset = 4, kAll = 0x100;

class ZoneWriter {
 public:
  ZoneWriter(const Move& move, unsigned controller, unsigned peer, ZoneProgress& progress, const AddIo& add,
             const AddWear& wear)
      : m_(move), controller_(controller), peer_(peer), progress_(progress), add_(add), wear_(wear) {}

  void write() {
    switch (kKinds[m_.what % std::size(kKinds)]) {
      case What::append:
        append(controller_, zone(), blocks());
        break;
      case What::appends:  // of both controllers, all under way at a time
        for (unsigned i = 0; i < 2U + (m_.y & 3U); ++i)
          append((m_.w >> i & 1U) != 0 ? peer_ : controller_, zone(), 1U + (m_.z >> i & 3U)).nowait = true;
        break;
      case What::write:
        data(kWrite, blocks());
        break;
      case What::zeroes:
        data(kZeroes, blocks());
        break;
      case What::spoil:
        data(kSpoil, blocks());
        break;
      case What::fill:
        data(kWrite, ZoneProgress::kCapacity - progress_.written[zone()]);
        break;
      case What::read: {
        Step& step = add_(controller_, kRead);
        put(step, Field::lba, zone() * std::uint64_t{ZoneProgress::kBlocks} + (m_.y & 31U));
        put(step, Field::blocks, 1U + (m_.z & 15U));
        break;
      }
      case What::send:
        send(controller_, zone(), action());
        break;
      case What::send_all:
        send(controller_, zone(), action() | kAll);
        break;
      case What::report:
        report((m_.w & 1U) != 0 ? peer_ : controller_);
        break;
      case What::extend:
        extend();
        break;
      case What::copy:
        copy();
        break;
      case What::race:  // a change of the zone among writes of it
        append(controller_, zone(), blocks()).nowait = true;
        send(peer_, zone(), (m_.w & 3U) == 0 ? action() | kAll : action()).nowait = (m_.w & 4U) != 0;
        append((m_.w & 8U) != 0 ? peer_ : controller_, zone(), 1U + (m_.z & 7U)).nowait = (m_.w & 16U) != 0;
        report((m_.w & 32U) != 0 ? peer_ : controller_);
        break;
      case What::look:
        if (m_.z >= 0xE0) put(wear_((m_.z & 1U) != 0), Field::lba, start() + (m_.y & 31U));
        report(controller_, true);
        report(peer_, true);
        break;
    }
  }

 private:
  unsigned zone() const { return m_.x % ZoneProgress::kZones; }
  unsigned blocks() const { return m_.y < 0xE0 ? 1U + (m_.y & 7U) : 1U + (m_.y & 31U); }
  std::uint64_t start() const { return zone() * std::uint64_t{ZoneProgress::kBlocks}; }

  Step& append(unsigned controller, unsigned zone, unsigned blocks) {
    Step& step = add_(controller, kAppend);
    const bool odd = m_.z == 0xFF;  // no start of a zone
    put(step, Field::lba, zone * std::uint64_t{ZoneProgress::kBlocks} + (odd ? 3U : 0U));
    put(step, Field::blocks, blocks);
    progress(blocks);
    return step;
  }
  void progress(unsigned blocks) {
    std::uint8_t& written = progress_.written[zone()];
    if (written + blocks <= ZoneProgress::kCapacity) written = static_cast<std::uint8_t>(written + blocks);
  }
  void data(std::uint64_t opcode, unsigned blocks) {
    if (blocks == 0) blocks = 1;
    const unsigned at = m_.z < 0xC0 ? progress_.written[zone()] : m_.z & 31U;
    Step& step = add_((m_.w & 1U) != 0 ? peer_ : controller_, opcode);
    put(step, Field::lba, start() + at);
    put(step, Field::blocks, blocks);
    if (m_.z < 0xC0) progress(blocks);
  }
  std::uint64_t action() const {
    constexpr std::uint8_t kActions[] = {1, 2, 3, 4, 3, 4, 1, 3, 4, 2, 3, 4, 1, 5, 0x10, 0x11};
    return m_.z == 0xFE ? m_.y : kActions[m_.y & 15U];
  }
  Step& send(unsigned controller, unsigned zone, std::uint64_t cdw13) {
    Step& step = add_(controller, kSend);
    put(step, Field::lba, zone * std::uint64_t{ZoneProgress::kBlocks} + (m_.z == 0xFD ? 1U : 0U));
    put(step, Field::cdw13, cdw13);
    if ((cdw13 & 0xFFU) == kReset) {
      if ((cdw13 & kAll) != 0) progress_ = {};
      progress_.written[zone] = 0;
    }
    return step;
  }
  void report(unsigned controller, bool whole = false) {
    constexpr std::uint8_t kFilters[] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 0, 8};
    Step& step = add_(controller, kReceive);
    put(step, Field::lba, whole ? 0 : start());
    put(step, Field::cdw12, whole || (m_.w & 64U) != 0 ? 255U : 15U + m_.z);
    const std::uint64_t extended = (m_.z & 7U) == 7U ? 1 : 0;
    if (!whole)
      put(step, Field::cdw13, extended | std::uint64_t{kFilters[m_.y & 15U]} << 8U | (m_.y & 16U) << 12U);
  }
  void extend() {
    Step& step = send(controller_, zone(), 0x10);
    put(step, Field::data, {Form::literal, 0, std::string(64, static_cast<char>('a' + (m_.y & 7U))), {}});
    if ((m_.w & 2U) != 0) report(peer_, true);
  }
  // One or two sources of another zone, or of the same.
  void copy() {
    const unsigned count = 1U + (m_.w & 1U);
    std::string list(std::size_t{32} * count, '\0');
    for (unsigned i = 0; i < count; ++i) {
      list[32 * i + 8] = static_cast<char>((m_.z & 7U) * ZoneProgress::kBlocks + (m_.w >> 3U & 7U));
      list[32 * i + 16] = static_cast<char>(m_.y & 3U);
    }
    const std::uint8_t written = progress_.written[zone()];
    Step& step = add_(controller_, kCopy);
    put(step, Field::lba, start() + written);
    put(step, Field::cdw12, count - 1);
    put(step, Field::data, {Form::literal, 0, std::move(list), {}});
    progress(count * (1U + (m_.y & 3U)));
  }

  const Move& m_;
  unsigned controller_, peer_;
  ZoneProgress& progress_;
  const AddIo& add_;
  const AddWear& wear_;
};

}  // namespace

void write_zone_move(const Move& move, unsigned controller, unsigned peer, ZoneProgress& progress,
                     const AddIo& add, const AddWear& wear) {
  ZoneWriter(move, controller, peer, progress, add, wear).write();
}

std::string zone_words(const Shape& shape, unsigned number) {
  if (number % 3U == 2U) return {};
  std::string words = ",size=128KiB,zoned=on,zoned.zone_size=16KiB,zoned.zone_capacity=12KiB";
  switch ((shape.pattern + number) % 4U) {
    case 0:
      return words + ",zoned.max_active=3,zoned.max_open=2,zoned.descr_ext_size=64";
    case 1:
      return words + ",zoned.cross_read=on";
    case 2:
      return words + ",zoned.max_active=2,zoned.max_open=1,zoned.descr_ext_size=64";
    default:
      return words + ",zoned.max_active=5,zoned.max_open=1";
  }
}

std::string zone_controller_words(const Shape& shape) {
  std::string words;
  if (shape.pattern == 3) words += ",zoned.auto_transition=off";
  if (shape.shallow) words += ",zoned.zasl=1";
  return words;
}

}  // namespace polypath::fuzz
