// Steps of raw drivers: registers, doorbells, queue entries, any dword.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "device/profile.h"
#include "spec/commands.h"
#include "spec/identify.h"
#include "spec/registers.h"
#include "spec/zones.h"
#include "target/pattern.h"
#include "target/runner.h"

namespace polypath::target {

using program::Field;
using program::Step;
using program::StepKind;
using program::Value;

namespace {

constexpr std::uint32_t kAdminEntries = 32;
constexpr std::uint8_t kDoorbellBuffer = 0x7C;
constexpr std::uint8_t kNoFormat = 15;               // of FLBAS: no profile has so many formats
constexpr std::uint32_t kLongestBuffer = 2U << 20U;  // no profile takes longer transfers

}  // namespace

spec::SubmissionEntry Runner::entry_of(const Step& step, std::uint32_t controller, std::uint16_t qid) const {
  spec::SubmissionEntry entry;
  entry.opcode = static_cast<std::uint8_t>(step.number(Field::opcode));
  entry.flags = static_cast<std::uint8_t>(step.number(Field::flags));
  entry.cid = static_cast<std::uint16_t>(step.number(Field::cid));
  if (const Value* nsid = step.find(Field::nsid)) entry.nsid = nsid_number(*nsid, controller);
  if (const Value* ns = step.find(Field::ns)) entry.nsid = nsid_number(*ns, controller);
  constexpr std::pair<Field, unsigned> kDwords[] = {
      {Field::cdw2, 2},   {Field::cdw3, 3},   {Field::cdw10, 10}, {Field::cdw11, 11},
      {Field::cdw12, 12}, {Field::cdw13, 13}, {Field::cdw14, 14}, {Field::cdw15, 15}};
  for (const auto& [field, dword] : kDwords)
    entry.set_cdw(dword, static_cast<std::uint32_t>(step.number(field)));
  if (qid != 0 && step.find(Field::lba) != nullptr) {
    const std::uint64_t lba = step.number(Field::lba);
    entry.cdw10 = static_cast<std::uint32_t>(lba);
    entry.cdw11 = static_cast<std::uint32_t>(lba >> 32U);
  }
  if (qid != 0 && step.find(Field::blocks) != nullptr) {
    entry.cdw12 = (entry.cdw12 & 0xFFFF0000U) |
                  (static_cast<std::uint32_t>(step.number(Field::blocks, 1) - 1) & 0xFFFFU);
  }
  entry.prp1 = step.number(Field::prp1);
  entry.prp2 = step.number(Field::prp2);
  return entry;
}

std::span<const std::byte> Runner::payload_of(const Step& step, std::uint32_t controller,
                                              const spec::SubmissionEntry& entry, std::uint16_t qid,
                                              std::uint32_t length) {
  if (length == 0) return {};
  const std::span<std::byte> data = payload_room(length);
  if (const Value* given = step.find(Field::data)) {
    const std::size_t count = std::min<std::size_t>(length, given->text.size());
    std::memcpy(data.data(), given->text.data(), count);
    std::fill(data.begin() + static_cast<std::ptrdiff_t>(count), data.end(), std::byte{0});
    return data;
  }
  const auto* row = spec::find_command(spec::set_of_queue(qid), entry.opcode);
  if (row == nullptr || row->direction != spec::Direction::to_controller) return {};
  if (qid != 0) {
    const Value* tag = step.find(Field::tag);
    const std::uint64_t number = tag != nullptr ? tag_number(tag->text) : engine::mix(program_.seed, step.id);
    fill_pattern(number, entry.slba() * block_bytes(controller, entry.nsid), data);
    return data;
  }
  std::vector<std::uint32_t> controllers;
  const Value* list = step.find(Field::controllers);
  if (list == nullptr) list = step.find(Field::controller_list);
  if (row->name == "ns_attachment" && controllers_of(list, controllers)) return controller_list(controllers);
  std::fill(data.begin(), data.end(), std::byte{0});
  if (row->name == "ns_management") {
    spec::IdentifyNamespace wanted{};
    const std::uint64_t block = step.number(Field::block_size, 512);
    wanted.nsze = wanted.ncap = step.number(Field::size) / block;
    const auto format =
        device::format_of(*device::find_profile(program_.profile), static_cast<std::uint32_t>(block));
    wanted.flbas = format.value_or(kNoFormat);
    wanted.nmic = step.number(Field::shared, 1) != 0 ? 1 : 0;
    std::memcpy(data.data(), &wanted, std::min<std::size_t>(data.size(), sizeof wanted));
  }
  return data;
}

std::span<std::byte> Runner::payload_room(std::size_t bytes) {
  if (payload_.size() < bytes) payload_.resize(bytes);
  return std::span(payload_).first(bytes);
}

std::span<const std::byte> Runner::controller_list(const std::vector<std::uint32_t>& controllers) {
  std::vector<std::uint16_t> words{static_cast<std::uint16_t>(controllers.size())};
  for (const std::uint32_t controller : controllers)
    words.push_back(program_.topology.controllers[controller].cntlid);
  std::sort(words.begin() + 1, words.end());
  const std::span<std::byte> data = payload_room(spec::kIdentifyBytes);
  std::fill(data.begin(), data.end(), std::byte{0});
  std::memcpy(data.data(), words.data(), std::min(data.size(), words.size() * sizeof(std::uint16_t)));
  return data;
}

std::uint32_t Runner::block_bytes(std::uint32_t controller, std::uint32_t nsid) const {
  return block_format(controller, nsid).bytes;
}

void Runner::begin_raw(std::size_t index) {
  const Step& step = program_.steps[index];
  std::uint32_t controller = 0;
  if (!controller_of(step.find(Field::controller), controller)) {
    unable(index, "names no controller of the topology");
    return;
  }
  port::Port& port = world_.port(controller);
  StepOutcome& outcome = outcomes_[index];
  switch (step.kind) {
    case StepKind::register_write:
      if (step.number(Field::offset) == spec::reg::nssr &&
          step.number(Field::value) == spec::kSubsystemReset &&
          spec::cap::nssrs.get(port.read_register(spec::reg::cap, 8)) != 0) {
        lose_raw_subsystem(controller);
      }
      port.write_register(static_cast<std::uint32_t>(step.number(Field::offset)), step.number(Field::value),
                          static_cast<unsigned>(step.number(Field::bytes, 4)));
      break;
    case StepKind::register_read: {
      const std::uint64_t value = port.read_register(static_cast<std::uint32_t>(step.number(Field::offset)),
                                                     static_cast<unsigned>(step.number(Field::bytes, 4)));
      outcome.dw0 = static_cast<std::uint32_t>(value);
      outcome.dw1 = static_cast<std::uint32_t>(value >> 32U);
      if (!step.as.empty()) names_[step.as] = value;
      if (step.find(Field::value) != nullptr && step.number(Field::value) != value) {
        fail(index, fmt::format("{} register {:#x} reads {:#x}, expected {:#x}", controller_name(controller),
                                step.number(Field::offset), value, step.number(Field::value)));
      }
      break;
    }
    case StepKind::doorbell: {
      const auto qid = static_cast<std::uint16_t>(step.number(Field::queue));
      const auto value = static_cast<std::uint16_t>(step.number(Field::value));
      if (step.number(Field::cq) != 0) {
        port.ring_cq(qid, value, raw_[controller].driver.stride());
      } else {
        port.ring_sq(qid, value, raw_[controller].driver.stride());
      }
      break;
    }
    case StepKind::mask_vector:
      port.mask_vector(static_cast<std::uint16_t>(step.number(Field::vector)),
                       step.number(Field::masked, 1) != 0);
      break;
    case StepKind::flr:
      reset_from_outside(controller, trace::FunctionEvent::flr);
      break;
    case StepKind::hot_reset:
      reset_from_outside(controller, trace::FunctionEvent::hot_reset);
      break;
    case StepKind::power_cycle:
      reset_from_outside(controller, trace::FunctionEvent::power_cycle);
      break;
    case StepKind::fatal:
      world_.fail(controller);
      break;
    case StepKind::zone_read_only:
    case StepKind::zone_offline: {
      std::uint32_t nsid = 0;
      const bool offline = step.kind == StepKind::zone_offline;
      if (!ns_of(step.find(Field::ns), controller, nsid) ||
          !world_.wear_zone(controller, nsid, step.number(Field::lba), offline)) {
        unable(index, "names no zone of a namespace of the controller's subsystem");
        return;
      }
      break;
    }
    case StepKind::take:
      change_hands(index, controller, true);
      return;
    case StepKind::give:
      if (world_.raw(controller)) {
        lose_raw(controller);
        raw_[controller].driver.lose_queues();
        stop_handshake(controller);
      }
      change_hands(index, controller, false);
      return;
    case StepKind::reap:
      reap(controller);
      break;
    case StepKind::enable:
    case StepKind::disable:
      // Two drivers at once would each undo what the other set up, and no rule would say what then holds.
      if (world_.hosts().driver(controller) != nullptr && !world_.raw(controller)) {
        unable(index, fmt::format("{} belongs to its host's driver; put `take` before it",
                                  controller_name(controller)));
        return;
      }
      begin_handshake(controller, index);
      return;
    case StepKind::create_queue_pair:
    case StepKind::delete_queue_pair: {
      Request request;
      request.owner = Owner::raw;
      request.where = controller;
      request.step = index;
      requests_.push_back(request);
      queue_pair_next(requests_.back());
      return;
    }
    default:
      break;
  }
  finish(index);
}

// Create: CQ, then SQ. Delete: SQ, then CQ.
void Runner::queue_pair_next(Request& request) {
  const Step& step = program_.steps[request.step];
  const std::uint32_t controller = request.where;
  RawState& raw = raw_[controller];
  const auto qid = static_cast<std::uint16_t>(step.number(Field::queue, 1));
  const auto entries =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(step.number(Field::depth, 64), 2, 65536));
  const bool create = step.kind == StepKind::create_queue_pair;
  const bool contiguous = step.number(Field::contiguous, 1) != 0;
  const bool failed = outcomes_[request.step].status != 0;
  if (request.stage == 2 || failed) {
    if (request.duplicate) {
      // What there was before is still there.
    } else if (create ? failed : !failed) {
      raw.driver.forget_queue_pair(qid);
    } else {
      raw.driver.set_usable(qid, create || request.was_usable);
    }
    request.live = false;
    finish(request.step);
    return;
  }
  port::Port& port = world_.port(controller);
  if (!raw.driver.has_room(0)) {
    request.live = false;
    unable(request.step, fmt::format("{} has no admin queue of a raw driver; put `enable` before it",
                                     controller_name(controller)));
    return;
  }
  if (create && request.stage == 0) {
    request.duplicate = raw.driver.has_queue(qid);
    if (!request.duplicate) raw.driver.make_queue_pair(port, qid, entries, contiguous);
  }
  if (!create) {
    if (request.stage == 0) request.was_usable = raw.driver.usable(qid);
    raw.driver.set_usable(qid, false);
  }
  if (create && !raw.driver.has_queue(qid)) {
    request.live = false;
    unable(request.step,
           fmt::format("queue {} of {} was deleted meanwhile", qid, controller_name(controller)));
    return;
  }
  spec::SubmissionEntry entry;
  const bool completion = create == (request.stage == 0);
  entry.opcode = create ? (completion ? 0x05 : 0x01) : (completion ? 0x04 : 0x00);
  entry.cdw10 = qid;
  if (create) {
    const auto* rings = raw.driver.queue(qid);
    const auto vector = static_cast<std::uint32_t>(step.number(Field::vector, qid % port.vectors()));
    const auto priority = static_cast<std::uint32_t>(step.number(Field::priority));
    entry.cdw10 |= (entries - 1) << 16U;
    entry.cdw11 = completion ? vector << 16U | 2U : std::uint32_t{qid} << 16U | priority << 1U;
    entry.cdw11 |= rings->sq.pages.empty() ? 1U : 0U;
    entry.prp1 = completion ? rings->cq.base : rings->sq.base;
  }
  ++request.stage;
  request.id = next_raw_request_++;
  raw.driver.submit(port, 0, entry, false, request.id, {});
}

void Runner::begin_raw_command(std::size_t index) {
  const Step& step = program_.steps[index];
  std::uint32_t controller = 0;
  if (!controller_of(step.find(Field::controller), controller)) {
    unable(index, "names no controller of the topology");
    return;
  }
  const bool admin = step.kind == StepKind::admin;
  auto qid =
      static_cast<std::uint16_t>(admin ? 0 : step.number(Field::queue, step.kind == StepKind::io ? 1 : 0));
  RawState& raw = raw_[controller];
  if (const Value* queue = step.find(Field::queue); queue != nullptr && queue->form == program::Form::live) {
    const auto queues = raw.driver.queues();
    if (!queues.empty()) qid = queues[queue->number % queues.size()];
  }
  spec::SubmissionEntry entry = entry_of(step, controller, qid);
  const auto* row = spec::find_command(spec::set_of_queue(qid), entry.opcode);
  const spec::BlockFormat format = block_format(controller, entry.nsid);
  const bool blocks = row != nullptr && row->length == spec::DataLength::blocks;
  const std::uint32_t metadata =
      blocks ? format.metadata.moved((entry.cdw12 & spec::prinfo::action) != 0) : 0U;
  if (qid != 0) usual_tags(step, format, entry);
  const std::uint64_t natural = row == nullptr ? 0 : spec::data_bytes(*row, entry, format.bytes);
  auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(natural, kLongestBuffer));
  if (step.find(Field::length) != nullptr) {
    length = static_cast<std::uint32_t>(std::min<std::uint64_t>(step.number(Field::length), kLongestBuffer));
  }
  std::span<const std::byte> data = payload_of(step, controller, entry, qid, length);
  metadata_.clear();
  const bool inside = format.metadata.extended && metadata != 0;
  const bool whole = metadata != 0 && length == natural;
  if (whole && !data.empty()) data = add_metadata(step, format, entry, data);
  if (whole && inside) length += entry.block_count() * metadata;
  if (admin && !world_.raw(controller) && begin_passthrough(index, controller, entry, data, length)) return;
  if (!raw.driver.usable(qid)) {
    unable(index, world_.raw(controller)
                      ? fmt::format("{} has no queue {}; create it with create_queue_pair (queue 0: enable)",
                                    controller_name(controller), qid)
                      : fmt::format("{} belongs to its host's driver; put `take` before it",
                                    controller_name(controller)));
    return;
  }
  if (!raw.driver.has_room(qid)) {
    reap(controller);
    if (!raw.driver.has_room(qid)) {
      unable(index, fmt::format("queue {} of {} is full", qid, controller_name(controller)));
      return;
    }
  }
  const bool doorbells = qid == 0 && entry.opcode == kDoorbellBuffer && step.find(Field::prp1) == nullptr;
  const bool under_way = std::any_of(requests_.begin(), requests_.end(), [&](const Request& r) {
    return r.live && r.owner == Owner::raw && r.where == controller && outcomes_[r.step].doorbells;
  });
  if (doorbells && under_way) {
    unable(index, fmt::format("a Doorbell Buffer Config of {} is under way; which pages it will use is open",
                              controller_name(controller)));
    return;
  }
  port::Port& port = world_.port(controller);
  RawDriver::Data buffer;
  if (const Value* list = step.find(Field::sgl)) {
    const auto words = program::parse_sgl(list->text);
    if (!words) {
      unable(index, fmt::format("{} is no list of descriptors", list->text));
      return;
    }
    if (entry.psdt() == 0) entry.flags |= 1U << 6U;
    buffer = raw.driver.attach_list(port, entry, length, data, *words);
  } else if (length != 0 && step.find(Field::prp1) == nullptr) {
    buffer = raw.driver.attach_buffer(port, entry, length, data);
  } else if (doorbells) {
    const spec::DoorbellBuffer pages = RawDriver::make_doorbell_buffer(port);
    entry.prp1 = pages.doorbells;
    entry.prp2 = step.number(Field::prp2, pages.event_indexes);
    outcomes_[index].doorbells = pages;
  }
  if (metadata != 0 && !inside)
    raw.driver.attach_metadata(port, entry, entry.block_count() * metadata, metadata_, buffer);
  Request request;
  request.owner = Owner::raw;
  request.where = controller;
  request.step = index;
  request.id = next_raw_request_++;
  request.stage = 2;
  if (const Value* tag = step.find(Field::equals)) {
    request.expected.check = true;
    request.expected.tag = tag_number(tag->text);
    request.expected.offset = entry.slba() * format.bytes;
  }
  if (whole && inside) request.expected.block = format.bytes, request.expected.inside = metadata;
  requests_.push_back(request);
  raw.driver.submit(port, qid, entry, step.find(Field::cid) != nullptr, request.id, std::move(buffer),
                    step.number(Field::ring, 1) != 0);
  if (step.kind == StepKind::submit) finish_later(index);
}

bool Runner::raw_submit_admin(std::size_t index, std::uint32_t controller,
                              const spec::SubmissionEntry& command, std::span<const std::byte> data) {
  RawState& raw = raw_[controller];
  if (!raw.driver.has_room(0)) return false;
  spec::SubmissionEntry entry = command;
  const auto length = static_cast<std::uint32_t>(data.size());
  auto buffer = raw.driver.attach_buffer(world_.port(controller), entry, length, data);
  Request request;
  request.owner = Owner::raw;
  request.where = controller;
  request.step = index;
  request.id = next_raw_request_++;
  requests_.push_back(request);
  raw.driver.submit(world_.port(controller), 0, entry, false, request.id, std::move(buffer));
  return true;
}

void Runner::reap(std::uint32_t controller) {
  reaped_.clear();
  raw_[controller].driver.reap(world_.port(controller), reaped_);
  raw_outcomes(controller, reaped_);
}

// The pages that a Doorbell Buffer Config took effect with.
void Runner::take_doorbells(std::uint32_t controller, const StepOutcome& outcome) {
  if (!outcome.doorbells || outcome.lost || outcome.status != 0) return;
  raw_[controller].driver.use_doorbell_buffer(world_.port(controller), outcome.doorbells);
}

// A queue that an `admin` step deleted is not there any more.
void Runner::forget_deleted(std::uint32_t controller, std::size_t index, const StepOutcome& outcome) {
  const Step& step = program_.steps[index];
  if (step.kind != StepKind::admin || outcome.lost || outcome.status != 0) return;
  const std::uint64_t opcode = step.number(Field::opcode, 0xFF);
  if (opcode != 0x00 && opcode != 0x04) return;
  const auto qid = static_cast<std::uint16_t>(step.number(Field::cdw10));
  if (qid != 0) raw_[controller].driver.forget_queue_pair(qid);
}

void Runner::raw_outcomes(std::uint32_t controller, const std::vector<RawOutcome>& done) {
  for (const RawOutcome& result : done) {
    const auto at = std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) {
      return r.live && r.owner == Owner::raw && r.where == controller && r.id == result.request;
    });
    if (at == requests_.end()) continue;
    StepOutcome& outcome = outcomes_[at->step];
    outcome.lost = result.lost;
    outcome.status = result.entry.linux_status();
    outcome.dw0 = result.entry.dw0;
    outcome.dw1 = result.entry.dw1;
    const StepKind kind = program_.steps[at->step].kind;
    if ((kind == StepKind::create_queue_pair || kind == StepKind::delete_queue_pair) && !result.lost) {
      const auto position = static_cast<std::size_t>(at - requests_.begin());
      Request request = *at;  // submitting may move the vector
      queue_pair_next(request);
      requests_[position] = request;
      continue;
    }
    forget_deleted(controller, at->step, outcome);
    take_doorbells(controller, outcome);
    if (result.bytes != 0 && !result.lost && (at->expected.check || limits_.keep_data)) {
      outcome.data.resize(result.bytes);
      read_data(controller, result, at->expected, outcome.data);
      if (at->expected.inside != 0) leave_out_metadata(at->expected, outcome.data);
      check_data(at->step, at->expected, outcome.data);
      if (!limits_.keep_data) outcome.data.clear();
    }
    at->live = false;
    if (!result.lost) bind_outcome(at->step);
    finish(at->step);
  }
  std::erase_if(requests_, [](const Request& r) { return !r.live; });
}

// The data of a command, from where they lie. What Bit Buckets took is as it should have been.
void Runner::read_data(std::uint32_t controller, const RawOutcome& result, const Expected& expected,
                       std::span<std::byte> out) {
  const port::HostMemory& memory = world_.port(controller).memory();
  if (result.pieces.empty()) {
    memory.read(result.buffer, out);
    return;
  }
  if (expected.check) fill_pattern(expected.tag, expected.offset, out);
  for (const port::Range& piece : result.pieces) {
    if (piece.address != 0) memory.read(piece.address, out.first(piece.bytes));
    out = out.subspan(piece.bytes);
  }
}

void Runner::lose_raw(std::uint32_t controller) {
  std::vector<RawOutcome> lost;
  raw_[controller].driver.lose_all(lost);
  raw_outcomes(controller, lost);
}

// Whoever drives the functions of a subsystem learns at once that they were reset.
void Runner::lose_raw_subsystem(std::uint32_t controller) {
  const auto& all = world_.device().controllers;
  for (std::uint32_t k = 0; k < world_.controllers(); ++k) {
    if (all[k].subsystem != all[controller].subsystem || !world_.raw(k)) continue;
    lose_raw(k);
    raw_[k].driver.lose_queues();
  }
}

void Runner::reset_from_outside(std::uint32_t controller, trace::FunctionEvent what) {
  if (what == trace::FunctionEvent::power_cycle) {
    lose_raw_subsystem(controller);
  } else if (world_.raw(controller)) {
    lose_raw(controller);
    raw_[controller].driver.lose_queues();
  }
  world_.reset_function(controller, what);
}

// EN and RDY as the standard wants them handled: EN becomes 1 only when RDY is 0, so a controller that is
// enabled already is reset first. A host that does otherwise writes CC itself. Base: Controller
// Configuration.
void Runner::begin_handshake(std::uint32_t controller, std::size_t index) {
  using Handshake = RawState::Handshake;
  RawState& raw = raw_[controller];
  if (raw.handshake != Handshake::none) {
    raw.waiting.push_back(index);
    return;
  }
  port::Port& port = world_.port(controller);
  raw.step = index;
  raw.deadline = world_.engine().now() + 10 * engine::kSecond;
  const bool enable = program_.steps[index].kind == StepKind::enable;
  const auto cc = enable ? static_cast<std::uint32_t>(port.read_register(spec::reg::cc, 4)) : 0;
  if (enable && spec::cc::en.get(cc) == 0) {
    enable_raw(controller);
    return;
  }
  raw.handshake = enable ? Handshake::clearing : Handshake::disabling;
  raw.driver.disable(port);
  lose_raw(controller);
  poll_ready(controller);
}

// The controller is its host's again: whatever the raw driver still meant to write would undo what the host
// does.
void Runner::stop_handshake(std::uint32_t controller) {
  RawState& raw = raw_[controller];
  if (raw.handshake == RawState::Handshake::none) return;
  raw.handshake = RawState::Handshake::none;
  outcomes_[raw.step].lost = true;
  finish(raw.step);
  for (const std::size_t index : std::exchange(raw.waiting, {})) {
    unable(index, fmt::format("{} was given back to its host's driver", controller_name(controller)));
  }
}

void Runner::enable_raw(std::uint32_t controller) {
  RawState& raw = raw_[controller];
  raw.handshake = RawState::Handshake::enabling;
  const std::uint64_t depth = program_.steps[raw.step].number(Field::depth, kAdminEntries);
  const auto entries = std::clamp<std::uint64_t>(depth, 2, spec::kAdminQueueEntriesMax);
  if (program_.topology.controllers[controller].dstrd != 0) {  // else it need not ask
    const std::uint64_t cap = world_.port(controller).read_register(spec::reg::cap, 8);
    raw.driver.set_stride(static_cast<unsigned>(spec::cap::dstrd.get(cap)));
  }
  // A driver takes every command set that it is offered.
  const auto* profile = device::find_profile(program_.profile);
  const bool several = profile != nullptr && profile->zoned;
  const auto usual =
      static_cast<std::uint32_t>(spec::cc::css.put(RawDriver::kUsualCc, several ? spec::kAllCommandSets : 0));
  const auto cc = static_cast<std::uint32_t>(program_.steps[raw.step].number(Field::value, usual));
  raw.driver.enable(world_.port(controller), static_cast<std::uint32_t>(entries), cc);
  poll_ready(controller);
}

// Enable and disable end when CSTS.RDY shows it; looked at every 100 microseconds, as a driver would.
void Runner::poll_ready(std::uint32_t controller) {
  using Handshake = RawState::Handshake;
  RawState& raw = raw_[controller];
  if (raw.handshake == Handshake::none) return;
  const bool enabling = raw.handshake == Handshake::enabling;
  const auto csts = static_cast<std::uint32_t>(world_.port(controller).read_register(spec::reg::csts, 4));
  const bool ready = spec::csts::rdy.get(csts) != 0;
  const bool fatal = spec::csts::cfs.get(csts) != 0;
  const bool reached = enabling ? ready || fatal : !ready;
  if (!reached && world_.engine().now() < raw.deadline) {
    // The longer it takes, the less often: what is not ready after 10 ms may never be.
    const engine::Time waited = world_.engine().now() + 10 * engine::kSecond - raw.deadline;
    const engine::Time pause = std::max(100 * engine::kMicrosecond, waited / 100);
    world_.engine().schedule(world_.engine().now() + pause, kPollReady, controller, 0);
    return;
  }
  if (reached && raw.handshake == Handshake::clearing) {
    enable_raw(controller);
    return;
  }
  if (enabling && ready) raw.driver.enabled();
  outcomes_[raw.step].dw0 = csts;
  if (!reached) outcomes_[raw.step].lost = true;
  raw.handshake = Handshake::none;
  finish(raw.step);
  if (raw.handshake != Handshake::none || raw.waiting.empty()) return;
  const std::size_t next = raw.waiting.front();
  raw.waiting.erase(raw.waiting.begin());
  begin_handshake(controller, next);
}

}  // namespace polypath::target
