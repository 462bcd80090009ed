// The fuzz target `attach`: programs over 1 to 4 controllers and 1 to 6 namespaces that attach, detach,
// create, delete, reset, shut down, make and delete queues, and read and write meanwhile. And `zoned`: the
// same, with moves on zones between.
#include <algorithm>
#include <array>
#include <utility>

#include "fuzz/move_steps.h"
#include "fuzz/target.h"
#include "fuzz/world.h"
#include "fuzz/zoned.h"

namespace polypath::fuzz {
namespace {

using program::Field;
using program::Form;
using program::Operand;
using program::Step;
using program::StepKind;
using program::Value;

enum class What : std::uint8_t {
  write,
  read,
  write_then_read,
  compare,
  write_zeroes,
  flush,
  burst,
  attach,
  detach,
  attach_list,
  create_ns,
  successor,
  delete_ns,
  identify,
  changed_log,
  other_log,
  event_request,
  event_cycle,
  set_events,
  format,
  self_test,
  keep_alive,
  features,
  abort,
  reset_cycle,
  disable,
  enable,
  create_pair,
  delete_pair,
  create_queue,
  delete_queue,
  refill,
  shutdown,
  register_access,
  doorbell,
  mask,
  unmask,
  reap,
  pause,
  any_admin,
  any_io,
  host_write,
  host_read,
  host_other,
  host_reset,
  host_shutdown,
  host_rescan,
  host_policy,
  host_load,
  take,
  give,
};

// The weights of kinds: what is listed twice comes twice as often. Places are part of stored inputs: append
// only, in whole multiples.
constexpr std::array kKinds{What::write,
                            What::read,
                            What::write_then_read,
                            What::attach,
                            What::detach,
                            What::create_ns,
                            What::delete_ns,
                            What::identify,
                            What::changed_log,
                            What::event_request,
                            What::event_cycle,
                            What::abort,
                            What::reset_cycle,
                            What::create_pair,
                            What::delete_pair,
                            What::compare,
                            What::write_zeroes,
                            What::flush,
                            What::burst,
                            What::pause,
                            What::attach_list,
                            What::other_log,
                            What::set_events,
                            What::features,
                            What::disable,
                            What::enable,
                            What::create_queue,
                            What::delete_queue,
                            What::shutdown,
                            What::register_access,
                            What::doorbell,
                            What::mask,
                            What::unmask,
                            What::reap,
                            What::any_admin,
                            What::any_io,
                            What::host_write,
                            What::host_read,
                            What::host_other,
                            What::host_reset,
                            What::host_rescan,
                            What::host_shutdown,
                            What::host_policy,
                            What::host_load,
                            What::take,
                            What::give,
                            What::successor,
                            What::read,
                            What::write_then_read,
                            What::attach,
                            What::detach,
                            What::write,
                            What::read,
                            What::attach,
                            What::detach,
                            What::refill,
                            What::identify,
                            What::event_cycle,
                            What::burst,
                            What::write_zeroes,
                            What::compare,
                            What::changed_log,
                            What::delete_ns,
                            What::create_ns,
                            What::write,
                            What::read,
                            What::write_then_read,
                            What::format,
                            What::detach,
                            What::create_ns,
                            What::delete_ns,
                            What::identify,
                            What::changed_log,
                            What::self_test,
                            What::event_cycle,
                            What::abort,
                            What::reset_cycle,
                            What::create_pair,
                            What::delete_pair,
                            What::compare,
                            What::write_zeroes,
                            What::keep_alive,
                            What::burst,
                            What::pause,
                            What::attach_list,
                            What::other_log,
                            What::set_events,
                            What::features,
                            What::format,
                            What::enable,
                            What::create_queue,
                            What::delete_queue,
                            What::shutdown,
                            What::register_access,
                            What::doorbell,
                            What::mask,
                            What::unmask,
                            What::reap,
                            What::any_admin,
                            What::any_io,
                            What::host_write,
                            What::host_read,
                            What::host_other,
                            What::host_reset,
                            What::host_rescan,
                            What::host_shutdown,
                            What::host_policy,
                            What::self_test,
                            What::take,
                            What::give,
                            What::successor,
                            What::read,
                            What::write_then_read,
                            What::attach,
                            What::detach,
                            What::write,
                            What::read,
                            What::attach,
                            What::detach,
                            What::format,
                            What::identify,
                            What::event_cycle,
                            What::burst,
                            What::write_zeroes,
                            What::compare,
                            What::changed_log,
                            What::delete_ns,
                            What::create_ns};
static_assert(kKinds.size() == 128);

// Turns moves into steps. It follows roughly what each controller can do (enabled, its queues), so that most
// steps find what they ask for; where several actors interleave otherwise, a step finds nothing and passes.
class Writer : private MoveSteps {
 public:
  Writer(const Input& input, std::vector<Step>& steps, With zones)
      : MoveSteps(input.shape, steps), zones_(zones) {
    for (unsigned k = 0; k < shape_.controllers; ++k) {
      raw_[k] = owner_of(shape_, k) == Owner::raw;
      enabled_[k] = raw_[k];
      queues_[k] = raw_[k] ? 6 : 0;
    }
  }

  void write(const Move& move) {
    begin(move);
    if (zones_ == With::zones && (move.what & 0x80U) == 0 && raw_[controller_] && raw_[peer_]) {
      write_zones();
      return;
    }
    const What what = kKinds[move.what % kKinds.size()];
    if (what >= What::host_write) {
      write_host(what);
    } else if (what <= What::burst) {
      write_io(what);
    } else if (what <= What::delete_ns) {
      write_namespace(what);
    } else if (what <= What::features) {
      write_admin(what);
    } else {
      write_raw(what);
    }
  }

 private:
  void write_zones() {
    ready_queue(controller_, 1);
    ready_queue(peer_, 1);
    write_zone_move(
        *move_, controller_, peer_, progress_,
        [this](unsigned controller, std::uint64_t opcode) -> Step& {
          Step& step = on(StepKind::io, controller);
          put(step, Field::opcode, opcode);
          put(step, Field::nsid, ns());
          put(step, Field::queue, 1);
          return step;
        },
        [this](bool offline) -> Step& {
          Step& step = on(offline ? StepKind::zone_offline : StepKind::zone_read_only, controller_);
          put(step, Field::ns, ns());
          return step;
        });
    if ((move_->w & 0xE0U) != 0xE0U) return;
    Step& log = admin((move_->w & 1U) != 0 ? peer_ : controller_, 0x02);
    put(log, Field::nsid, ns());
    put(log, Field::cdw10, 0x03FF00BFU | ((move_->w & 2U) != 0 ? 0x8000U : 0U));
  }

  // A namespace operand that must be a number or a name everywhere: steps of applications know heads only.
  Value plain_ns() const { return named(kNamespaces[move_->ns % shape_.namespaces]); }

  std::uint64_t lba() const {
    const Move& m = *move_;
    if (m.x < 0xE0) return m.x & 15U;
    if (m.x < 0xF8) return (m.x & 0x10U ? 2040U : 248U) + (m.x & 15U);  // about the end of a namespace
    return m.x & 1U ? ~std::uint64_t{0} : std::uint64_t{1} << (m.y & 63U);
  }
  std::uint64_t blocks() const {
    const std::uint8_t y = move_->y;
    if (y < 0xC0) return (y & 3U) + 1U;
    if (y < 0xFC) return (y & 15U) + 1U;
    return y == 0xFF ? 1025U : 40U * (y & 3U) + 1U;  // more than MDTS allows; with a PRP list
  }

  void ready(unsigned controller) {
    if (!raw_[controller] || enabled_[controller]) return;
    Step& step = on(StepKind::enable, controller);
    put(step, Field::depth, 8);
    weighted_[controller] = (move_->salt & 7U) == 7U;
    if (weighted_[controller])
      put(step, Field::value, zones_ == With::zones ? 0x0046'0861U : 0x0046'0801U);  // CC.AMS
    enabled_[controller] = true;
    queues_[controller] = 0;
  }
  void ready_queue(unsigned controller, unsigned queue) {
    ready(controller);
    if ((queues_[controller] >> queue & 1U) != 0) return;
    Step& step = on(StepKind::create_queue_pair, controller);
    put(step, Field::queue, queue);
    put(step, Field::depth, 2U + (move_->z >> 4U));
    if (weighted_[controller]) put(step, Field::priority, queue & 3U);
    queues_[controller] |= static_cast<std::uint8_t>(1U << queue);
  }

  void io(unsigned controller, std::uint64_t opcode, bool ranged) {
    if (!raw_[controller]) {
      write_head(opcode, controller);
      return;
    }
    const unsigned queue = (move_->z & 3U) == 3U ? 2U : 1U;
    ready_queue(controller, queue);
    Step& step = on(StepKind::io, controller);
    put(step, Field::opcode, opcode);
    put(step, Field::nsid, ns());
    if (ranged) {
      put(step, Field::lba, lba());
      put(step, Field::blocks, blocks());
    }
    put(step, Field::queue, queue);
    if ((move_->z & 8U) != 0) put(step, Field::tag, Value{Form::literal, 0, "A", {}});
    if (ranged && (move_->z & 0x70U) == 0x70U) put_list(step);
  }

  // The data pointer as a Scatter Gather List: right, too short, too long, or wrong in its form. How long the
  // data are depends on the namespace, so that a list of fixed length may be any of these.
  void put_list(Step& step) {
    constexpr const char* kLists[] = {"block 32768",
                                      "block 4096",
                                      "block 512",
                                      "block 100, block 412, block 32768",
                                      "shift 3, block 1000, segment, block 24, segment, block 32768",
                                      "block 512, bucket 512, block 32768",
                                      "bucket 700, block 324, bucket 4096",
                                      "segment, block 512, raw 0 0 0, segment, bucket 32768",
                                      "block 511",
                                      "block 256, raw 0x30 0x200000 16",
                                      "raw 0x30 0x200004 32",
                                      "block 16, raw 0x20 0x200000 16, block 16, segment, block 32768",
                                      "block 512, raw 0x50 0 512, block 32768",
                                      "block 512, segment, raw 0x20 0 0",
                                      "raw 0x40 0x200000 512",
                                      "raw 0 0xfffffffffffffe00 1024"};
    put(step, Field::sgl, Value{Form::literal, 0, kLists[move_->w & 15U], {}});
  }

  // Blocks are spoilt through one controller; the peer verifies them, or reads them, or the last of them.
  void spoil() {
    io(controller_, 0x04, true);
    if ((move_->w & 4U) != 0) {
      Step& step = admin(peer_, 0x86);
      put(step, Field::nsid, ns());
      put(step, Field::cdw10, (move_->w & 8U) != 0 ? lba() & 0xFFFFU : 0U);
      put(step, Field::cdw12, (move_->w & 0x10U) != 0 ? 5U : 127U);
      put(step, Field::cdw13, ((move_->w & 0x20U) != 0 ? 0x1000'0000U : 0x1100'0000U) | (move_->z & 0x3FU));
    }
    const std::uint64_t first = lba(), count = blocks();
    io(peer_, (move_->w & 1U) != 0 ? 0x0C : 0x02, true);
    if ((move_->w & 2U) == 0) return;
    for (Operand& operand : steps_.back().operands) {
      if (operand.field == Field::lba) operand.value.number = first + count - 1;
      if (operand.field == Field::blocks) operand.value.number = 1;
    }
  }

  // Compare and Write as a pair, perhaps with another pair on the peer at the same time, or without its
  // first.
  void fused(unsigned controller, bool whole, bool equal) {
    const unsigned queue = (move_->z & 3U) == 3U ? 2U : 1U;
    for (const std::uint64_t flags : {1U, 2U}) {
      if (flags == 1 && !whole) continue;
      Step& step = on(StepKind::submit, controller);
      put(step, Field::queue, queue);
      put(step, Field::opcode, flags == 1 ? 0x05 : 0x01);
      put(step, Field::flags, flags);
      put(step, Field::nsid, ns());
      put(step, Field::lba, lba());
      put(step, Field::blocks, 1 + (move_->y & 1U));
      put(step, Field::tag, Value{Form::literal, 0, flags == 2 ? "B" : equal ? "A" : "C", {}});
      if (flags == 1) put(step, Field::ring, 0);
    }
  }
  void fused_story() {
    const Move& m = *move_;
    io(controller_, 0x01, true);
    steps_.back().nowait = false;
    for (Operand& operand : steps_.back().operands) {
      if (operand.field == Field::blocks) operand.value.number = 1 + (m.y & 1U);
      if (operand.field == Field::tag) operand.value.text = "A";
    }
    if (steps_.back().find(Field::tag) == nullptr)
      put(steps_.back(), Field::tag, Value{Form::literal, 0, "A", {}});
    ready_queue(peer_, (m.z & 3U) == 3U ? 2U : 1U);
    fused(controller_, (m.w & 4U) == 0, (m.w & 1U) == 0);
    if ((m.w & 2U) != 0) fused(peer_, true, true);
    put(add(StepKind::wait), Field::duration, 100'000U);
    on(StepKind::reap, controller_);
    on(StepKind::reap, peer_);
    io(peer_, 0x02, true);
  }

  // Blocks are written and some of them, or all, deallocated; the peer reads what is left.
  void deallocate() {
    const Move& m = *move_;
    io(controller_, 0x01, true);
    const std::uint64_t first = lba(), count = blocks(),
                        length = (m.w & 1U) != 0 && count > 1 ? count - 1 : count;
    std::string range(16, '\0');
    for (unsigned i = 0; i < 4; ++i) range[4 + i] = static_cast<char>(length >> 8 * i);
    for (unsigned i = 0; i < 8; ++i) range[8 + i] = static_cast<char>(first >> 8 * i);
    Step& step = on(StepKind::io, controller_);
    put(step, Field::opcode, 0x09);
    put(step, Field::nsid, ns());
    put(step, Field::queue, (m.z & 3U) == 3U ? 2U : 1U);
    put(step, Field::cdw10, 0);
    put(step, Field::cdw11, (m.w & 2U) != 0 ? 3U : 4U);
    put(step, Field::data, Value{Form::literal, 0, std::move(range), {}});
    io(peer_, 0x02, true);
  }

  // Blocks are written, some of them in two parts copied elsewhere, and read there by the peer.
  void copy_blocks() {
    const Move& m = *move_;
    io(controller_, (m.w & 8U) != 0 ? 0x04 : 0x01, true);
    const std::uint64_t first = lba(), count = blocks(), to = first + ((m.w & 1U) != 0 ? 16 : 2);
    const unsigned sources = count > 1 && (m.w & 2U) != 0 ? 2 : 1;
    std::string list(32 * sources, '\0');
    std::uint64_t from = first;
    for (unsigned k = 0; k < sources; ++k) {
      const std::uint64_t length = sources == 1 ? count : k == 0 ? 1 : count - 1;
      for (unsigned i = 0; i < 8; ++i) list[32 * k + 8 + i] = static_cast<char>(from >> 8 * i);
      for (unsigned i = 0; i < 2; ++i) list[32 * k + 16 + i] = static_cast<char>((length - 1) >> 8 * i);
      from += length;
    }
    Step& step = on(StepKind::io, controller_);
    put(step, Field::opcode, 0x19);
    put(step, Field::nsid, ns());
    put(step, Field::queue, (m.z & 3U) == 3U ? 2U : 1U);
    put(step, Field::lba, to);
    put(step, Field::cdw12, sources - 1);
    put(step, Field::data, Value{Form::literal, 0, std::move(list), {}});
    io(peer_, 0x02, true);
    for (Operand& operand : steps_.back().operands) {
      if (operand.field == Field::lba) operand.value.number = to;
    }
  }

  bool all_raw() const {
    return std::find(raw_.begin(), raw_.begin() + shape_.controllers, false) ==
           raw_.begin() + shape_.controllers;
  }

  // Blocks are written, with FUA or not, flushed or followed by a shutdown or not; power is lost; the peer
  // reads.
  void lose_power() {
    const Move& m = *move_;
    io(controller_, 0x01, true);
    steps_.back().nowait = false;
    if ((m.w & 1U) != 0) {
      std::erase_if(steps_.back().operands, [](const Operand& o) { return o.field == Field::blocks; });
      put(steps_.back(), Field::cdw12, 0x4000'0000U | (blocks() - 1));
    }
    if ((m.w & 2U) != 0) io(controller_, 0x00, false);
    if ((m.w & 4U) != 0) {
      Step& shutdown = on(StepKind::register_write, controller_);
      put(shutdown, Field::offset, 0x14);
      put(shutdown, Field::value, 0x0046'4001U);
      put(add(StepKind::wait), Field::duration, 10'000'000U);
      put(on(StepKind::register_read, controller_), Field::offset, 0x1C);
    }
    on(StepKind::power_cycle, controller_);
    for (unsigned k = 0; k < shape_.controllers; ++k) forget_queues(k);
    io(peer_, 0x02, true);
  }

  void write_io(What what) {
    switch (what) {
      case What::write:
        io(controller_, 0x01, true);
        break;
      case What::read:
        io(controller_, 0x02, true);
        break;
      case What::write_then_read:
        io(controller_, 0x01, true);
        io(peer_, 0x02, true);
        break;
      case What::compare:
        if ((move_->w & 0xC0U) == 0xC0U && raw_[controller_] && raw_[peer_]) {
          spoil();
        } else if ((move_->w & 0xC0U) == 0x80U && raw_[controller_] && raw_[peer_]) {
          fused_story();
        } else {
          io(controller_, 0x05, true);
        }
        break;
      case What::write_zeroes:
        if ((move_->w & 0xC0U) == 0xC0U && raw_[controller_]) {
          deallocate();
          break;
        }
        if ((move_->w & 0xC0U) == 0x80U && raw_[controller_]) {
          copy_blocks();
          break;
        }
        io(controller_, 0x08, true);
        io(peer_, 0x02, true);
        break;
      case What::flush:
        if ((move_->w & 0xC0U) == 0xC0U && all_raw()) {
          lose_power();
          break;
        }
        io(controller_, 0x00, false);
        break;
      default:
        for (unsigned i = 0; i <= (move_->w & 7U); ++i) {
          io(controller_, (move_->w >> (i & 7U) & 1U) != 0 ? 0x01 : 0x02, true);
          if (raw_[controller_]) steps_.back().nowait = true;
        }
        break;
    }
  }

  void put_controllers(Step& step, unsigned mask) {
    Value list;
    for (unsigned k = 0; k < shape_.controllers; ++k) {
      if ((mask >> k & 1U) != 0) list.list.push_back(named(kControllers[k]));
    }
    put(step, Field::controllers, std::move(list));
  }

  void write_namespace(What what) {
    const Move& m = *move_;
    ready(controller_);
    switch (what) {
      case What::attach:
      case What::detach: {
        Step& step = add(what == What::attach ? StepKind::attach : StepKind::detach);
        put_name(step, Field::via, kControllers[controller_]);
        put(step, Field::ns, ns());
        const unsigned mask = m.x & ((1U << shape_.controllers) - 1U);
        put_controllers(step, mask == 0 ? 1U << peer_ : mask);
        break;
      }
      case What::attach_list: {  // lists that a driver would not send: empty, unsorted, doubled, unknown,
                                 // long
        Step& step = admin(controller_, 0x15);
        put(step, Field::nsid, ns());
        put(step, Field::cdw10, m.y & 3U);
        const unsigned count = m.z & 7U;
        std::string data(2 + 2 * count, '\0');  // what is missing of the list is zeros
        data[0] = static_cast<char>((m.z & 0x80U) != 0 ? 0xFF : count);
        for (unsigned i = 0; i < count; ++i) {
          const unsigned id = m.w >> i & 7U;
          data[2 + 2 * i] = static_cast<char>(id < 6 ? id % shape_.controllers : id * 31U);
        }
        put(step, Field::data, Value{Form::literal, 0, std::move(data), {}});
        break;
      }
      case What::create_ns:
        create_ns();
        break;
      case What::successor: {  // a namespace is deleted and another takes its NSID: nothing of it may show
        io(controller_, 0x01, true);
        delete_ns();
        create_ns();
        Step& step = add(StepKind::attach);
        put_name(step, Field::via, kControllers[controller_]);
        put(step, Field::ns, ns());
        put_controllers(step, 1U << controller_ | 1U << peer_);
        io(peer_, 0x02, true);
        break;
      }
      default:
        delete_ns();
        break;
    }
  }

  void create_ns() {
    const Move& m = *move_;
    Step& step = add(StepKind::create_ns);
    put_name(step, Field::via, kControllers[controller_]);
    put(step, Field::size, std::uint64_t{4096} << (m.x & 7U));
    if ((m.y & 3U) == 3U) put(step, Field::shared, 0);
    if ((m.z & 7U) == 7U) put(step, Field::block_size, 4096);
  }
  void delete_ns() {
    Step& step = add(StepKind::delete_ns);
    put_name(step, Field::via, kControllers[controller_]);
    put(step, Field::ns, ns());
  }

  void changed_log(bool keep) {
    Step& step = admin(controller_, 0x02);
    put(step, Field::nsid, 0xFFFFFFFF);
    put(step, Field::cdw10, 0x03FF0004U | (keep ? 0x8000U : 0U));
  }
  void request_event() {
    Step& step = admin(controller_, 0x0C);
    step.nowait = true;
  }

  void set_feature(std::uint64_t fid, bool save, std::uint64_t value) {
    Step& step = admin(controller_, 0x09);
    put(step, Field::cdw10, fid | (save ? 0x8000'0000U : 0U));
    put(step, Field::cdw11, value);
  }
  // A feature is saved or not, set again or lost by a reset, and asked for.
  void feature_story(std::uint64_t fid, bool whole) {
    const Move& m = *move_;
    const std::uint64_t value = fid == 0x0A ? m.z & 1U : m.z;
    // Its default, its saved value, and whether it can be saved say what a reset makes of it.
    if (whole || (m.w & 4U) != 0) {
      for (const std::uint64_t select : {0x300U, 0x100U, 0x200U}) {
        put(admin(controller_, 0x0A), Field::cdw10, fid | select);
      }
    }
    set_feature(fid, (m.y & 1U) != 0, value);
    if ((m.w & 1U) != 0) set_feature(fid, false, value ^ (fid == 0x0A ? 1U : 3U));
    if (whole || (m.w & 2U) != 0) {
      disable();
      ready(controller_);
    }
    put(admin(controller_, 0x0A), Field::cdw10, whole ? fid : fid | (m.y & 6U) << 7U);
  }

  // A timer runs; Keep Alive comes in time through its own controller or another one; the timer has run out,
  // or not.
  void keep_alive_story() {
    const Move& m = *move_;
    const std::uint64_t timeout = 100U << (m.y & 7U),
                        tenth = timeout * 100'000U;  // milliseconds, nanoseconds
    set_feature(0x0F, false, timeout);
    put(add(StepKind::wait), Field::duration, 8 * tenth);
    const unsigned other = (m.w & 1U) != 0 ? controller_ : peer_;
    if (raw_[other]) {
      ready(other);
      admin(other, 0x18);
    }
    put(add(StepKind::wait), Field::duration, 9 * tenth);
    put(on(StepKind::register_read, controller_), Field::offset, 0x1C);
    if ((m.w & 2U) != 0) admin(controller_, 0x18);
    disable();
  }

  // What a reset must leave in the error log and the health log: something fails before it and after it.
  void log_story() {
    const std::uint64_t lid = (move_->x & 1U) != 0 ? 0x02 : 0x01;
    const auto fail_and_look = [&](unsigned failures) {
      for (unsigned i = 0; i < failures; ++i) {  // attached already, or unknown: both go into the error log
        Step& step = add(StepKind::attach);
        put_name(step, Field::via, kControllers[controller_]);
        put(step, Field::ns, ns());
        put_controllers(step, 1U << controller_);
      }
      Step& step = admin(controller_, 0x02);
      put(step, Field::nsid, 0xFFFFFFFF);
      put(step, Field::cdw10, lid | 0x007F'0000U);
    };
    fail_and_look(1 + (move_->y & 3U));
    disable();
    ready(controller_);
    fail_and_look(1);
  }

  // An image comes in one piece or two, is committed to a slot and activated, by a reset or without one; the
  // peer looks.
  void firmware_story() {
    const Move& m = *move_;
    if ((m.w & 1U) != 0) {
      set_feature(0x0B, false, 0x300);
      request_event();
    }
    for (unsigned piece = 0; piece <= (m.x >> 7U); ++piece) {
      std::string image = (m.y & 0x70U) == 0 ? "none" : "PPFW";
      image += (m.y & 0x80U) == 0 ? '\0' : static_cast<char>(m.z & 3U);
      image += std::string("...F") + std::to_string(m.salt % 1000U);
      image.resize(16, ' ');
      image.resize(4096, '\0');
      Step& step = admin(controller_, 0x11);
      put(step, Field::cdw10, 1023);
      put(step, Field::cdw11, (m.z & 0x70U) == 0x70U ? 512U : 1024U * piece);
      put(step, Field::data, Value{Form::literal, 0, std::move(image), {}});
    }
    constexpr std::uint8_t kActions[] = {1, 3, 0, 1};
    const unsigned slot = m.x & 3U, action = (m.x & 0x70U) == 0x70U ? m.y & 7U : kActions[m.y & 3U];
    put(admin(controller_, 0x10), Field::cdw10, slot | action << 3U);
    if ((m.w & 2U) != 0) put(admin(peer_, 0x10), Field::cdw10, (slot == 0 ? 1U : slot) | 2U << 3U);
    put(admin(peer_, 0x02), Field::cdw10, 0x007F'0003U);
    if ((m.w & 4U) != 0) put(on(StepKind::register_read, peer_), Field::offset, 0x1C);
    if ((m.w & 8U) != 0) {
      on((m.w & 0x10U) == 0   ? StepKind::disable
         : (m.w & 0x20U) == 0 ? StepKind::flr
                              : StepKind::hot_reset,
         controller_)
          .nowait = false;
      forget_queues(controller_);
      ready(controller_);
    }
    for (const unsigned controller : {peer_, controller_}) {
      put(admin(controller, 0x06), Field::cdw10, 1);
      put(admin(controller, 0x02), Field::cdw10, 0x007F'0003U);
    }
  }

  // Something is written and the whole subsystem sanitized, from one path or from two; meanwhile and
  // afterwards the peer reads, asks, and is reset.
  void sanitize_story() {
    const Move& m = *move_;
    constexpr std::uint8_t kActions[] = {2, 3, 4, 4};
    io(controller_, 0x01, true);
    put(admin(peer_, 0x06), Field::nsid, ns());
    if ((m.w & 1U) != 0) request_event();
    if ((m.y & 8U) != 0) set_feature(0x17, false, m.z & 1U);
    const std::uint64_t flags =
        (m.x & 4U) << 1U | ((m.z & 3U) + 1U) << 4U | ((m.y & 0x10U) != 0 ? 0x200U : 0U);
    put(admin(controller_, 0x84), Field::cdw10, kActions[m.x & 3U] | flags);
    io(peer_, 0x02, true);
    const auto log = [&](unsigned controller, std::uint64_t retain) {
      put(admin(controller, 0x02), Field::cdw10, 0x007F'0081U | retain);
    };
    log(peer_, 0x8000U);
    if ((m.w & 4U) != 0) {
      on((m.w & 8U) != 0 ? StepKind::flr : StepKind::disable, controller_).nowait = false;
      forget_queues(controller_);
      ready(controller_);
    }
    if ((m.w & 0x10U) != 0) {
      on(StepKind::power_cycle, controller_);
      for (unsigned k = 0; k < shape_.controllers; ++k) forget_queues(k);
    }
    put(add(StepKind::wait), Field::duration, engine::kSecond / 2 * (1U + (m.y & 7U)));
    ready(peer_);
    log(peer_, 0x8000U);
    if ((m.y & 0x20U) != 0) put(admin(controller_, 0x84), Field::cdw10, 1);
    if ((m.y & 0x40U) != 0) {
      put(admin(peer_, 0x84), Field::cdw10, 4);
      put(add(StepKind::wait), Field::duration, 5 * engine::kSecond);
    }
    io(peer_, 0x02, true);
    io(controller_, 0x02, true);
    if ((m.w & 2U) != 0) log(controller_, 0);
  }

  // One path protects a namespace while another one writes to it, looks, and is reset; later it is freed.
  void protection_story() {
    const Move& m = *move_;
    constexpr std::uint8_t kStates[] = {1, 1, 2, 1, 1, 2, 3, 4};
    const auto protect = [&](unsigned controller, std::uint64_t state, bool all) {
      Step& step = admin(controller, 0x09);
      put(step, Field::nsid, all ? literal(0xFFFFFFFF) : ns());
      put(step, Field::cdw10, 0x84U);
      put(step, Field::cdw11, state);
    };
    constexpr std::uint8_t kWrites[] = {0x01, 0x08, 0x01, 0x04};
    if ((m.y & 1U) != 0) io(peer_, 0x01, true);
    protect(controller_, kStates[m.x & 7U], (m.x & 0x38U) == 0x38U);
    io(peer_, kWrites[m.y >> 1U & 3U], true);
    Step& look = admin(peer_, 0x0A);
    put(look, Field::nsid, ns());
    put(look, Field::cdw10, 0x84U | ((m.z & 0x70U) == 0 ? 0x300U : 0U));
    if ((m.y & 0x10U) != 0) put(admin(peer_, 0x06), Field::nsid, ns());
    if ((m.y & 0x20U) != 0) disable();
    ready(controller_);
    if ((m.y & 0x40U) != 0) lose_power();
    ready(peer_);
    io(peer_, kWrites[m.z >> 1U & 3U], true);
    io(controller_, 0x02, true);
    if ((m.y & 0x80U) == 0) protect((m.z & 8U) != 0 ? peer_ : controller_, 0, false);
    io(peer_, 0x01, true);
  }

  void write_admin(What what) {
    const Move& m = *move_;
    if (!raw_[controller_] && (what == What::event_request || what == What::event_cycle)) {
      what = What::changed_log;  // the host's driver has requests of its own
    }
    ready(controller_);
    switch (what) {
      case What::identify: {
        constexpr std::uint8_t kCns[] = {0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13,
                                         0x02, 0x10, 0x12, 0x13, 0x00, 0x01, 0x06, 0x08};
        Step& step = admin(controller_, 0x06);
        Value nsid = ns();
        constexpr std::uint8_t kRareCns[] = {0x07, 0x08, 0x1A, 0x1B};
        const std::uint8_t cns = (m.w & 0xC0U) == 0xC0U ? kRareCns[m.x & 3U] : kCns[m.x & 15U];
        const bool list = cns == 0x02 || cns == 0x10;
        if (list) nsid = literal((m.y & 1U) != 0 ? 0U : m.y >> 4U);
        if (cns != 0x01) put(step, Field::nsid, std::move(nsid));
        put(step, Field::cdw10, cns | (m.z & 3U) << 16U);
        break;
      }
      case What::changed_log:
        changed_log((m.x & 3U) == 0);
        break;
      case What::other_log: {
        if ((m.w & 0xC0U) == 0x80U && raw_[controller_]) {
          log_story();
          break;
        }
        if ((m.w & 0xC3U) == 0x41U) {  // telemetry: a capture, or the one of before, of one controller or two
          put(admin(controller_, 0x02), Field::cdw10, (m.x & 1U) != 0 ? 0x00FF'0107U : 0x007F'0107U);
          put(admin((m.y & 1U) != 0 ? peer_ : controller_, 0x02), Field::cdw10,
              0x007F'0000U | ((m.y & 2U) != 0 ? 0x08U : 0x07U) | ((m.y & 4U) != 0 ? 0x100U : 0U));
          break;
        }
        constexpr std::uint8_t kLogs[] = {1, 2, 3, 5, 1, 6, 4, 0xC}, kRareLogs[] = {0x00, 0x12, 0x13, 0x70};
        const std::uint8_t lid = (m.w & 3U) == 3U ? kRareLogs[m.x & 3U] : kLogs[m.x & 7U];
        Step& step = admin(controller_, 0x02);
        put(step, Field::nsid, (m.y & 1U) != 0 ? literal(0xFFFFFFFF) : ns());
        put(step, Field::cdw10, lid | (m.x & 8U) << 12U | std::uint64_t{m.z} << 16U);
        // From the middle of a log, its end, or behind it.
        if ((m.w & 0xC0U) == 0xC0U) put(step, Field::cdw12, (m.w & 0x3CU) * 256U);
        break;
      }
      case What::event_request:
        request_event();
        break;
      case What::event_cycle:  // what a driver does after a namespace event
        changed_log(false);
        request_event();
        break;
      case What::format: {
        if ((m.w & 0xC0U) == 0xC0U && all_raw()) {
          protection_story();
          break;
        }
        constexpr std::uint8_t kErase[] = {0, 0, 1, 2};
        Step& step = admin(controller_, 0x80);
        put(step, Field::nsid, ns());
        const unsigned index = m.x < 0xF0 ? m.x & 1U : m.x & 0xFU;
        put(step, Field::cdw10,
            index | unsigned{kErase[m.y & 3U]} << 9U | ((m.z & 31U) == 31U ? m.z & 0xF0U : 0U));
        // Drivers that saw no event ask again.
        if ((m.w & 1U) != 0) put(admin(peer_, 0x06), Field::nsid, ns());
        if ((m.w & 2U) != 0) put(admin(controller_, 0x06), Field::nsid, ns());
        break;
      }
      case What::self_test: {
        if ((m.w & 0xC0U) == 0xC0U && all_raw()) {
          sanitize_story();
          break;
        }
        if ((m.w & 0xC0U) == 0x80U && raw_[controller_]) {
          firmware_story();
          break;
        }
        constexpr std::uint8_t kCodes[] = {1, 2, 1, 2, 0xF, 0xF, 1, 0};
        Step& step = admin(controller_, 0x14);
        if ((m.y & 3U) == 3U) put(step, Field::nsid, ns());
        put(step, Field::cdw10, kCodes[m.x & 7U]);
        if ((m.y & 4U) != 0) put(admin(controller_, 0x02), Field::cdw10, 0x008C0006U);
        break;
      }
      case What::keep_alive:
        if ((m.w & 0x80U) != 0 && raw_[controller_]) {
          keep_alive_story();
          break;
        }
        if ((m.x & 3U) == 0 && raw_[controller_]) set_feature(0x0F, false, std::uint64_t{m.y} << (m.z & 7U));
        admin(controller_, 0x18);
        if ((m.w & 1U) != 0) put(on(StepKind::register_read, controller_), Field::offset, 0x1C);
        break;
      case What::set_events: {
        Step& step = admin(controller_, 0x09);
        put(step, Field::cdw10, 0x0BU);
        put(step, Field::cdw11, (m.x & 3U) == 0 ? 0U : 0x100U);
        break;
      }
      default: {
        constexpr std::uint8_t kFeatures[] = {0x0B, 0x07, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08,
                                              0x09, 0x0A, 0x0B, 0x07, 0x0F, 0x10, 0x80, 0x00};
        const bool set = (m.y & 1U) != 0;
        if ((m.w & 0xC0U) == 0xC0U && raw_[controller_]) {
          feature_story((m.x & 0x80U) != 0 ? 0x0A : kFeatures[m.x & 15U], (m.x & 0x40U) != 0);
          break;
        }
        Step& step = admin(controller_, set ? 0x09 : 0x0A);
        const std::uint64_t select = set ? std::uint64_t{m.y & 0x80U} << 24U : (m.y & 6U) << 7U;
        if ((m.w & 3U) == 3U) put(step, Field::nsid, ns());
        put(step, Field::cdw10, kFeatures[m.x & 15U] | select);
        if (set) put(step, Field::cdw11, m.z | std::uint64_t{m.w & 0x0FU} << 16U);
        break;
      }
    }
  }

  void forget_queues(unsigned controller) {
    enabled_[controller] = false;
    queues_[controller] = 0;
  }

  void disable() {
    on(StepKind::disable, controller_).nowait = false;
    forget_queues(controller_);
  }

  // A reset that no CC.EN asks for, and what a driver reads afterwards: AQA and CSTS. A reset of the whole
  // subsystem only where no host drives a part of it.
  void reset_from_outside() {
    const Move& m = *move_;
    constexpr StepKind kOf[] = {StepKind::flr, StepKind::hot_reset, StepKind::fatal,
                                StepKind::register_write};
    const StepKind kind = kOf[m.x & 3U];
    const bool subsystem = kind == StepKind::register_write;
    if (subsystem && !all_raw()) {
      on(StepKind::flr, controller_);
      forget_queues(controller_);
      return;
    }
    Step& step = on(kind, controller_);
    if (subsystem) {
      put(step, Field::offset, 0x20);
      put(step, Field::value, 0x4E564D65U);
      for (unsigned k = 0; k < shape_.controllers; ++k) forget_queues(k);
    } else {
      forget_queues(controller_);
    }
    if (kind == StepKind::fatal) {
      Step& pause = add(StepKind::wait);
      put(pause, Field::duration, 1'000'000U);
      if ((m.z & 1U) != 0) disable();
    }
    if ((m.z & 2U) != 0) put(on(StepKind::register_read, controller_), Field::offset, 0x24);
    for (unsigned k = 0; k < shape_.controllers; ++k) {
      if (k == controller_ || subsystem) put(on(StepKind::register_read, k), Field::offset, 0x1C);
    }
    if (subsystem && (m.z & 4U) != 0) {
      Step& clear = on(StepKind::register_write, controller_);
      put(clear, Field::offset, 0x1C);
      put(clear, Field::value, 0x10);
      put(on(StepKind::register_read, controller_), Field::offset, 0x1C);
    }
  }

  void write_raw(What what) {
    const Move& m = *move_;
    if (!raw_[controller_]) {  // a host's driver owns queues and registers: what it can be asked for instead
      write_host(what == What::reset_cycle || what == What::disable ? What::host_reset
                 : what == What::shutdown                           ? What::host_shutdown
                 : what == What::enable                             ? What::host_rescan
                                                                    : What::host_other);
      return;
    }
    if (what != What::enable && what != What::register_access) ready(controller_);
    const unsigned queue = 1U + m.x % 3U;
    switch (what) {
      case What::abort: {
        Step& step = admin(controller_, 0x08);
        put(step, Field::cdw10, (m.x & 3U) | std::uint64_t{m.y & 0x0FU} << 16U);
        break;
      }
      case What::reset_cycle:
        disable();
        ready_queue(controller_, 1);
        if (shape_.events && (m.x & 1U) != 0) {
          Step& step = admin(controller_, 0x09);
          put(step, Field::cdw10, 0x0BU);
          put(step, Field::cdw11, 0x100U);
          request_event();
        }
        break;
      case What::disable:
        disable();
        break;
      case What::enable:
        if (enabled_[controller_]) {
          put(on(StepKind::register_read, controller_), Field::offset, 0x1C);
        } else {
          ready(controller_);
        }
        break;
      case What::create_pair: {
        Step& step = on(StepKind::create_queue_pair, controller_);
        put(step, Field::queue, queue);
        put(step, Field::depth, 2U + (m.y & 15U));
        if (weighted_[controller_]) put(step, Field::priority, m.w & 3U);
        if ((m.z & 1U) != 0) put(step, Field::vector, m.z >> 4U);
        queues_[controller_] |= static_cast<std::uint8_t>(1U << queue);
        break;
      }
      case What::delete_pair:
        put(on(StepKind::delete_queue_pair, controller_), Field::queue, queue);
        queues_[controller_] &= static_cast<std::uint8_t>(~(1U << queue));
        break;
      case What::create_queue: {
        const bool completion = (m.x & 0x80U) != 0;
        Step& step = admin(controller_, completion ? 0x05 : 0x01);
        put(step, Field::cdw10, (m.y & 7U) | std::uint64_t{m.z & 0x1FU} << 16U);
        put(step, Field::cdw11,
            completion ? std::uint64_t{m.w & 0x0FU} << 16U | (m.w >> 4U & 3U)
                       : std::uint64_t{m.w & 7U} << 16U | (m.w >> 4U & 7U) | 1U);
        put(step, Field::prp1, 0x900000U + std::uint64_t{m.y & 7U} * 0x2000U + (completion ? 0x1000U : 0U));
        break;
      }
      case What::delete_queue: {
        Step& step = admin(controller_, (m.x & 0x80U) != 0 ? 0x04 : 0x00);
        put(step, Field::cdw10, m.y & 3U);
        break;
      }
      case What::refill:  // as many small commands as a queue has room for, so that it wraps
        for (unsigned i = 0; i < 4U + (m.w & 7U); ++i)
          io(controller_, (m.y & 1U) != 0 ? 0x02 : 0x00, (m.y & 1U) != 0);
        break;
      case What::shutdown: {
        Step& step = on(StepKind::register_write, controller_);
        put(step, Field::offset, 0x14);
        put(step, Field::value, 0x00460001U | ((m.x & 3U) == 3U ? 2U : 1U) << 14U);
        Step& pause = add(StepKind::wait);
        // Sometimes as long as a shutdown may take at most, and more.
        put(pause, Field::duration, (m.y & 3U) != 0 ? 1'000'000U + 1000U * m.y : 130 * engine::kSecond);
        put(on(StepKind::register_read, controller_), Field::offset, 0x1C);
        if ((m.y & 3U) != 0) disable();
        break;
      }
      case What::register_access: {
        if ((m.y & 0x3CU) == 0x3CU) {
          reset_from_outside();
          break;
        }
        constexpr std::uint16_t kOffsets[] = {0x00, 0x08, 0x14, 0x1C, 0x24, 0x28, 0x30, 0x20,
                                              0x0C, 0x10, 0x38, 0x3C, 0x68, 0x58, 0x04, 0x1C};
        const std::uint16_t offset = kOffsets[m.x & 15U];
        const bool write = (m.y & 0xC0U) == 0xC0U && offset != 0x14;
        Step& step = on(write ? StepKind::register_write : StepKind::register_read, controller_);
        put(step, Field::offset, offset);
        if (write) put(step, Field::value, offset == 0x20 ? 0x4E564D65U : m.z);
        if (offset == 0 || offset == 0x28 || offset == 0x30) put(step, Field::bytes, 8);
        break;
      }
      case What::doorbell: {
        Step& step = on(StepKind::doorbell, controller_);
        // Of a queue that nobody made, or out of range: what the standard has events for. A value in range
        // over entries that were not written again would put old commands before the controller, and no rule
        // says what a host may then expect.
        const bool nobody = (m.y & 1U) != 0;
        put(step, Field::queue, (m.x & 3U) + (nobody ? 60U : 0U));
        put(step, Field::value, nobody ? m.y & 0x0FU : 0x8000U | m.y * 128U);
        if ((m.z & 1U) != 0) put(step, Field::cq, 1);
        break;
      }
      case What::mask:
      case What::unmask: {
        Step& step = on(StepKind::mask_vector, controller_);
        put(step, Field::vector, m.x & 3U);
        if (what == What::unmask) {
          put(step, Field::masked, 0);
          on(StepKind::reap, controller_);
        }
        break;
      }
      case What::reap:
        on(StepKind::reap, controller_);
        break;
      case What::pause:
        put(add(StepKind::wait), Field::duration,
            std::uint64_t{m.x + 1U} * ((m.y & 0x80U) != 0 ? 20'000U : 500U));
        break;
      case What::any_io: {
        ready_queue(controller_, 1);
        Step& step = on(StepKind::io, controller_);
        put(step, Field::opcode, m.x);
        put(step, Field::nsid, ns());
        put(step, Field::cdw10, m.y & 0x0FU);
        put(step, Field::cdw12, m.z & 7U);
        if ((m.w & 7U) == 7U) put(step, Field::flags, m.w);
        break;
      }
      default: {
        // Delete and create of queues have kinds of their own: here they would take a raw driver's queues
        // away.
        // An event request of another would take the event from a host's driver, which then waits for it.
        const bool queues = m.x < 0x06 && m.x != 0x02;
        const bool events = m.x == 0x0C && !raw_[controller_];
        Step& step = admin(controller_, queues || events ? m.x | 0x80U : m.x);
        put(step, Field::nsid, ns());
        put(step, Field::cdw10, m.y);
        put(step, Field::cdw11, m.z);
        if (m.x == 0x0C) step.nowait = true;
        if ((m.w & 7U) == 7U) put(step, Field::flags, m.w);
        break;
      }
    }
  }

  // What an application of a host does instead of a raw command.
  void write_head(std::uint64_t opcode, unsigned controller) {
    constexpr StepKind kOf[] = {StepKind::flush, StepKind::write, StepKind::read};
    const StepKind kind = opcode < 3 ? kOf[opcode] : opcode == 5 ? StepKind::compare : StepKind::write_zeroes;
    Step& step = add(kind);
    put_name(step, Field::host, owner_of(shape_, controller) == Owner::host1 ? "host1" : "host0");
    put(step, Field::ns, plain_ns());
    if (kind == StepKind::flush) return;
    put(step, Field::lba, move_->x & 15U);
    put(step, Field::blocks, (move_->y & 7U) + 1U);
    if (kind == StepKind::compare) put(step, Field::equals, Value{Form::literal, 0, "A", {}});
    if (kind == StepKind::write && (move_->z & 8U) != 0)
      put(step, Field::tag, Value{Form::literal, 0, "A", {}});
  }

  void write_host(What what) {
    const Move& m = *move_;
    if (shape_.hosts == 0) {  // nobody is there: the raw driver does something like it
      write_io(what == What::host_write  ? What::write_then_read
               : what == What::host_read ? What::read
                                         : What::burst);
      return;
    }
    if (owner_of(shape_, controller_) == Owner::raw) controller_ = 0;
    switch (what) {
      case What::host_write:
        write_head(0x01, controller_);
        break;
      case What::host_read:
        write_head(0x02, controller_);
        break;
      case What::host_other:
        write_head((m.w & 1U) != 0 ? 0x08 : (m.w & 2U) != 0 ? 0x05 : 0x00, controller_);
        break;
      case What::host_policy: {
        Step& step = add(StepKind::policy);
        put_name(step, Field::host, "host0");
        put(step, Field::policy, Value{Form::literal, 0, (m.x & 1U) != 0 ? "numa" : "round-robin", {}});
        break;
      }
      case What::host_load: {
        Step& step = add(StepKind::workload);
        step.nowait = true;
        put_name(step, Field::host, "host0");
        put(step, Field::ns, plain_ns());
        put(step, Field::blocks, (m.y & 7U) + 1U);
        put(step, Field::length, 32);
        put(step, Field::depth, 1U + (m.x & 3U));
        put(step, Field::duration, 20'000U * (1U + (m.z & 7U)));
        put(step, Field::rate, 200'000);
        break;
      }
      case What::take:
        if (raw_[controller_]) return;
        on(StepKind::take, controller_);
        raw_[controller_] = true;
        enabled_[controller_] = false;
        queues_[controller_] = 0;
        break;
      case What::give:
        if (!raw_[controller_]) return;
        on(StepKind::give, controller_);
        raw_[controller_] = false;
        break;
      default: {
        if (raw_[controller_]) {
          write_head(0x02, controller_);
          return;
        }
        const StepKind kind = what == What::host_reset      ? StepKind::reset
                              : what == What::host_shutdown ? StepKind::shutdown
                                                            : StepKind::rescan;
        Step& step = on(kind, controller_);
        if (kind == StepKind::shutdown && (m.x & 1U) != 0) put(step, Field::abrupt, 1);
        break;
      }
    }
  }

  With zones_;
  ZoneProgress progress_;
  std::array<bool, 4> raw_{}, enabled_{};
  std::array<bool, 4> weighted_{};        ///< weighted round robin was selected
  std::array<std::uint8_t, 4> queues_{};  ///< bit q: queue q exists
};

void append(const Input& input, std::vector<Step>& steps, With zones) {
  Writer writer(input, steps, zones);
  for (const Move& move : input.moves) writer.write(move);
}

}  // namespace

const Target& attach_target() {
  static constexpr Target kTarget{
      "attach", "attach and detach, resets and I/O of several actors on several controllers",
      [](const Shape& shape, const std::string& fault) {
        return prepared_program(shape, fault, With::nothing);
      },
      [](const Input& input, std::vector<Step>& steps) { append(input, steps, With::nothing); },
      kKinds.size()};
  return kTarget;
}

const Target& zoned_target() {
  static constexpr Target kTarget{
      "zoned", "the same, with namespaces whose zones several controllers write, append to, send and report",
      [](const Shape& shape, const std::string& fault) {
        program::Program program = prepared_program(shape, fault, With::zones);
        program.name = "zoned";
        return program;
      },
      [](const Input& input, std::vector<Step>& steps) { append(input, steps, With::zones); }, kKinds.size()};
  return kTarget;
}

}  // namespace polypath::fuzz
