#include "model/registers.h"
#include "model/power.h"

#include <fmt/format.h>

#include "model/commands.h"
#include "model/firmware.h"
#include "model/keep_alive.h"
#include "model/queues.h"
#include "model/reset.h"
#include "model/zones.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

namespace reg = spec::reg;

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

/// Replaces the half or the whole of a 64-bit property.
bool put(std::uint64_t& target, std::uint32_t base, const trace::BoundaryEvent& event) {
  if (event.a == base && event.b == 8) {
    target = event.c;
  } else if (event.a == base) {
    target = (target & ~0xFFFFFFFFULL) | (event.c & 0xFFFFFFFFULL);
  } else if (event.a == base + 4) {
    target = (target & 0xFFFFFFFFULL) | event.c << 32U;
  } else {
    return false;
  }
  return true;
}

/// What a read of this width at this offset gives of a 64-bit property; false when it reads another one.
bool part(std::uint64_t whole, std::uint32_t base, const trace::BoundaryEvent& event, std::uint64_t& out) {
  if (event.a == base && event.b == 8) {
    out = whole;
  } else if (event.a == base) {
    out = whole & 0xFFFFFFFFULL;
  } else if (event.a == base + 4) {
    out = whole >> 32U;
  } else {
    return false;
  }
  return true;
}

/// Accesses of another width or alignment than a property's are undefined.
bool natural(const trace::BoundaryEvent& event) {
  const bool wide = event.a < reg::vs || (event.a >= reg::asq && event.a < reg::acq + 8);
  return event.b == 4 ? event.a % 4 == 0 : event.b == 8 && wide && event.a % 8 == 0;
}

/// A property that never changes.
void constant(const Scene& scene, const char* name, std::uint64_t before, std::uint64_t value, bool written) {
  const Rule rule = written ? Rule::r16 : Rule::r17;
  exercised(scene, rule);
  if (before == value) return;
  violation(scene, rule,
            fmt::format("{} of {} changed{}", name, name_of(scene, scene.index),
                        written ? " after a write to it" : ""),
            hex(before), hex(value));
}

void read_cap(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  // CAP.TO may follow CC.CRIME.
  const std::uint64_t mask = ~spec::cap::to.mask();
  const std::uint8_t halves = event.a == 4 ? 2 : event.b == 8 ? 3 : 1;
  const std::uint64_t value = event.a == 4 ? event.c << 32U : event.c;
  std::uint64_t covered = halves == 3 ? ~0ULL : halves == 2 ? 0xFFFFFFFF00000000ULL : 0xFFFFFFFFULL;
  if ((c.cap_halves & halves) == halves)
    constant(scene, "CAP", c.cap & covered & mask, value & mask, c.cap_written);
  c.cap = (c.cap & ~covered) | (value & covered);
  c.cap_halves |= halves;
  c.cap_written = false;
}

void late(const Scene& scene, Rule rule, const char* what, Time since, Time bound) {
  Controller& c = scene.c();
  if (c.late || bound == 0 || scene.time < since || scene.time - since <= bound) return;
  c.late = true;
  violation(scene, rule, fmt::format("{} {}", name_of(scene, scene.index), what),
            fmt::format("within {} ms", bound / engine::kMillisecond),
            fmt::format("still not after {} ms", (scene.time - since) / engine::kMillisecond));
}

void read_shutdown(const Scene& scene, std::uint32_t value) {
  Controller& c = scene.c();
  const auto shst = static_cast<std::uint8_t>(spec::csts::shst.get(value));
  const bool subsystem = spec::csts::st.get(value) != 0;  // a subsystem shutdown has its own rules
  if (c.power == Power::unknown && c.shst == 0 && !c.shutdown_asked) {
    c.shst = shst;
    return;
  }
  if (shst != 0 || c.shst != 0) exercised(scene, Rule::r12);
  const auto wrong = [&](const char* allowed) {
    violation(scene, Rule::r12,
              fmt::format("shutdown status of {} moved as no shutdown does", name_of(scene, scene.index)),
              allowed, fmt::format("SHST {} after {}", shst, c.shst), {c.shutdown_from});
  };
  if (!subsystem) {
    if (shst == 3) {
      wrong("0, 1 or 2");
    } else if (shst != 0 && !c.shutdown_asked && c.shst == 0) {
      wrong("0: no shutdown was asked for");
    } else if (shst == 1 && c.shst == 2 && !(c.shst_may_clear && c.shutdown_asked)) {  // another one
      wrong("2, or 0 after a reset");
    } else if (shst == 0 && c.shst != 0 && !c.shst_may_clear) {
      wrong("not back to 0 without a reset");
    }
  }
  if (shst == 0 && c.shst_may_clear) c.shutdown_asked = c.shutdown_complete = false;
  if (shst == 2) {
    exercised(scene, Rule::liv05);
    c.shutdown_complete = true;
    if (spec::cc::shn.get(c.cc) == 1 && c.shutdown_asked) c.written_out = c.shutdown_from;
    zones_after_shutdown(scene, true);
  } else if (c.shutdown_asked) {
    late(scene, Rule::liv05, "does not finish its shutdown", c.shutdown_at, scene.options.shutdown_bound);
  }
  c.shst = shst;
}

// Base: Controller Status, NSSRO. It is valid where CAP announces the reset.
void read_nssro(const Scene& scene, std::uint32_t value) {
  Controller& c = scene.c();
  using Nssro = Controller::Nssro;
  if (!cap_known(c) || spec::cap::nssrs.get(c.cap) == 0) return;
  const Nssro seen = spec::csts::nssro.get(value) != 0 ? Nssro::set : Nssro::clear;
  const Rule rule = c.nssro == Nssro::set && c.nssro_from == c.reset_from ? Rule::r07 : Rule::r08;
  if (c.nssro != Nssro::unknown) exercised(scene, rule);
  if (c.nssro != Nssro::unknown && c.nssro != seen) {
    violation(scene, rule,
              rule == Rule::r07
                  ? fmt::format("{} does not tell of the NVM Subsystem Reset", name_of(scene, scene.index))
                  : fmt::format("{} changed NSSRO by itself", name_of(scene, scene.index)),
              c.nssro == Nssro::set ? "NSSRO 1" : "NSSRO 0", seen == Nssro::set ? "NSSRO 1" : "NSSRO 0",
              {c.nssro_from});
  }
  c.nssro = seen;
}

void read_fatal(const Scene& scene, bool cfs) {
  Controller& c = scene.c();
  if (c.fatal && c.power == Power::ready) {
    exercised(scene, Rule::r15);
    if (!cfs) {
      violation(scene, Rule::r15,
                fmt::format("{} recovered from a fatal error without a reset", name_of(scene, scene.index)),
                "CFS 1", "CFS 0", {c.fatal_from});
      c.fatal = false;
    }
  } else if (cfs && c.power == Power::ready) {
    finish_commands(scene);  // a fatal error is no excuse for what was overdue before it
    c.fatal = true;
    c.fatal_from = scene.now;
  }
}

// Every field of CC is 0 after a reset; CSS, MPS, AMS and CRIME keep the values of the enable.
void read_cc(const Scene& scene) {
  const Controller& c = scene.c();
  const auto value = static_cast<std::uint32_t>(scene.event.c);
  if (value == 0xFFFFFFFF) return;  // the function is gone
  const auto judge = [&](std::uint32_t expected, std::uint64_t mask, const char* allowed, Seq since) {
    exercised(scene, Rule::r03);
    if (((value ^ expected) & mask) == 0) return;
    violation(scene, Rule::r03, fmt::format("CC of {} changed by itself", name_of(scene, scene.index)),
              allowed, hex(value), {since});
  };
  if (c.power == Power::off && c.cc == 0 && c.reset_from != 0 && !c.cc_written) {
    judge(0, spec::kCcFields, "0 in every field after a reset", c.reset_from);
  } else if (c.power == Power::ready && !c.cc_tampered) {
    const std::uint64_t frozen = spec::cc::css.mask() | spec::cc::mps.mask() | spec::cc::ams.mask();
    judge(c.cc_enabled, frozen, "CSS, MPS and AMS as they were enabled", c.ready_from);
  }
}

void read_csts(const Scene& scene) {
  Controller& c = scene.c();
  const auto value = static_cast<std::uint32_t>(scene.event.c);
  if (value == 0xFFFFFFFF) return;  // the function is gone
  const bool rdy = spec::csts::rdy.get(value) != 0;
  const bool cfs = spec::csts::cfs.get(value) != 0;
  const bool en = spec::cc::en.get(c.cc) != 0;
  exercised(scene, Rule::r01);
  switch (c.power) {
    case Power::off:
      if (rdy && !en) {
        violation(scene, Rule::r01,
                  fmt::format("{} is ready and was not enabled", name_of(scene, scene.index)), "RDY 0",
                  "RDY 1", {c.reset_from});
        c.power = Power::unknown;
      }
      break;
    case Power::enabling:
      if (rdy) {
        exercised(scene, Rule::liv03);
        if (spec::csts::shst.get(value) != 0 && spec::csts::st.get(value) == 0 && c.shst != 0) {
          violation(scene, Rule::r01,
                    fmt::format("{} became ready during a shutdown", name_of(scene, scene.index)),
                    "RDY 0 while SHST is not 0", "RDY 1", {c.shutdown_from});
        }
        c.power = Power::ready;
        c.ready_from = scene.now;
        c.late = false;
      } else if (!cfs && !c.shutdown_asked) {  // RDY stays 0 while SHST is not 0
        late(scene, Rule::liv03, "does not become ready", c.enabled_at, ready_timeout(c));
      }
      break;
    case Power::ready:
      if (!rdy && c.undefined) {
        c.power = Power::unknown;
      } else if (!rdy && !cfs) {
        const Rule rule = peer_was_reset(scene, c.ready_seen) ? Rule::r06 : Rule::r01;
        violation(scene, rule,
                  fmt::format("{} stopped being ready and was not disabled", name_of(scene, scene.index)),
                  "RDY 1 while EN is 1", "RDY 0", {c.ready_seen});
        c.power = Power::unknown;
      }
      break;
    case Power::disabling:
      if (rdy) {
        late(scene, Rule::liv04, "does not stop", c.disabled_at, ready_timeout(c));
      } else {
        exercised(scene, Rule::liv04);
        c.power = Power::off;
        c.rdy_low = true;
        c.late = false;
        end_reset(scene);
      }
      break;
    case Power::unknown:
      if (rdy && en) {
        c.power = Power::ready;
        c.ready_from = scene.now;
      }
      break;
  }
  if (rdy) c.ready_seen = scene.now;
  if (rdy && spec::csts::pp.get(value) != 0) judge_pause(scene);
  if (rdy) judge_keep_alive(scene, cfs);
  read_fatal(scene, cfs);
  read_nssro(scene, value);
  read_shutdown(scene, value);
}

void write_cc(const Scene& scene) {
  Controller& c = scene.c();
  const auto value = static_cast<std::uint32_t>(scene.event.c);
  const bool was = spec::cc::en.get(c.cc) != 0;
  const bool en = spec::cc::en.get(value) != 0;
  // SHN 3 is reserved, so what it asks for is open; the kind that follows it asks anew.
  const bool asked_before = spec::cc::shn.get(c.cc) != 0 && spec::cc::shn.get(c.cc) != 3;
  const bool asks = spec::cc::shn.get(value) != 0;
  const auto frozen =
      spec::cc::css.mask() | spec::cc::mps.mask() | spec::cc::ams.mask() | spec::cc::crime.mask();
  if (!was && en) {
    c.cc_enabled = value;
    c.cc_tampered = false;
  } else if (was && en && ((value ^ c.cc_enabled) & frozen) != 0) {
    c.cc_tampered = true;
  }
  c.cc_written = !(was && !en);
  if (((c.cc ^ value) & (spec::cc::iosqes.mask() | spec::cc::iocqes.mask())) != 0)
    c.entry_sizes_from = scene.now;
  c.cc = value;
  if (asks && !asked_before) {
    finish_commands(scene);  // a shutdown is no excuse for what was overdue before it
    c.shutdown_asked = true;
    if (c.shst == 0) c.shst_may_clear = c.undefined;
    c.shutdown_from = scene.now;
    c.shutdown_at = scene.time;
    c.late = false;
    count_peers(scene);
    zones_after_shutdown(scene, false);
  }
  if (en && !was) {
    zones_after_shutdown(scene, false);
    const bool too_soon = c.power == Power::disabling || c.undefined;
    if (c.power == Power::disabling) end_reset(scene);
    // Enabled before RDY was 0: the reset that is under way may end the shutdown that the same write asks
    // for.
    if (!asks || too_soon) c.shst_may_clear = true;
    c.power = Power::enabling;
    c.enabled_at = scene.time;
    c.shutdown_complete = false;
    c.late = false;
    open_admin_queue(scene);
    if (too_soon) forget_controller(scene);
    if (!too_soon) c.admin_moved = false;
  } else if (was && !en) {
    // RDY was not seen to follow EN, so RDY 0 does not show that this reset is over.
    const bool too_soon = c.power == Power::enabling || (c.undefined && c.power != Power::ready);
    begin_reset(scene);
    c.undefined = too_soon;
    c.cc = 0;  // a reset clears every field
    // Reset and shutdown in one write: both happen, and the shutdown is the younger one.
    if (asks && !asked_before && c.shst == 0) c.shst_may_clear = false;
  } else if (!en && c.power == Power::unknown) {
    begin_reset(scene);
    c.cc = 0;
  }
}

}  // namespace

void start_registers(const trace::TraceHeader& header, State& state) {
  for (const auto& row : header.controllers) {
    Controller c;
    c.subsystem = row.subsystem;
    c.observed = row.observed;
    c.cntlid = row.cntlid;
    c.host = row.host;
    c.initial_known = row.initial_state_known;
    if (!c.initial_known) {
      c.power = Power::unknown;
      c.admin_known = false;
      c.rdy_low = false;
      c.nssro = Controller::Nssro::unknown;
      c.cc_tampered = true;
      c.cause_unknown = true;
      c.acre.forget();
    }
    state.controllers.push_back(std::move(c));
  }
}

Time ready_timeout(const Controller& c) {
  if (!cap_known(c)) return 0;
  const std::uint64_t to = spec::cap::to.get(c.cap);
  if (to == 0xFF) return c.crto_known ? (c.crto & 0xFFFFU) * 500 * engine::kMillisecond : 0;
  return (to == 0 ? 1 : to) * 500 * engine::kMillisecond;
}

bool peer_was_reset(const Scene& scene, Seq since) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    if (other == scene.index) continue;
    const Controller& peer = scene.s.controllers[other];
    if (peer.reset_from != 0 && peer.reset_until >= since) return true;
    if (peer.shutdown_from != 0 && peer.shutdown_from >= since) return true;
  }
  return false;
}

void on_register_write(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  if (!natural(event)) return;
  const bool en = spec::cc::en.get(c.cc) != 0;
  if (event.a < reg::vs) c.cap_written = true;
  if (event.a == reg::vs) c.vs_written = true;
  if (event.a == reg::crto) c.crto_written = true;
  if (event.a == reg::intms) c.intm |= static_cast<std::uint32_t>(event.c);
  if (event.a == reg::intmc) c.intm &= ~static_cast<std::uint32_t>(event.c);
  if (event.a == reg::intms || event.a == reg::intmc) on_pin_mask(scene);
  if (event.a == reg::nssr && event.c == spec::kSubsystemReset) {
    if (cap_known(c) && spec::cap::nssrs.get(c.cap) != 0) reset_subsystem(scene);
    if (!cap_known(c)) doubt_subsystem(scene);
    return;
  }
  if (!en) {
    bool admin = put(c.asq, reg::asq, event) || put(c.acq, reg::acq, event);
    if (event.a == reg::aqa) {
      c.aqa = static_cast<std::uint32_t>(event.c);
      admin = true;
    }
    if (admin) c.admin_kept = c.admin_lost = false;
  } else if (event.a >= reg::aqa && event.a < reg::acq + 8) {
    c.admin_moved = true;
  }
  if (event.a == reg::csts && spec::csts::nssro.get(event.c) != 0 && c.nssro != Controller::Nssro::unknown) {
    c.nssro = Controller::Nssro::clear;
    c.nssro_from = scene.now;
  }
  if (event.a == reg::cc) write_cc(scene);
}

void on_register_read(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  if (!natural(event)) return;
  if (event.a < reg::vs) {
    read_cap(scene);
  } else if (event.a == reg::vs && event.b == 4) {
    if (c.vs_known) constant(scene, "VS", c.vs, event.c, c.vs_written);
    c.vs = static_cast<std::uint32_t>(event.c);
    c.vs_known = true;
    c.vs_written = false;
  } else if (event.a == reg::crto && event.b == 4) {
    if (c.crto_known) constant(scene, "CRTO", c.crto, event.c, c.crto_written);
    c.crto = static_cast<std::uint32_t>(event.c);
    c.crto_known = true;
    c.crto_written = false;
  } else if (event.a == reg::csts) {
    read_csts(scene);
  } else if (event.a == reg::cc && event.b == 4) {
    read_cc(scene);
  } else if (c.admin_known && (c.admin_kept || c.admin_lost)) {
    std::uint64_t expected = 0;
    const char* name = "AQA";
    if (event.a == reg::aqa) {
      expected = c.aqa & (spec::aqa::asqs.mask() | spec::aqa::acqs.mask());
    } else if (c.admin_lost) {
      return;  // what ASQ and ACQ then hold is free
    } else if (part(c.asq, reg::asq, event, expected)) {
      name = "ASQ";
    } else if (part(c.acq, reg::acq, event, expected)) {
      name = "ACQ";
    } else {
      return;
    }
    exercised(scene, Rule::r05);
    // The low bits of the addresses are reserved.
    const std::uint64_t mask =
        event.a == reg::aqa || event.a == reg::asq + 4 || event.a == reg::acq + 4 ? ~0ULL : ~0xFFFULL;
    if ((event.c & mask) != (expected & mask)) {
      violation(
          scene, Rule::r05,
          fmt::format("{} of {} was {}", name, name_of(scene, scene.index),
                      c.admin_lost ? "kept over a reset of the function" : "lost in a Controller Reset"),
          hex(expected), hex(event.c), {c.reset_from});
    }
  }
}

void on_function(const Scene& scene) {
  Controller& c = scene.c();
  const auto what = static_cast<trace::FunctionEvent>(scene.event.a);
  if (what == trace::FunctionEvent::fatal) {
    finish_commands(scene);
    c.fatal = true;
    c.fatal_from = scene.now;
    return;
  }
  lose_function(scene);
  if (what == trace::FunctionEvent::power_cycle) {
    // Nothing is under way without power: a host need not see RDY 0 before it enables what comes back.
    c.power = Power::off;
    c.rdy_low = true;
    end_reset(scene);
    c.nssro = Controller::Nssro::clear;
    c.nssro_from = scene.now;
    lose_power(scene);
  }
}

}  // namespace polypath::model
