#include "device/io/range.h"

#include <algorithm>

namespace polypath::device::io {

using spec::Status;

Media& media_of(const Act& act, std::uint32_t ns) { return act.device.media[ns]; }

bool cached(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry) {
  const bool cache =
      (act.profile().controller.vwc & 1U) != 0 && act.controller(controller).features.write_cache != 0;
  const bool unit_access = (entry.cdw12 >> 30U & 1U) != 0;
  return cache && (!unit_access || act.broken_by(Fault::fua_ignored));
}

void before_durable(const Act& act, std::uint32_t ns, bool cached) {
  if (!cached && act.device.namespaces[ns].zoned()) media_of(act, ns).flush();
}

void note_versions(const Act& act, std::uint32_t ns, const Range& range) {
  trace::InsideEvent note;
  note.time = act.world.engine.now();
  note.kind = trace::Inside::media_version;
  note.a = act.device.namespaces[ns].nsid;
  const std::uint64_t block = act.device.namespaces[ns].place(1);
  note.value = range.offset / block;
  note.b = static_cast<std::uint32_t>(range.bytes / block);
  note.c = static_cast<std::uint32_t>(media_of(act, ns).version(range.offset));
  act.world.trace.annotate(note);
}

void before_write(const Act& act, std::uint32_t ns, std::uint32_t controller) {
  act.device.namespaces[ns].last_writer = controller;
  if (!act.fault(Fault::stale_read_on_other_path) && !act.fault(Fault::deallocated_on_one_path)) return;
  if (ns >= act.device.old_media.size()) act.device.old_media.resize(ns + std::size_t{1});
  act.device.old_media[ns] = act.device.media[ns];
}

Range meet(const Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Range range;
  const Controller& c = act.controller(controller);
  std::int64_t ns_index = act.device.commands.get(command)->orphaned ? -1 : attached(c, entry.nsid);
  if (ns_index < 0) {
    const bool haunted =
        act.fault(Fault::detached_ns_answers) && entry.opcode == 0x02 &&
        std::find(c.was_active.begin(), c.was_active.end(), entry.nsid) != c.was_active.end();
    if (haunted) ns_index = allocated(act, controller, entry.nsid);
    if (ns_index < 0) {
      const NsidClass kind = classify(act, controller, entry.nsid);
      range.status = kind == NsidClass::invalid ? Status::invalid_namespace_or_format : Status::invalid_field;
      return range;
    }
    act.fired(Fault::detached_ns_answers);
  }
  range.ns = static_cast<std::uint32_t>(ns_index);
  return range;
}

}  // namespace polypath::device::io
