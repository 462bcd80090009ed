#include "target/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "device/faults.h"
#include "device/profile.h"
#include "target/machine_port.h"

namespace polypath::target {

// What one controller's host sees: registers go through the observer to the device.
class World::SimulatedPort final : public port::Port {
 public:
  SimulatedPort(World& world, std::uint32_t controller) : world_(world), controller_(controller) {}

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override {
    const std::uint64_t value = device::read_register(world_.state_.device, controller_, offset, bytes);
    observer().register_read(scene(), offset, value, bytes);
    return value;
  }
  void write_register(std::uint32_t offset, std::uint64_t value, unsigned bytes) override {
    observer().register_write(scene(), offset, value, bytes);
    device::write_register(world_.state_.device, world_.device_surroundings(), controller_, offset, value,
                           bytes);
  }
  port::HostMemory& memory() override { return *world_.functions_[controller_].memory; }
  void mask_vector(std::uint16_t vector, bool masked) override {
    observer().vector_mask(scene(), vector, masked);
    device::mask_vector(world_.state_.device, world_.device_surroundings(), controller_, vector, masked);
  }
  std::uint16_t vectors() const override { return world_.state_.device.controllers[controller_].vectors; }

 private:
  void doorbell_moved(std::uint16_t qid, bool completion, std::uint32_t value,
                      std::uint32_t event_index) override {
    observer().doorbell_moved(scene(), qid, completion, value, event_index);
  }
  port::Observer& observer() { return world_.state_.observers[controller_]; }
  port::Observer::Scene scene() { return world_.device_surroundings().scene(controller_); }

  World& world_;
  std::uint32_t controller_;
};

World::World(const program::Program& program, std::unique_ptr<Machine> machine)
    : machine_(std::move(machine)) {
  trace_.header = make_header(program);
  if (machine_ != nullptr) describe_machine(*machine_, trace_.header);
  state_.engine = engine::Engine(program.seed);
  state_.engine.set_overrides(program.overrides);
  state_.device = device::make_device(program.topology, *device::find_profile(program.profile));
  const std::size_t count = program.topology.controllers.size();
  const auto shared = static_cast<std::uint32_t>(program.hosts.size());
  memory_of_.assign(count, shared);
  state_.memories.resize(program.hosts.size() + 1);
  if (machine_ != nullptr) state_.memories.back() = port::HostMemory(machine_->memory());
  seen_.resize(machine_ != nullptr ? count : 0);
  given_up_.resize(seen_.size());
  state_.raw.assign(count, 1);
  state_.block_sizes.resize(std::max<std::size_t>(trace_.header.subsystems.size(), 1));
  for (const auto& ns : trace_.header.namespaces)
    state_.block_sizes[ns.subsystem].learn(ns.nsid, {ns.block_bytes, ns.metadata}, 0);
  for (std::uint32_t k = 0; k < count; ++k) {
    state_.observers.emplace_back(static_cast<std::uint16_t>(k));
    if (machine_ != nullptr) {
      ports_.push_back(std::make_unique<MachinePort>(*this, k));
    } else {
      ports_.push_back(std::make_unique<SimulatedPort>(*this, k));
    }
    port_pointers_.push_back(ports_.back().get());
  }
  for (std::uint32_t h = 0; h < program.hosts.size(); ++h) {
    const program::HostSpec& spec = program.hosts[h];
    const std::uint32_t host = state_.hosts.add_host(spec);
    for (const std::string& path : spec.paths) {
      const auto& all = program.topology.controllers;
      const auto at = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.id == path; });
      const auto controller = static_cast<std::uint32_t>(at - all.begin());
      if (controller >= count) continue;
      memory_of_[controller] = machine_ != nullptr ? shared : h;
      state_.raw[controller] = spec.later ? 1 : 0;
      state_.hosts.add_path(host, controller, at->id, at->address);
    }
  }
  for (const std::string& fault : program.faults) set_fault(fault, true);
  connect();
}

World::~World() = default;

// Points the ports at the state where it lies now.
void World::connect() {
  functions_.resize(memory_of_.size());
  for (std::size_t k = 0; k < memory_of_.size(); ++k) {
    functions_[k] = {&state_.memories[memory_of_[k]], &state_.observers[k],
                     &state_.block_sizes[trace_.header.controllers[k].subsystem]};
  }
}

port::Port& World::port(std::uint32_t controller) { return *ports_[controller]; }

host::Surroundings World::host_surroundings() { return {state_.engine, trace_, port_pointers_}; }

bool World::set_fault(const std::string& id, bool on) {
  const device::FaultRow* row = device::find_fault(id);
  if (row == nullptr || !device::faults_compiled_in()) return false;
  state_.device.faults.set(row->fault, on);
  return true;
}

void World::reset_function(std::uint32_t controller, trace::FunctionEvent what) {
  const auto& subsystem = state_.device.subsystems[state_.device.controllers[controller].subsystem];
  for (const std::uint32_t k : std::vector<std::uint32_t>(subsystem.controllers)) {
    if (what != trace::FunctionEvent::power_cycle && k != controller) continue;
    state_.observers[k].function(device_surroundings().scene(k), what);
    device::reset_function(state_.device, device_surroundings(), k, what);
  }
  if (what == trace::FunctionEvent::power_cycle) {
    device::lose_power(state_.device, device_surroundings(), state_.device.controllers[controller].subsystem);
  }
}

void World::fail(std::uint32_t controller) {
  state_.observers[controller].failed(device_surroundings().scene(controller));
  device::fail(state_.device, device_surroundings(), controller);
}

bool World::wear_zone(std::uint32_t controller, std::uint32_t nsid, std::uint64_t lba, bool offline) {
  const std::uint32_t subsystem = state_.device.controllers[controller].subsystem;
  const auto& rows = state_.device.subsystems[subsystem].ns_of_nsid;
  if (nsid >= rows.size() || rows[nsid] == 0) return false;
  const device::Namespace& ns = state_.device.namespaces[rows[nsid] - 1];
  if (!ns.zoned() || lba >= ns.blocks) return false;
  const auto what = offline ? trace::AdminAction::zone_offline : trace::AdminAction::zone_read_only;
  state_.observers[controller].administrator(device_surroundings().scene(controller), what, nsid, lba);
  return device::wear_zone(state_.device, device_surroundings(), subsystem, nsid, lba, offline);
}

bool World::step(engine::Time until, engine::Event& out, bool& ours) {
  ours = true;
  if (machine_ != nullptr) poll_machine();
  if (state_.engine.idle() || !state_.engine.next(out, until))
    return false;  // idle: the clock stays where it is
  if (out.what == static_cast<std::uint16_t>(device::What::message)) {
    if (raw(out.whom)) {
      out.what = kRawInterrupt;
      ours = false;
    } else {
      const host::Surroundings surroundings = host_surroundings();
      // A machine's ports have one vector; `arg` counts what was injected then.
      const auto vector = static_cast<std::uint16_t>(machine_ != nullptr ? 0 : out.arg);
      state_.hosts.on_interrupt(surroundings, out.whom, vector);
    }
  } else if (out.what < 100) {
    device::handle(state_.device, device_surroundings(), out);
  } else if (out.what < kRawInterrupt) {
    const host::Surroundings surroundings = host_surroundings();
    state_.hosts.handle(surroundings, out);
  } else {
    ours = false;
  }
  return true;
}

void World::snapshot(Snapshot& out) const {
  out.state = state_;
  out.mark = trace_.mark();
}

void World::restore(const Snapshot& snapshot) {
  state_ = snapshot.state;
  trace_.rewind(snapshot.mark);
  connect();
}

std::uint64_t World::hash(engine::HashKind kind) const {
  engine::Hasher hasher;
  state_.engine.hash(hasher, kind);
  state_.device.hash(hasher, kind);
  state_.hosts.hash(hasher, kind);
  for (const port::HostMemory& memory : state_.memories) memory.hash(hasher);
  for (const std::uint8_t raw : state_.raw) hasher.add(raw);
  return hasher.value();
}

trace::TraceHeader make_header(const program::Program& program) {
  trace::TraceHeader header;
  header.source = "simulator";
  header.profile = program.profile;
  header.seed = program.seed;
  const auto& topology = program.topology;
  for (const auto& subsystem : topology.subsystems) header.subsystems.push_back(subsystem.nqn);
  for (const auto& controller : topology.controllers) {
    trace::ControllerHeader row;
    row.name = controller.id;
    row.subsystem = controller.subsystem;
    row.cntlid = controller.cntlid;
    if (controller.pin) row.observed |= trace::observed::pin;
    row.host = trace::kNoHost;
    for (std::size_t host = 0; host < program.hosts.size(); ++host) {
      const auto& paths = program.hosts[host].paths;
      if (std::find(paths.begin(), paths.end(), controller.id) != paths.end())
        row.host = static_cast<std::uint16_t>(host);
    }
    header.controllers.push_back(row);
  }
  for (const auto& ns : topology.namespaces) {
    trace::NamespaceHeader row;
    row.subsystem = ns.subsystem;
    row.nsid = ns.nsid;
    row.blocks = ns.bytes / ns.block_bytes;
    row.block_bytes = ns.block_bytes;
    row.shared = ns.shared;
    row.content_zero = ns.drive.empty();
    row.metadata = ns.metadata;
    for (std::uint32_t k = 0; k < topology.controllers.size(); ++k) {
      if (ns.detached || topology.controllers[k].subsystem != ns.subsystem) continue;
      if (ns.shared || ns.bus == static_cast<std::int32_t>(k))
        row.attached.push_back(static_cast<std::uint16_t>(k));
    }
    header.namespaces.push_back(row);
  }
  return header;
}

std::string find_problem(const program::Program& program) {
  if (device::find_profile(program.profile) == nullptr) {
    std::string known;
    for (const auto& profile : device::profiles())
      known += (known.empty() ? "" : ", ") + std::string(profile.name);
    return fmt::format("profile '{}' does not exist; known: {}", program.profile, known);
  }
  const device::Profile& profile = *device::find_profile(program.profile);
  for (const auto& ns : program.topology.namespaces) {
    if (ns.metadata.bytes == 0) continue;
    if (device::format_of(profile, ns.block_bytes, ns.metadata) &&
        device::takes_settings(profile, ns.metadata))
      continue;
    return fmt::format(
        "namespace '{}': profile {} has no blocks of {} bytes with such metadata; use `profile: spec-pi` and "
        "one of "
        "the formats of docs/profiles.md",
        ns.id, program.profile, ns.block_bytes);
  }
  for (const std::string& fault : program.faults) {
    if (device::find_fault(fault) == nullptr) {
      return fmt::format("planted fault '{}' does not exist; see `polypath mutants list`", fault);
    }
    if (!device::faults_compiled_in()) {
      return fmt::format("planted fault '{}' is not in this build (preset dist); use preset release", fault);
    }
  }
  if (program.topology.controllers.empty())
    return "the topology has no controller; add `nvme,id=nvme0,serial=foo`";
  return "";
}

}  // namespace polypath::target
