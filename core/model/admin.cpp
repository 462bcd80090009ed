#include "model/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/attachment.h"
#include "model/events.h"
#include "model/features.h"
#include "model/firmware.h"
#include "model/format.h"
#include "model/identify.h"
#include "model/io.h"
#include "model/keep_alive.h"
#include "model/lba_status.h"
#include "model/logs.h"
#include "model/namespaces.h"
#include "model/queue_commands.h"
#include "model/queues.h"
#include "model/sanitize.h"
#include "model/self_test.h"
#include "model/status.h"
#include "model/zones.h"
#include "spec/commands.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::Status;

/// How a command ended, for those who take its effect in.
End end_of(const Completion& completion) { return completion.success() ? End::applied : End::refused; }

// Before Identify Controller any number may be too many.
std::uint32_t aer_limit(const Controller& c) { return c.announced.known ? c.announced.aerl + 1U : 0; }
std::uint32_t abort_limit(const Controller& c) { return c.announced.known ? c.announced.acl + 1U : 0; }

void end_command(const Scene& scene, Command& command, End end, const Completion* completion) {
  if (keeps_alive(command)) end_keep_alive(scene, command, end);
  switch (command.entry.opcode) {
    case opcode::create_sq:
    case opcode::delete_sq:
    case opcode::create_cq:
    case opcode::delete_cq:
      end_queue_command(scene, command, end);
      break;
    case opcode::set_features:
      end_set_features(scene, command, end, completion);
      break;
    case opcode::ns_attachment:
      end_attachment(scene, command, end, completion);
      break;
    case opcode::ns_management:
      end_management(scene, command, end, completion);
      break;
    case opcode::get_log_page:
      end_log_read(scene, command, end == End::applied);
      break;
    case opcode::async_event_request:
      scene.c().aers.end(aer_limit(scene.c()), scene.now);
      request_gone(scene);
      break;
    case opcode::abort:
      scene.c().aborts.end(abort_limit(scene.c()), scene.now);
      break;
    case opcode::format:
      end_format(scene, command, end, completion);
      break;
    case opcode::self_test:
      end_self_test(scene, command, end);
      break;
    case opcode::sanitize:
      end_sanitize(scene, command, end);
      break;
    case opcode::firmware_commit:
      end_commit(scene, command, end, completion);
      break;
    case opcode::get_lba_status:
      end_lba_status(scene, command);
      break;
    default:
      break;
  }
}

void begin_abort(const Scene& scene, Command& command) {
  Controller& c = scene.c();
  c.aborts.begin(abort_limit(c));
  Detail& detail = edit_detail(scene, command);
  Command* victim = find_command(c, static_cast<std::uint16_t>(command.entry.cdw10),
                                 static_cast<std::uint16_t>(command.entry.cdw10 >> 16U));
  if (victim == nullptr || victim == &command) return;
  victim->abort_asked = true;
  detail.victim = victim->submitted;
}

void finish_abort(const Scene& scene, const Command& command, const Completion& completion) {
  exercised(scene, Rule::q27);
  if (!completion.success() || command.detail == kNone) return;
  exercised(scene, Rule::q26);
  const bool at_once = (completion.entry.dw0 & 1U) == 0;
  if (!at_once) return;
  Controller& c = scene.c();
  const Detail& detail = scene.s.details[command.detail];
  if (detail.victims_many) {
    inconclusive(scene, Rule::q26);
    return;
  }
  const auto say = [&](std::string seen) {
    violation(scene, Rule::q26,
              fmt::format("{}: says that it aborted a command at once", text_of(scene, command)),
              "IANP 0 only for a command that ends with abort_requested", std::move(seen),
              {detail.victim, command.submitted});
  };
  if (detail.victim_completed) {
    const auto status = static_cast<Status>(detail.victim_status);
    if (status != Status::abort_requested) say("its command ended with " + spec::status_name(status));
    return;
  }
  Command* victim = find_command(c, static_cast<std::uint16_t>(command.entry.cdw10),
                                 static_cast<std::uint16_t>(command.entry.cdw10 >> 16U));
  if (victim == nullptr || victim == &command) {
    if (c.initial_known) say("no such command was open");
    return;
  }
  if (victim->reused_cid) return;
  victim->aborted_at_once = true;
  if (victim->sqid != 0) end_write(scene, *victim, WriteEnd::aborted);
}

}  // namespace

void lose_namespace(Namespace& ns) {
  lose_zones(ns);
  ns.attached_default.forget();
  for (auto& attached : ns.attached) attached.fact.forget();
  ns.tracked = false;
  ns.written_untracked = true;
  ns.metadata = {};
  ns.blocks = 0;
  ns.block_bytes = 0;
  ns.identified = ns.block_size_given = false;
  ns.identity = {};
  ns.formatted = false;
  ns.format_wanted = -1;
  ns.formats = 0;
  ns.shared = 2;
}

void lose_subsystem(const Scene& scene) {
  auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  subsystem.complete = false;
  for (const auto index : subsystem.namespaces) {
    scene.s.namespaces[index].exists.forget();
    lose_namespace(scene.s.namespaces[index]);
  }
  for (const auto controller : subsystem.controllers) {
    Controller& c = scene.s.controllers[controller];
    c.cause_unknown = true;
    c.due = false;
    for (auto& changed : c.changed) changed.sure = false;
  }
  bind_open_commands(scene);
}

void begin_admin(const Scene& scene, Command& command, std::span<const std::byte> data) {
  Controller& c = scene.c();
  command.length_known = true;
  if (keeps_alive(command)) begin_keep_alive(scene, command);
  switch (command.entry.opcode) {
    case opcode::create_sq:
    case opcode::delete_sq:
    case opcode::create_cq:
    case opcode::delete_cq:
      begin_queue_command(scene, command);
      break;
    case opcode::set_features:
      begin_set_features(scene, command, data);
      break;
    case opcode::ns_attachment:
      begin_attachment(scene, command, data);
      break;
    case opcode::ns_management:
      begin_management(scene, command, data);
      break;
    case opcode::get_log_page:
      begin_log_read(scene, command);
      break;
    case opcode::async_event_request:
      c.aers.begin(aer_limit(c));
      request_came(scene);
      break;
    case opcode::abort:
      begin_abort(scene, command);
      break;
    case opcode::format:
      begin_format(scene, command);
      break;
    case opcode::self_test:
      begin_self_test(scene, command);
      break;
    case opcode::sanitize:
      begin_sanitize(scene, command);
      break;
    case opcode::firmware_commit:
      begin_commit(scene, command);
      break;
    case opcode::get_lba_status:
      begin_lba_status(scene, command);
      break;
    default:
      break;
  }
}

void finish_admin(const Scene& scene, Command& command, const Completion& completion) {
  const std::uint8_t code = command.entry.opcode;
  const bool doubtful = command.reused_cid;
  if (code == opcode::abort) finish_abort(scene, command, completion);
  if (code == opcode::async_event_request && completion.success() && !doubtful)
    report_event(scene, completion.entry.dw0, command.submitted);
  if (code == opcode::async_event_request && completion.success() && !doubtful)
    check_zone_event(scene, command, completion);
  if (code == opcode::async_event_request && completion.success() && doubtful) doubt_events(scene);
  const bool data = completion.success() && completion.trusted && !completion.data.empty();
  if (code == opcode::identify && data) check_identify(scene, command, completion.data);
  if (code == opcode::get_log_page && data) check_log(scene, command, completion.data);
  if (code == opcode::get_lba_status && data) check_lba_status(scene, command, completion.data);
  if (code == opcode::get_features && completion.success() && !doubtful)
    check_get_features(scene, command, completion);
  end_command(scene, command, doubtful ? End::dropped : end_of(completion), &completion);
}

void drop_admin(const Scene& scene, Command& command) { end_command(scene, command, End::dropped, nullptr); }

void allow_admin(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& entry = command.entry;
  const std::uint8_t code = entry.opcode;
  const auto* row = spec::find_command(spec::CommandSet::admin, code);
  if (row == nullptr) {
    // Opcodes of other optional commands, of later versions, and the vendor's.
    static constexpr std::array<std::uint8_t, 24> kOther{0x19, 0x1A, 0x1C, 0x1D, 0x1E, 0x20, 0x21, 0x22,
                                                         0x24, 0x25, 0x28, 0x29, 0x2A, 0x2D, 0x31, 0x35,
                                                         0x3D, 0x3E, 0x41, 0x42, 0x45, 0x7F, 0x81, 0x82};
    const bool other = code >= 0xC0 || std::find(kOther.begin(), kOther.end(), code) != kOther.end();
    if (other) {
      allowed.anything();
    } else {
      allowed.must(Rule::q33, {Status::invalid_opcode});
    }
    return;
  }
  if (entry.fuse() != 0)
    allowed.may({Status::invalid_field, Status::aborted_missing_fused, Status::aborted_failed_fused});
  if (row->announced == spec::Announced::oacs && row->bit < 12) {
    const bool bit = (announced.oacs >> row->bit & 1U) != 0;
    if (!announced.known) {
      allowed.may(Status::invalid_opcode);
    } else if (!bit) {
      allowed.must(Rule::q33, {Status::invalid_opcode});
      return;
    }
  }
  if (row->announced == spec::Announced::kas || row->announced == spec::Announced::sanicap) {
    const bool there =
        row->announced == spec::Announced::kas ? announced.kas != 0 : (announced.sanicap & 7U) != 0;
    if (!announced.known) {
      allowed.may(Status::invalid_opcode);
    } else if (!there) {
      allowed.must(Rule::q33, {Status::invalid_opcode});
      return;
    }
  }
  if (row->nsid == spec::NsidUse::unused && entry.nsid != 0) {
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  }
  switch (code) {
    case opcode::create_sq:
    case opcode::delete_sq:
    case opcode::create_cq:
    case opcode::delete_cq:
      allow_queue_command(scene, command, allowed);
      return;
    case opcode::identify:
      allow_identify(scene, command, allowed);
      return;
    case opcode::get_log_page:
      allow_log(scene, command, allowed);
      return;
    case opcode::set_features:
    case opcode::get_features:
      allow_features(scene, command, allowed);
      return;
    case opcode::ns_attachment:
      allow_during_format(scene, command, allowed);
      allow_attachment(scene, command, allowed);
      return;
    case opcode::ns_management:
      allow_during_format(scene, command, allowed);
      allow_management(scene, command, allowed);
      return;
    case opcode::async_event_request:
      exercised(scene, Rule::ae01);
      if (c.aers.over_until >= command.submitted) allowed.may(Status::aer_limit_exceeded);
      return;
    case opcode::abort:
      if (c.aborts.over_until >= command.submitted) allowed.may(Status::abort_limit_exceeded);
      // No queue of that number: not laid down.
      allowed.may(Status::invalid_field);
      return;
    case opcode::keep_alive:
      return;
    case opcode::format:
      allow_format(scene, command, allowed);
      return;
    case opcode::self_test:
      allow_self_test(scene, command, allowed);
      return;
    case opcode::sanitize:
      allow_sanitize(scene, command, allowed);
      return;
    case opcode::firmware_commit:
      allow_commit(scene, command, allowed);
      return;
    case opcode::get_lba_status:
      allow_lba_status(scene, command, allowed);
      return;
    case opcode::firmware_download:
      allow_download(scene, command, allowed);
      return;
    case opcode::doorbell_buffer:
      // Pages of CC.MPS; the trace does not say which memory the host has.
      if (((entry.prp1 | entry.prp2) & 0xFFFU) != 0) allowed.must(Rule::q33, {Status::invalid_field});
      allowed.may(Status::invalid_field);
      return;
    default:
      allowed.anything();
      return;  // known to the table, not to the model
  }
}

Rule rule_of_refusal_admin(const Scene& scene, const Command& command, Status status) {
  switch (command.entry.opcode) {
    case opcode::ns_attachment:
      return status == Status::attachment_limit_exceeded ? Rule::ns12 : Rule::ns11;
    case opcode::async_event_request:
      return status == Status::aer_limit_exceeded ? Rule::ae01 : Rule::q33;
    case opcode::abort:
      return status == Status::abort_limit_exceeded ? Rule::q27 : Rule::q33;
    case opcode::delete_cq:
      return status == Status::invalid_queue_deletion ? Rule::q19 : Rule::q33;
    case opcode::set_features:
      return status == Status::command_sequence_error ? Rule::q22 : Rule::q33;
    case opcode::create_sq:
    case opcode::create_cq: {
      if (status != Status::invalid_queue_identifier) return Rule::q33;
      const auto qid = static_cast<std::uint16_t>(command.entry.cdw10);
      const auto* sq = find_sq(scene.c(), qid);
      const auto* cq = find_cq(scene.c(), qid);
      const bool submission = command.entry.opcode == opcode::create_sq;
      const bool outlived =
          submission ? sq != nullptr && sq->before_reset : cq != nullptr && cq->before_reset;
      return outlived ? Rule::r04 : Rule::q20;
    }
    default:
      return Rule::q33;
  }
}

}  // namespace polypath::model
