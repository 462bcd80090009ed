// Which namespaces exist and which controller sees them. Base specification, "Namespace Management",
// "Namespace Attachment"; sheet 06, sections 1 and 2.
#include <algorithm>

#include "device/act.h"

namespace polypath::device {
namespace {

auto by_nsid(const Active& a, std::uint32_t nsid) { return a.nsid < nsid; }

// What is in flight to a namespace when it goes is answered as for an inactive one, even if the namespace is
// back by then: no effect after the detach. Sheet 06, section 2, "Outstanding commands".
void orphan_commands(Act& act, std::uint32_t controller, std::uint32_t nsid) {
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    Command* row = act.device.commands.get(act.device.commands.handle_at(k));
    if (row == nullptr || row->controller != controller || row->phase != Phase::waiting) continue;
    if (row->entry.nsid == nsid && act.device.sqs.get(row->sq)->qid != 0) row->orphaned = true;
  }
}

}  // namespace

std::int64_t allocated(const Act& act, std::uint32_t controller, std::uint32_t nsid) {
  const Subsystem& subsystem = act.device.subsystems[act.controller(controller).subsystem];
  if (nsid >= subsystem.ns_of_nsid.size() || subsystem.ns_of_nsid[nsid] == 0) return -1;
  return subsystem.ns_of_nsid[nsid] - std::int64_t{1};
}

Active* find_active(Controller& controller, std::uint32_t nsid) {
  const auto at = std::lower_bound(controller.active.begin(), controller.active.end(), nsid, by_nsid);
  return at != controller.active.end() && at->nsid == nsid ? &*at : nullptr;
}

std::int64_t attached(const Controller& controller, std::uint32_t nsid) {
  const auto at = std::lower_bound(controller.active.begin(), controller.active.end(), nsid, by_nsid);
  return at != controller.active.end() && at->nsid == nsid ? std::int64_t{at->ns} : -1;
}

NsidClass classify(const Act& act, std::uint32_t controller, std::uint32_t nsid) {
  if (nsid == spec::kBroadcastNsid) return NsidClass::broadcast;
  if (nsid == 0 || nsid > act.profile().controller.nn) return NsidClass::invalid;
  if (attached(act.controller(controller), nsid) >= 0) return NsidClass::active;
  return allocated(act, controller, nsid) >= 0 ? NsidClass::inactive : NsidClass::unallocated;
}

void attach(Act& act, std::uint32_t ns_index, std::uint32_t controller) {
  Namespace& ns = act.device.namespaces[ns_index];
  Controller& c = act.controller(controller);
  const auto at = std::lower_bound(c.active.begin(), c.active.end(), ns.nsid, by_nsid);
  c.active.insert(at, {ns.nsid, ns_index});
  c.attach_order.push_back(ns.nsid);
  const auto place = std::find_if(ns.controllers.begin(), ns.controllers.end(), [&](std::uint16_t other) {
    return act.device.controllers[other].cntlid > c.cntlid;
  });
  ns.controllers.insert(place, static_cast<std::uint16_t>(controller));
  trace::InsideEvent note;
  note.time = act.world.engine.now();
  note.kind = trace::Inside::attachment;
  note.a = controller;
  note.b = ns.nsid;
  note.c = 1;
  act.world.trace.annotate(note);
}

void detach(Act& act, std::uint32_t ns_index, std::uint32_t controller) {
  Namespace& ns = act.device.namespaces[ns_index];
  Controller& c = act.controller(controller);
  std::erase_if(c.active, [&](const Active& a) { return a.nsid == ns.nsid; });
  std::erase(c.attach_order, ns.nsid);
  std::erase_if(c.changed_zones, [&](const ChangedZones& one) { return one.nsid == ns.nsid; });
  std::erase_if(c.events, [&](const PendingEvent& e) {
    return e.log == spec::LogId::changed_zones && e.nsid == ns.nsid;
  });
  std::erase(ns.controllers, static_cast<std::uint16_t>(controller));
  orphan_commands(act, controller, ns.nsid);
  if (std::find(c.was_active.begin(), c.was_active.end(), ns.nsid) == c.was_active.end()) {
    c.was_active.push_back(ns.nsid);
  }
  trace::InsideEvent note;
  note.time = act.world.engine.now();
  note.kind = trace::Inside::attachment;
  note.a = controller;
  note.b = ns.nsid;
  act.world.trace.annotate(note);
}

std::uint32_t add_namespace(Device& device, std::uint32_t subsystem, const Namespace& ns, Media media) {
  const std::uint32_t index = device.namespaces.insert(ns).index;
  if (index >= device.media.size()) device.media.resize(index + std::size_t{1});
  if (!device.faults.on(Fault::heir_reads_old_data)) device.media[index] = std::move(media);
  device.namespaces[index].media = index;
  Subsystem& owner = device.subsystems[subsystem];
  if (ns.nsid >= owner.ns_of_nsid.size()) owner.ns_of_nsid.resize(ns.nsid + std::size_t{1}, 0);
  owner.ns_of_nsid[ns.nsid] = index + 1;
  owner.allocated_bytes += ns.bytes();
  owner.created += 1;
  return index;
}

void remove_namespace(Act& act, std::uint32_t ns_index) {
  const Namespace& ns = act.device.namespaces[ns_index];
  Subsystem& owner = act.device.subsystems[ns.subsystem];
  owner.ns_of_nsid[ns.nsid] = 0;
  owner.allocated_bytes -= ns.bytes();
  if (!act.broken_by(Fault::heir_reads_old_data)) act.device.media[ns_index] = Media{};
  for (const std::uint32_t controller : owner.controllers)
    std::erase(act.controller(controller).was_active, ns.nsid);
  act.device.namespaces.erase(act.device.namespaces.handle_at(ns_index));
}

}  // namespace polypath::device
