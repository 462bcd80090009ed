// What the runner asks of the simulated hosts: start, I/O, passthrough, management, and how it all ended.
#include <fmt/format.h>

#include <algorithm>

#include "spec/commands.h"
#include "target/runner.h"

namespace polypath::target {

using program::Field;
using program::Step;
using program::StepKind;
using program::Value;

void Runner::start_hosts() {
  for (std::uint32_t host = 0; host < program_.hosts.size(); ++host) {
    if (program_.hosts[host].later) {
      world_.hosts().start_unbound(host);
    } else {
      world_.hosts().start(world_.host_surroundings(), host);
    }
  }
}

bool Runner::hosts_ready() const {
  if (hosts_were_ready_) return true;
  for (std::uint32_t host = 0; host < program_.hosts.size(); ++host) {
    if (!world_.hosts().settled(host)) return false;
  }
  hosts_were_ready_ = true;
  hosts_ready_at_ = world_.engine().now();
  return true;
}

void Runner::submit_io(Request request, std::uint32_t subsystem, std::uint32_t nsid, std::uint8_t opcode,
                       std::uint64_t lba, std::uint32_t blocks, std::span<const std::byte> data) {
  host::IoSpec io;
  io.opcode = opcode;
  io.lba = lba;
  io.blocks = opcode == 0x00 ? 0 : blocks;
  io.data = data;
  const std::uint32_t host = request.where;
  request.id = world_.hosts().submit_io(world_.host_surroundings(), host, subsystem, nsid, io);
  requests_.push_back(request);
  drain();
}

bool Runner::begin_passthrough(std::size_t index, std::uint32_t controller,
                               const spec::SubmissionEntry& entry, std::span<const std::byte> data,
                               std::uint32_t length) {
  if (world_.hosts().driver(controller) == nullptr) return false;
  const auto* row = spec::find_command(spec::CommandSet::admin, entry.opcode);
  const bool sends = row != nullptr && row->direction == spec::Direction::to_controller;
  Request request;
  request.owner = Owner::passthrough;
  request.where = controller;
  request.step = index;
  request.id = world_.hosts().submit_admin(world_.host_surroundings(), controller, entry,
                                           sends ? data : std::span<const std::byte>{}, sends ? 0 : length);
  requests_.push_back(request);
  drain();
  return true;
}

void Runner::begin_management(std::size_t index) {
  const Step& step = program_.steps[index];
  const host::Surroundings surroundings = world_.host_surroundings();
  host::Hosts& hosts = world_.hosts();
  if (step.kind == StepKind::policy) {
    std::uint32_t host = 0;
    host::Policy policy{};
    const Value* name = step.find(Field::policy);
    if (!host_of(step, host) || name == nullptr || !host::policy_from_name(name->text, policy)) {
      unable(index, "names no host or no policy; policies are numa and round-robin");
      return;
    }
    hosts.set_policy(surroundings, host, policy);
    finish(index);
    return;
  }
  std::uint32_t controller = 0;
  const Value* via = step.find(Field::via);
  if (via == nullptr) via = step.find(Field::controller);
  if (!controller_of(via, controller)) {
    unable(index, "names no controller of the topology");
    return;
  }
  // A controller that a raw driver has: the same command through that driver.
  const bool raw = world_.raw(controller) || hosts.driver(controller) == nullptr;
  Request request;
  request.owner = Owner::passthrough;
  request.where = controller;
  request.step = index;
  switch (step.kind) {
    case StepKind::attach:
    case StepKind::detach:
    case StepKind::create_ns:
    case StepKind::delete_ns: {
      spec::SubmissionEntry entry;
      const bool attachment = step.kind == StepKind::attach || step.kind == StepKind::detach;
      entry.opcode = attachment ? 0x15 : 0x0D;
      entry.cdw10 = step.kind == StepKind::detach || step.kind == StepKind::delete_ns ? 1 : 0;
      if (step.kind != StepKind::create_ns && !ns_of(step.find(Field::ns), controller, entry.nsid)) {
        unable(index, "names no namespace of the topology and no outcome of an earlier step");
        return;
      }
      std::vector<std::uint32_t> list;
      if (attachment && step.find(Field::controllers) != nullptr &&
          !controllers_of(step.find(Field::controllers), list)) {
        unable(index, "lists a controller that is not in the topology");
        return;
      }
      const std::uint32_t length = step.kind == StepKind::delete_ns ? 0 : 4096;
      const std::span<const std::byte> data = payload_of(step, controller, entry, 0, length);
      if (!raw) {
        begin_passthrough(index, controller, entry, data, 0);
      } else if (!raw_submit_admin(index, controller, entry, data)) {
        unable(index, fmt::format("{} belongs to a raw driver without an admin queue; put `enable` before it",
                                  controller_name(controller)));
      }
      return;
    }
    default:
      break;
  }
  if (raw) {
    unable(index, fmt::format("{} belongs to no host's driver; use `disable`, `enable` and `register_write`",
                              controller_name(controller)));
    return;
  }
  switch (step.kind) {
    case StepKind::reset:
      request.id = hosts.reset(surroundings, controller);
      break;
    case StepKind::shutdown:
      request.id = hosts.shutdown(surroundings, controller, step.number(Field::abrupt) != 0);
      break;
    default:
      request.id = hosts.rescan(surroundings, controller);
      break;
  }
  requests_.push_back(request);
  drain();
}

// The raw driver takes a controller from its host, or gives it back; ends when the host has let go or set up.
void Runner::change_hands(std::size_t index, std::uint32_t controller, bool take) {
  host::Hosts& hosts = world_.hosts();
  if (hosts.driver(controller) == nullptr || world_.raw(controller) == take) {
    world_.set_raw(controller, take || hosts.driver(controller) == nullptr);
    finish(index);
    return;
  }
  Request request;
  request.owner = Owner::passthrough;
  request.where = controller;
  request.step = index;
  if (take) {
    request.stage = kTakesController;
    request.id = hosts.release(world_.host_surroundings(), controller);
  } else {
    world_.set_raw(controller, false);
    request.id = hosts.probe(world_.host_surroundings(), controller);
  }
  requests_.push_back(request);
  drain();
}

void Runner::drain() {
  if (draining_) return;  // the loop below takes what ends meanwhile
  draining_ = true;
  // By index: what ends while this loop runs (a request that fails at once) joins the same list.
  for (std::size_t k = 0; k < world_.hosts().outcomes().size(); ++k) {
    const host::Outcome result = world_.hosts().outcomes()[k];
    const auto at = std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) {
      return r.owner != Owner::raw && r.id == result.request;
    });
    if (at == requests_.end()) continue;
    const Request request = *at;
    requests_.erase(at);
    if (request.workload >= 0) {
      workload_done(static_cast<std::size_t>(request.workload), result.error);
      continue;
    }
    StepOutcome& outcome = outcomes_[request.step];
    outcome.error = result.error;
    outcome.status = result.status;
    outcome.dw0 = result.dw0;
    outcome.dw1 = result.dw1;
    outcome.lost = request.owner == Owner::passthrough && !result.answered && result.error != 0;
    const bool reads = result.bytes != 0 && result.buffer != 0 && result.error == 0;
    if (reads && (request.expected.check || limits_.keep_data)) {
      const std::uint32_t path = path_of(request);
      outcome.data.resize(result.bytes);
      world_.port(path).memory().read(result.buffer, outcome.data);
      check_data(request.step, request.expected, outcome.data);
      if (!limits_.keep_data) outcome.data.clear();
    }
    if (request.stage == kTakesController) {
      world_.set_raw(request.where, true);
      raw_[request.where].driver.reset();
    }
    bind_outcome(request.step);
    finish(request.step);
  }
  if (!world_.hosts().outcomes().empty()) world_.hosts().clear_outcomes();
  draining_ = false;
}

// A controller whose port reaches the memory of the host that a request belongs to.
std::uint32_t Runner::path_of(const Request& request) const {
  if (request.owner != Owner::application) return request.where;
  std::uint32_t controller = 0;
  Value path;
  path.form = program::Form::name;
  path.text = program_.hosts[request.where].paths.front();
  controller_of(&path, controller);
  return controller;
}

void Runner::bind_outcome(std::size_t index) {
  const Step& step = program_.steps[index];
  if (!step.as.empty() && outcomes_[index].error == 0 && outcomes_[index].status == 0) {
    names_[step.as] = outcomes_[index].dw0;
  }
}

// `heads`: which controllers have a path to a namespace, on any host.
void Runner::check_heads(std::size_t index, const Value& heads) {
  for (const Value& row : heads.list) {
    Value name;
    name.form = program::Form::name;
    name.text = row.text;
    std::vector<std::string> wanted, seen;
    for (const Value& controller : row.list) wanted.push_back(controller.text);
    for (std::uint32_t c = 0; c < world_.controllers(); ++c) {
      std::uint32_t nsid = 0;
      if (world_.hosts().driver(c) == nullptr || !ns_of(&name, c, nsid)) continue;
      const bool topology_name = std::any_of(
          program_.topology.namespaces.begin(), program_.topology.namespaces.end(), [&](const auto& ns) {
            return ns.id == row.text && ns.subsystem != world_.device().controllers[c].subsystem;
          });
      const auto shown = world_.hosts().namespaces_of(c);
      if (!topology_name && std::binary_search(shown.begin(), shown.end(), nsid))
        seen.push_back(controller_name(c));
    }
    std::sort(wanted.begin(), wanted.end());
    std::sort(seen.begin(), seen.end());
    if (wanted != seen) {
      fail(index, fmt::format("the head of {} should have paths [{}] but has [{}]", row.text,
                              fmt::join(wanted, ", "), fmt::join(seen, ", ")));
    }
  }
}

}  // namespace polypath::target
