// Identify Controller: what a controller announces, and what all controllers of a subsystem have in common.
#include <fmt/format.h>

#include "model/firmware.h"
#include "model/identify.h"
#include "model/registers.h"

namespace polypath::model {
namespace {

std::string trimmed(std::span<const char> text) {
  std::string out(text.begin(), text.end());
  while (!out.empty() && (out.back() == ' ' || out.back() == '\0')) out.pop_back();
  return out;
}

Announced read_announced(const spec::IdentifyController& id) {
  Announced a;
  a.known = true;
  a.cntlid = id.cntlid;
  a.oacs = id.oacs;
  a.oncs = id.oncs;
  a.fuses = id.fuses;
  a.acwu = id.acwu;
  a.ocfs = id.ocfs;
  a.acl = id.acl;
  a.aerl = id.aerl;
  a.elpe = id.elpe;
  a.lpa = id.lpa;
  a.mdts = id.mdts;
  a.npss = id.npss;
  a.vwc = id.vwc;
  a.cmic = id.cmic;
  a.cntrltype = id.cntrltype;
  a.nwpc = id.nwpc;
  a.nn = id.nn;
  a.mnan = id.mnan;
  a.maxcna = id.maxcna;
  a.maxdna = id.maxdna[0];
  a.oaes = id.oaes;
  a.sgls = id.sgls;
  a.kas = id.kas;
  a.edstt = id.edstt;
  a.sanicap = id.sanicap;
  a.frmw = id.frmw;
  a.fwug = id.fwug;
  a.fna = id.fna;
  a.dsto = id.dsto;
  a.mntmt = id.mntmt;
  a.mxtmt = id.mxtmt;
  a.ctratt = id.ctratt;
  a.anagrpmax = id.anagrpmax;
  a.endgidmax = id.endgidmax;
  a.nsetidmax = id.nsetidmax;
  a.sn = id.sn;
  a.mn = id.mn;
  a.subnqn = id.subnqn;
  return a;
}

void compare_with_before(const Scene& scene, const Command& command, const Announced& before,
                         const Announced& now) {
  exercised(scene, Rule::r17);
  const auto same = [&](const char* what, const std::string& was, const std::string& is) {
    if (was == is) return;
    violation(scene, Rule::r17, fmt::format("{} of {} changed", what, name_of(scene, scene.index)), was, is,
              {command.submitted});
  };
  same("CNTLID", fmt::format("{}", before.cntlid), fmt::format("{}", now.cntlid));
  same("the subsystem NQN", trimmed(before.subnqn), trimmed(now.subnqn));
  same("the serial number", trimmed(before.sn), trimmed(now.sn));
}

void compare_with_peer(const Scene& scene, const Command& command, std::uint16_t other, const Announced& peer,
                       const Announced& own) {
  const auto say = [&](Rule rule, const char* what, const std::string& theirs, const std::string& ours) {
    violation(scene, rule,
              fmt::format("{} and {} differ in {}", name_of(scene, other), name_of(scene, scene.index), what),
              theirs, ours, {command.submitted});
  };
  exercised(scene, Rule::ns08);
  if (peer.cntlid == own.cntlid) {
    violation(scene, Rule::ns08,
              fmt::format("{} and {} have one controller identifier", name_of(scene, other),
                          name_of(scene, scene.index)),
              "identifiers of their own", fmt::format("CNTLID {}", own.cntlid), {command.submitted});
  }
  // Discovery and administrative controllers announce other things.
  if (peer.cntrltype > 1 || own.cntrltype > 1) return;
  exercised(scene, Rule::ns07);
  if (trimmed(peer.sn) != trimmed(own.sn)) {
    if (scene.s.serials_may_differ) {
      ++statistics_of(scene, Rule::ns07).waived;
    } else {
      say(Rule::ns07, "the serial number", trimmed(peer.sn), trimmed(own.sn));
    }
  }
  if (trimmed(peer.mn) != trimmed(own.mn))
    say(Rule::ns07, "the model number", trimmed(peer.mn), trimmed(own.mn));
  if (trimmed(peer.subnqn) != trimmed(own.subnqn))
    say(Rule::ns07, "the subsystem NQN", trimmed(peer.subnqn), trimmed(own.subnqn));
  const auto number = [&](const char* what, std::uint32_t theirs, std::uint32_t ours) {
    if (theirs != ours) say(Rule::ns07, what, fmt::format("{}", theirs), fmt::format("{}", ours));
  };
  number("NN", peer.nn, own.nn);
  number("MNAN", peer.mnan, own.mnan);
  number("ANAGRPMAX", peer.anagrpmax, own.anagrpmax);
  number("ENDGIDMAX", peer.endgidmax, own.endgidmax);
  number("NSETIDMAX", peer.nsetidmax, own.nsetidmax);
  number("support of reservations", peer.oncs & spec::oncs::reservations,
         own.oncs & spec::oncs::reservations);
  number("support of ANA", peer.cmic & spec::cmic::ana, own.cmic & spec::cmic::ana);
}

}  // namespace

void check_controller(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  Controller& c = scene.c();
  const auto id = read_as<spec::IdentifyController>(data);
  const Announced fresh = read_announced(id);
  exercised(scene, Rule::ns08);
  if (fresh.cntlid > 0xFFEF) {
    violation(scene, Rule::ns08, fmt::format("{} has a reserved identifier", name_of(scene, scene.index)),
              "CNTLID up to FFEFh", fmt::format("CNTLID {:04X}h", fresh.cntlid), {command.submitted});
  }
  check_revision(scene, command, id.fr);
  if (c.announced.known) compare_with_before(scene, command, c.announced, fresh);
  if (!c.announced.known) {
    // One comparison for each pair of controllers.
    for (const auto other : scene.s.subsystems[c.subsystem].controllers) {
      const Announced& peer = scene.s.controllers[other].announced;
      if (other != scene.index && peer.known) compare_with_peer(scene, command, other, peer, fresh);
    }
    // Limits were not known before: what was too many since is not known either.
    c.aers.over_until = c.aers.open > fresh.aerl + 1U ? kNow : scene.now;
    c.aborts.over_until = c.aborts.open > fresh.acl + 1U ? kNow : scene.now;
  }
  c.announced = fresh;
  c.cntlid = fresh.cntlid;
}

}  // namespace polypath::model
