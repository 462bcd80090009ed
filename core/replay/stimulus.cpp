#include "replay/stimulus.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "device/device.h"
#include "replay/topology.h"
#include "trace/inferred.h"

namespace polypath::replay {
namespace {

using engine::Time;
using program::Field;
using program::Step;
using program::StepKind;
using program::Value;

constexpr std::uint8_t kDeleteSq = 0x00, kCreateSq = 0x01, kGetLogPage = 0x02, kDeleteCq = 0x04,
                       kCreateCq = 0x05, kIdentify = 0x06, kSetFeatures = 0x09, kAsyncEventRequest = 0x0C,
                       kNsAttachment = 0x15, kDoorbellBuffer = 0x7C, kFabrics = 0x7F;
constexpr std::uint8_t kIdentifyController = 0x01;
constexpr std::uint8_t kNumberOfQueues = 0x07, kAsyncEvent = 0x0B;
constexpr std::uint32_t kNsAttributeNotices = 0x100;
constexpr std::uint32_t kChangedNamespaces = 0x03FF0004;  // log 04h, all 4096 bytes
constexpr std::uint32_t kAdminEntries = 128, kIoEntries = 1024;
constexpr Time kAdminExecute = 10 * engine::kMicrosecond, kIoExecute = 20 * engine::kMicrosecond;

Value literal(std::uint64_t number) {
  Value value;
  value.number = number;
  return value;
}
Value name(std::string text) {
  Value value;
  value.form = program::Form::name;
  value.text = std::move(text);
  return value;
}

/// Keeps operands ascending by field, as steps hold them.
void put(Step& step, Field field, Value value) {
  const auto at =
      std::lower_bound(step.operands.begin(), step.operands.end(), field,
                       [](const program::Operand& operand, Field f) { return operand.field < f; });
  step.operands.insert(at, {field, std::move(value)});
}
void put_nonzero(Step& step, Field field, std::uint64_t number) {
  if (number != 0) put(step, field, literal(number));
}

/// What the recording shows of one controller, as far as set-up needs it.
struct Seen {
  std::set<std::uint16_t> queues_at_start;  ///< that carry commands before the recording creates them
  std::set<std::uint16_t> admin_cids;
  std::set<std::size_t> resets;  ///< recorded commands before which it was reset
  bool sets_async_event = false;
};

/// Follows one controller through the recording and finds its resets.
struct Life {
  std::set<std::uint16_t> queues;       ///< that exist now
  std::optional<std::size_t> identify;  ///< last Identify Controller since the last I/O
};

bool succeeded(const trace::RecordedCommand& command) { return command.completed() && command.status == 0; }

class Maker {
 public:
  Maker(const trace::Recording& recording, const ReplayOptions& options)
      : recording_(recording), options_(options) {}
  Stimulus make();

 private:
  std::string controller_id(std::uint16_t recorded) const {
    return out_.program.topology.controllers[out_.controller_of[recorded]].id;
  }
  std::string names(const std::vector<std::uint16_t>& controllers) const {
    std::vector<std::string> all;
    for (const auto controller : controllers) all.push_back(recording_.controllers[controller].name);
    return trace::list_text(all);
  }
  Value controllers_value(const std::vector<std::uint16_t>& recorded) const;
  Step& add(StepKind kind, std::uint16_t recorded, Time at);
  Step& add_admin(std::uint16_t recorded, std::uint8_t opcode);

  void take_topology();
  void look();
  std::string set_up(std::uint16_t controller);
  void set_up_all();
  void reset(std::uint16_t controller, Time at);
  void detach_what_comes_later();
  void request_event(std::uint16_t controller, Time at);
  std::string why_not(std::size_t index) const;
  void send(std::size_t index);
  void send_everything();

  const trace::Recording& recording_;
  const ReplayOptions& options_;
  std::vector<trace::InferredAttachment> attachments_;
  trace::InferredTopology inferred_;
  std::map<std::size_t, std::size_t> attachment_of_;  // recorded command to attachments_
  std::vector<Seen> seen_;                            // by recorded controller
  std::vector<std::uint32_t> next_event_cid_;         // by recorded controller
  std::vector<std::set<std::uint16_t>> queues_;       // that the replay has made, by recorded controller
  Stimulus out_;
};

Value Maker::controllers_value(const std::vector<std::uint16_t>& recorded) const {
  Value value;
  for (const auto controller : recorded) value.list.push_back(name(controller_id(controller)));
  return value;
}

Step& Maker::add(StepKind kind, std::uint16_t recorded, Time at) {
  Step step;
  step.id = static_cast<std::uint32_t>(out_.program.steps.size() + 1);
  step.kind = kind;
  step.at = at;
  put(step, Field::controller, name(controller_id(recorded)));
  out_.program.steps.push_back(std::move(step));
  return out_.program.steps.back();
}

Step& Maker::add_admin(std::uint16_t recorded, std::uint8_t opcode) {
  Step& step = add(StepKind::admin, recorded, engine::kForever);
  put(step, Field::opcode, literal(opcode));
  return step;
}

void Maker::take_topology() {
  attachments_ = trace::infer_attachments(recording_);
  inferred_ = trace::infer_topology(recording_, attachments_);
  for (std::size_t i = 0; i < attachments_.size(); ++i) attachment_of_[attachments_[i].command] = i;
  auto& topology = out_.program.topology;
  if (options_.topology) {
    topology = *options_.topology;
    out_.inferences.push_back("the topology is the one given");
  } else {
    topology = make_topology(recording_, inferred_, out_.inferences);
  }
  for (const auto& attachment : attachments_) out_.inferences.push_back(attachment.sentence);
  for (const auto& recorded : recording_.controllers) {
    const auto found =
        std::find_if(topology.controllers.begin(), topology.controllers.end(),
                     [&](const program::ControllerSpec& spec) { return spec.id == recorded.name; });
    if (found == topology.controllers.end()) {
      throw program::InputError(
          recording_.name,
          fmt::format("has commands of {}, which the topology does not have; give the topology it "
                      "was recorded on (controllers are matched by id=), or none",
                      recorded.name));
    }
    out_.controller_of.push_back(static_cast<std::uint16_t>(found - topology.controllers.begin()));
  }
}

void Maker::look() {
  seen_.resize(recording_.controllers.size());
  queues_.resize(recording_.controllers.size());
  next_event_cid_.assign(recording_.controllers.size(), 0xFFFF);
  std::vector<Life> lives(recording_.controllers.size());
  for (std::size_t i = 0; i < recording_.commands.size(); ++i) {
    const auto& command = recording_.commands[i];
    Seen& seen = seen_[command.controller];
    Life& life = lives[command.controller];
    if (command.queue != 0) {
      if (life.queues.insert(command.queue).second) seen.queues_at_start.insert(command.queue);
      life.identify.reset();
      continue;
    }
    seen.admin_cids.insert(command.entry.cid);
    const auto low = static_cast<std::uint8_t>(command.entry.cdw10);
    if (command.entry.opcode == kIdentify && low == kIdentifyController) life.identify = i;
    if (command.entry.opcode == kSetFeatures && low == kAsyncEvent) seen.sets_async_event = true;
    // Number of Queues cannot be set once I/O queues exist, so between them lay a reset. Drivers begin to set
    // a controller up with Identify Controller.
    if (command.entry.opcode == kSetFeatures && low == kNumberOfQueues && succeeded(command) &&
        !life.queues.empty()) {
      seen.resets.insert(life.identify.value_or(i));
      life.queues.clear();
    }
    if (command.entry.opcode == kCreateSq && succeeded(command)) {
      life.queues.insert(static_cast<std::uint16_t>(command.entry.cdw10));
    }
  }
}

void Maker::request_event(std::uint16_t controller, Time at) {
  // An identifier that no recorded command of this queue has.
  auto& cid = next_event_cid_[controller];
  while (cid > 0 && seen_[controller].admin_cids.contains(static_cast<std::uint16_t>(cid))) --cid;
  Step& step = add(StepKind::submit, controller, at);
  step.nowait = true;
  put(step, Field::queue, literal(0));
  put(step, Field::opcode, literal(kAsyncEventRequest));
  put(step, Field::cid, literal(cid));
  if (cid > 0) --cid;
}

std::string Maker::set_up(std::uint16_t controller) {
  const Seen& seen = seen_[controller];
  const auto& made = seen.queues_at_start;
  const auto& spec = out_.program.topology.controllers[out_.controller_of[controller]];
  Step& enable = add(StepKind::enable, controller, engine::kForever);
  put(enable, Field::depth, literal(kAdminEntries));
  std::vector<std::string> added{"enabling"};
  if (!made.empty()) {
    const std::uint32_t count = *made.rbegin() - 1U;  // 0's based, of both kinds
    Step& step = add_admin(controller, kSetFeatures);
    put(step, Field::cdw10, literal(kNumberOfQueues));
    put_nonzero(step, Field::cdw11, count << 16U | count);
    added.emplace_back("Set Features 07h");
  }
  for (const auto queue : made) {
    Step& step = add(StepKind::create_queue_pair, controller, engine::kForever);
    put(step, Field::queue, literal(queue));
    put(step, Field::depth, literal(std::min<std::uint32_t>(kIoEntries, spec.mqes + 1U)));
    added.push_back(fmt::format("queue pair {}", queue));
  }
  queues_[controller] = made;
  // A recording that shows how the controller is set up shows this too.
  if (!seen.sets_async_event || !made.empty()) {
    Step& step = add_admin(controller, kSetFeatures);
    put(step, Field::cdw10, literal(kAsyncEvent));
    put(step, Field::cdw11, literal(kNsAttributeNotices));
    added.emplace_back("Set Features 0Bh for namespace events");
  }
  request_event(controller, engine::kForever);
  added.emplace_back("an Asynchronous Event Request at the start and at each recorded event");
  return trace::list_text(added);
}

void Maker::set_up_all() {
  std::map<std::string, std::vector<std::uint16_t>> by_text;
  for (std::uint16_t i = 0; i < recording_.controllers.size(); ++i) by_text[set_up(i)].push_back(i);
  for (const auto& [text, controllers] : by_text) {
    out_.inferences.push_back(fmt::format("added for {}: {}", names(controllers), text));
  }
}

/// The recording shows that the controller was reset before this command, and what its driver then sent.
void Maker::reset(std::uint16_t controller, Time at) {
  add(StepKind::disable, controller, at);
  Step& enable = add(StepKind::enable, controller, at);
  put(enable, Field::depth, literal(kAdminEntries));
  request_event(controller, at);
  queues_[controller].clear();
  out_.inferences.push_back(
      fmt::format("{} was reset shortly before {} s: Set Features 07h succeeded later though "
                  "queues had existed",
                  recording_.controllers[controller].name,
                  trace::seconds_text(recording_.first_time + (at - out_.begin))));
}

/// Why a recorded command is not sent as it was; empty when it is.
std::string Maker::why_not(std::size_t index) const {
  const auto& command = recording_.commands[index];
  if (command.queue != 0) return "";
  switch (command.entry.opcode) {
    case kDeleteSq:
    case kCreateSq:
    case kDeleteCq:
    case kCreateCq:
      return "rings lay in memory that nobody recorded: the replay makes its own queues";
    case kDoorbellBuffer:
      return "shadow doorbells lay in memory that nobody recorded";
    case kAsyncEventRequest:
      return "event requests are the replay's own";
    case kFabrics:
      return "Fabrics commands belong to a transport that the replay does not have";
    default:
      return "";
  }
}

void Maker::send(std::size_t index) {
  const auto& command = recording_.commands[index];
  const auto& entry = command.entry;
  const Time at = out_.begin + (command.time - recording_.first_time);
  if (seen_[command.controller].resets.contains(index)) reset(command.controller, at);
  const auto reason = why_not(index);
  if (!reason.empty()) {
    out_.not_replayed.push_back({index, reason});
    const auto queue = static_cast<std::uint16_t>(entry.cdw10);
    if (entry.opcode == kCreateSq && succeeded(command) && queues_[command.controller].insert(queue).second) {
      Step& step = add(StepKind::create_queue_pair, command.controller, at);
      put(step, Field::queue, literal(queue));
      put(step, Field::depth, literal(std::max<std::uint64_t>(2, (entry.cdw10 >> 16U) + 1ULL)));
    }
    return;
  }
  Step& step = add(StepKind::submit, command.controller, at);
  step.nowait = true;
  put(step, Field::queue, literal(command.queue));
  put(step, Field::opcode, literal(entry.opcode));
  put(step, Field::cid, literal(entry.cid));
  put_nonzero(step, Field::flags, entry.flags);
  put_nonzero(step, Field::nsid, entry.nsid);
  constexpr std::pair<Field, unsigned> kDwords[] = {{Field::cdw10, 10}, {Field::cdw11, 11},
                                                    {Field::cdw12, 12}, {Field::cdw13, 13},
                                                    {Field::cdw14, 14}, {Field::cdw15, 15}};
  for (const auto& [field, dword] : kDwords) put_nonzero(step, field, entry.cdw(dword));
  if (command.queue == 0 && entry.opcode == kNsAttachment) {
    const auto attachment = attachment_of_.find(index);
    if (attachment != attachment_of_.end()) {
      put(step, Field::controller_list, controllers_value(attachments_[attachment->second].controllers));
    }
  }
  out_.step_of_command[index] = step.id;
  out_.command_of_step[step.id] = index;
  if (!command.completed()) return;
  put(step, Field::completes_at, literal(out_.begin + (command.completed_at - recording_.first_time)));
  // The recorded duration, split into the time until the command takes effect and the rest.
  const Time duration = command.completed_at - command.time;
  const Time execute = std::min(duration / 2, command.queue == 0 ? kAdminExecute : kIoExecute);
  out_.program.overrides.push_back({step.id, device::site::execute_delay, 0, execute});
  out_.program.overrides.push_back({step.id, device::site::post_delay, 0, duration - execute});
}

void Maker::send_everything() {
  // Commands and events in the order of the recording's lines.
  std::size_t next_event = 0;
  const auto events_before = [&](std::uint32_t line) {
    for (; next_event < recording_.events.size() && recording_.events[next_event].line < line; ++next_event) {
      const auto& event = recording_.events[next_event];
      request_event(event.controller, out_.begin + (event.time - recording_.first_time));
    }
  };
  for (std::size_t i = 0; i < recording_.commands.size(); ++i) {
    events_before(recording_.commands[i].line);
    send(i);
  }
  events_before(~std::uint32_t{0});
}

/// A namespace that a recorded command attaches was not attached before. This is done before the recording
/// begins, and the events that it causes are answered by a further request and a log read, so that none is
/// left over.
void Maker::detach_what_comes_later() {
  for (const auto& ns : inferred_.namespaces) {
    std::vector<std::uint16_t> detached;
    std::set_difference(ns.seen_on.begin(), ns.seen_on.end(), ns.attached_at_start.begin(),
                        ns.attached_at_start.end(), std::back_inserter(detached));
    if (detached.empty()) continue;
    Step& step = add_admin(ns.seen_on.front(), kNsAttachment);
    put(step, Field::nsid, literal(ns.nsid));
    put(step, Field::cdw10, literal(1));
    put(step, Field::controllers, controllers_value(detached));
    for (const auto controller : detached) {
      Step& log = add_admin(controller, kGetLogPage);
      put(log, Field::nsid, literal(spec::kBroadcastNsid));
      put(log, Field::cdw10, literal(kChangedNamespaces));
      request_event(controller, engine::kForever);
    }
    out_.inferences.push_back(
        fmt::format("namespace {} is detached from {} before the recording begins: the first "
                    "attachment recorded there attaches it",
                    ns.nsid, names(detached)));
  }
}

Stimulus Maker::make() {
  auto& program = out_.program;
  const auto slash = recording_.name.find_last_of('/');
  program.name =
      "replay of " + (slash == std::string::npos ? recording_.name : recording_.name.substr(slash + 1));
  program.name.resize(std::min(program.name.size(), program::kLongestTitle));
  program.profile = options_.profile;
  program.seed = options_.seed;
  program.faults = options_.faults;
  take_topology();
  look();
  out_.step_of_command.assign(recording_.commands.size(), 0);
  // Room for the set-up of every controller, one after the other.
  out_.begin = engine::kSecond + 100 * engine::kMillisecond * recording_.controllers.size();
  std::vector<std::string> idle;
  for (std::size_t k = 0; k < program.topology.controllers.size(); ++k) {
    const auto used = std::find(out_.controller_of.begin(), out_.controller_of.end(), k);
    if (used == out_.controller_of.end()) idle.push_back(program.topology.controllers[k].id);
  }
  if (!idle.empty())
    out_.inferences.push_back(fmt::format("nothing was recorded of {}: disabled", trace::list_text(idle)));
  set_up_all();
  detach_what_comes_later();
  send_everything();
  return std::move(out_);
}

}  // namespace

Stimulus make_stimulus(const trace::Recording& recording, const ReplayOptions& options) {
  return Maker(recording, options).make();
}

}  // namespace polypath::replay
