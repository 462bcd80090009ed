// Which namespaces a controller shows: read at set-up, on request, and after a namespace event. One command
// at a time. Base specification, "Identify command", "Asynchronous Event Request", "Changed Attached
// Namespace List".
#include <algorithm>
#include <cstring>

#include "host/act.h"
#include "spec/identify.h"
#include "spec/log_feature_event.h"

namespace polypath::host {
namespace {

spec::SubmissionEntry identify(spec::Cns cns, std::uint32_t nsid) {
  spec::SubmissionEntry entry;
  entry.opcode = 0x06;
  entry.nsid = nsid;
  entry.cdw10 = static_cast<std::uint32_t>(cns);
  return entry;
}

}  // namespace

bool Identity::empty() const {
  return uuid == Identity{}.uuid && nguid == Identity{}.nguid && eui64 == Identity{}.eui64;
}

void Act::event_arrived(std::uint32_t driver, const Completion& completion) {
  if (completion.cancelled || completion.status != 0) return;  // refused: asking again would be refused again
  constexpr std::uint32_t kTypeAndInfo = 0xFF07;
  const std::uint32_t ns_attribute = spec::event_dword(
      spec::EventType::notice, spec::event_info::ns_attribute_changed, spec::LogId::changed_ns);
  if ((completion.dw0 & kTypeAndInfo) == (ns_attribute & kTypeAndInfo)) {
    s.drivers[driver].changed_log_wanted = true;
    want_scan(driver);
  }
  submit_event_request(driver);
}

void Act::want_scan(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.scan_wanted = true;
  if (d.state != ControllerState::live || d.scan != ScanStep::none || d.scan_scheduled) return;
  d.scan_scheduled = true;
  ready(What::scan, driver, d.epoch);
}

void Act::begin_scan(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.scan_scheduled = false;
  if (d.state != ControllerState::live || d.scan != ScanStep::none || d.step != Step::none) return;
  d.scan_wanted = false;
  ++d.scans;
  d.previous_nsid = 0;
  if (d.io_queues == 0) return end_scan(driver);  // nothing could be done with a namespace
  if (!d.changed_log_wanted) return list_active(driver);
  // Reading it (RAE 0) re-enables the event; what it says is not used, the list below is complete.
  d.changed_log_wanted = false;
  d.scan = ScanStep::changed_log;
  spec::SubmissionEntry entry;
  entry.opcode = 0x02;
  entry.nsid = spec::kBroadcastNsid;
  entry.cdw10 = static_cast<std::uint32_t>(spec::LogId::changed_ns) | (spec::kChangedNsLogBytes / 4 - 1)
                                                                          << 16U;
  send_to_page(driver, entry);
}

void Act::stop_scan(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.scan = ScanStep::none;
  d.scan_scheduled = false;
  d.own = {};
}

void Act::list_active(std::uint32_t driver) {
  s.drivers[driver].scan = ScanStep::active_list;
  send_to_page(driver, identify(spec::Cns::active_list, s.drivers[driver].previous_nsid));
}

void Act::scan_done(std::uint32_t driver, const Completion& completion) {
  Driver& d = s.drivers[driver];
  const bool good = completion.status == 0;
  const auto skip = [&] {
    d.previous_nsid = d.listed[d.at_listed++];
    next_listed(driver);
  };
  switch (d.scan) {
    case ScanStep::none:
      return;
    case ScanStep::changed_log:
      return list_active(driver);
    case ScanStep::active_list:
      if (!good) return end_scan(driver);  // removes nothing
      return take_list(driver);
    case ScanStep::descriptors:
      if (!good) return skip();  // a path that exists stays
      return take_descriptors(driver);
    case ScanStep::identify:
      if (!good) {
        const Handle path = path_of(d, d.listed[d.at_listed]);
        if (path && (completion.status & spec::kStatusDnr) != 0) remove_path(path);
        return skip();
      }
      take_namespace(driver);
      return skip();
  }
}

void Act::take_list(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  std::array<std::uint32_t, spec::kNsListEntries> list;
  port(d).memory().read_value(d.page, list);
  d.listed.clear();
  d.at_listed = 0;
  std::uint32_t last = d.previous_nsid;
  for (const std::uint32_t nsid : list) {
    if (nsid <= last) break;  // the end, or an order that the standard does not allow
    d.listed.push_back(last = nsid);
  }
  next_listed(driver);
}

void Act::next_listed(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (d.at_listed < d.listed.size()) {
    const std::uint32_t nsid = d.listed[d.at_listed];
    remove_between(driver, d.previous_nsid, nsid);
    d.scan = ScanStep::descriptors;
    return send_to_page(driver, identify(spec::Cns::ns_descriptors, nsid));
  }
  if (d.listed.size() == spec::kNsListEntries) return list_active(driver);
  remove_between(driver, d.previous_nsid, spec::kBroadcastNsid);
  end_scan(driver);
}

void Act::take_descriptors(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  std::array<std::uint8_t, spec::kIdentifyBytes> data;
  port(d).memory().read_value(d.page, data);
  Identity identity;
  const auto copy = [&](auto& to, std::size_t from, std::size_t bytes) {
    if (bytes == sizeof to) std::memcpy(&to, data.data() + from, sizeof to);
  };
  constexpr std::size_t kHeader = 4;
  for (std::size_t at = 0; at + kHeader <= data.size();) {
    const std::size_t bytes = data[at + 1];
    if (bytes == 0 || at + kHeader + bytes > data.size()) break;
    switch (static_cast<spec::NidType>(data[at])) {
      case spec::NidType::eui64:
        copy(identity.eui64, at + kHeader, bytes);
        break;
      case spec::NidType::nguid:
        copy(identity.nguid, at + kHeader, bytes);
        break;
      case spec::NidType::uuid:
        copy(identity.uuid, at + kHeader, bytes);
        break;
      case spec::NidType::csi:
        copy(identity.csi, at + kHeader, bytes);
        break;
    }
    at += kHeader + bytes;
  }
  d.found = identity;
  d.scan = ScanStep::identify;
  send_to_page(driver, identify(spec::Cns::ns, d.listed[d.at_listed]));
}

void Act::take_namespace(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  const std::uint32_t nsid = d.listed[d.at_listed];
  spec::IdentifyNamespace data;
  port(d).memory().read_value(d.page, data);
  const Handle existing = path_of(d, nsid);
  if (data.ncap == 0) {  // no longer active
    if (existing) remove_path(existing);
    return;
  }
  Identity identity = d.found;
  if (identity.nguid == Identity{}.nguid) identity.nguid = data.nguid;
  if (identity.eui64 == Identity{}.eui64) identity.eui64 = data.eui64;
  const unsigned format = (data.flbas & 0xFU) | (data.flbas >> 1U & 0x30U);
  const unsigned shift = data.lbaf[format] >> 16U & 0xFFU;
  constexpr unsigned kShiftMin = 9, kShiftMax = 16;
  if (shift < kShiftMin || shift > kShiftMax) return;  // a format that no disk could have

  Path shown;
  shown.driver = driver;
  shown.nsid = nsid;
  shown.identity = identity;
  shown.blocks = data.nsze;
  shown.used_blocks = data.nuse;
  shown.block_bytes = 1U << shift;
  shown.metadata.bytes = static_cast<std::uint16_t>(data.lbaf[format] & 0xFFFFU);
  shown.metadata.type = data.dps & spec::dps::type;
  if (!existing) {
    return add_path(driver, nsid, identity, shown, (data.nmic & spec::nmic::shared) != 0);
  }
  if (s.paths[existing.index].identity != identity)
    return remove_path(existing);  // another namespace by this name
  update_path(existing, shown);
}

Handle Act::path_of(const Driver& d, std::uint32_t nsid) const {
  const auto at = std::lower_bound(d.paths.begin(), d.paths.end(), nsid, [&](Handle path, std::uint32_t n) {
    return s.paths[path.index].nsid < n;
  });
  return at != d.paths.end() && s.paths[at->index].nsid == nsid ? *at : Handle{};
}

/// Removes the paths with `after` < NSID < `before`: the controller does not list them.
void Act::remove_between(std::uint32_t driver, std::uint32_t after, std::uint32_t before) {
  Driver& d = s.drivers[driver];
  const auto first =
      std::upper_bound(d.paths.begin(), d.paths.end(), after,
                       [&](std::uint32_t n, Handle path) { return n < s.paths[path.index].nsid; });
  const auto at = static_cast<std::size_t>(first - d.paths.begin());
  while (at < d.paths.size() && s.paths[d.paths[at].index].nsid < before) remove_path(d.paths[at]);
}

void Act::end_scan(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.scan = ScanStep::none;
  std::vector<Handle> done;
  std::erase_if(d.scan_waiters, [&](const ScanWaiter& waiter) {
    if (waiter.scan <= d.scans) done.push_back(waiter.request);
    return waiter.scan <= d.scans;
  });
  for (const Handle request : done) end_request(request);
  if (d.scan_wanted) want_scan(driver);
  Host& host = s.hosts[d.host];
  if (host.probing == driver + 1) {
    host.probing = 0;
    probe_next(d.host);
  }
}

}  // namespace polypath::host
