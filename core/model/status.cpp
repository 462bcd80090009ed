#include "model/status.h"

#include <fmt/format.h>

#include "model/io.h"
#include "model/namespaces.h"
#include "model/registers.h"
#include "model/sanitize.h"
#include "model/sgl.h"
#include "spec/commands.h"
#include "spec/registers.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::Status;

bool is_abort(Status status) {
  return status == Status::abort_requested || status == Status::aborted_sq_deletion ||
         status == Status::aborted_power_loss;
}

/// May its PRP list, as long as it should be, go on in another page?
bool may_go_on(const Scene& scene, const Command& command) {
  if (command.sqid == 0) return false;
  const std::uint64_t block = command.ns == kNone ? 0 : scene.s.namespaces[command.ns].block_bytes;
  const std::uint64_t bytes = command.entry.block_count() * (block == 0 ? spec::kPageSize : block);
  const std::uint64_t left = spec::kPageSize - command.entry.prp2 % spec::kPageSize;
  return bytes / spec::kPageSize + 1 > left / sizeof(std::uint64_t);
}

/// What any command may end with (sheet of statuses, "which status families per command").
void allow_common(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  allowed.may({Status::internal_error, Status::internal_path_error, Status::controller_pathing_error});
  if (command.reused_cid) allowed.may(Status::command_id_conflict);
  if (command.abort_asked) allowed.may(Status::abort_requested);
  if (command.queue_deleting) allowed.may({Status::aborted_sq_deletion, Status::abort_requested});
  const bool shutdown = c.shutdown_asked || c.power == Power::unknown;
  if (shutdown) allowed.may(Status::aborted_power_loss);
  if (c.power == Power::disabling) allowed.may({Status::abort_requested, Status::aborted_sq_deletion});
  // Delayed retries only after the host enabled them.
  if (c.acre.possible_since(true, command.submitted)) allowed.may(Status::command_interrupted);

  const auto* row = spec::find_command(spec::set_of_queue(command.sqid), command.entry.opcode);
  const bool moves_data = row == nullptr || row->length != spec::DataLength::none;
  // Whether a command that moves no data has its PSDT looked at is the controller's affair.
  if (!moves_data && command.entry.psdt() != 0) allowed.may(Status::invalid_field);
  if (!moves_data) return;
  allowed.may(Status::data_transfer_error);
  if (command.malformed) {
    allowed.may({Status::prp_offset_invalid, Status::invalid_field});
    // Low bits of an entry may be taken as 0; an offset in a later entry must be seen.
    const bool low_bits = command.entry.prp1 % 4 != 0 || command.entry.prp2 % 8 != 0;
    // A list at address 0, or in a page that another list names, may hold something else by now.
    const bool at_zero = command.entry.prp1 == 0 || command.entry.prp2 == 0;
    if (!low_bits && !at_zero && !may_go_on(scene, command) && block_size_sure(scene, command))
      allowed.must(Rule::q30, {Status::prp_offset_invalid});
  }
  if (command.entry.psdt() != 0) {
    allow_sgl(scene, command, allowed);
    return;
  }
  if (!block_size_sure(scene, command)) allowed.may(Status::prp_offset_invalid);
  // A list at address 0, from a host that meant no list: other commands' data may have changed it meanwhile.
  if (!command.ranges_known || command.null_pointer) allowed.may(Status::prp_offset_invalid);
}

}  // namespace

bool exceeds_mdts(const Controller& c, std::uint64_t bytes) {
  if (!c.announced.known || c.announced.mdts == 0 || !cap_known(c)) return false;
  const std::uint64_t page = std::uint64_t{1} << (12 + spec::cap::mpsmin.get(c.cap));
  return c.announced.mdts < 40 && bytes > page << c.announced.mdts;
}

void judge_status(const Scene& scene, const Command& command, const Completion& completion) {
  // Which of two commands this is, is not known.
  if (command.reused_cid) {
    inconclusive(scene, Rule::q33);
    return;
  }
  Allowed allowed;
  allow_common(scene, command, allowed);
  if (command.sqid == 0) {
    allow_admin(scene, command, allowed);
  } else {
    allow_io(scene, command, allowed);
  }
  allow_during_sanitize(scene, command, allowed);
  const Status status = completion.status();
  exercised(scene, Rule::q33);
  if (command.malformed) exercised(scene, Rule::q30);
  if (!allowed.judged()) return;
  allowed_set(scene, Rule::q33, allowed.size());
  if (allowed.rule() != Rule::q33) exercised(scene, allowed.rule());
  if (allowed.contains(status)) return;
  Rule rule = allowed.rule();
  if (status != Status::success) {
    rule = command.sqid == 0 ? rule_of_refusal_admin(scene, command, status)
                             : rule_of_refusal_io(command, status);
    if (status == Status::sanitize_in_progress || status == Status::sanitize_failed) rule = Rule::san01;
    if (is_abort(status) && peer_was_reset(scene, command.submitted)) rule = Rule::r06;
  }
  violation(scene, rule, fmt::format("{}: a status that nothing explains", text_of(scene, command)),
            allowed.text(), trace::status_text(completion.entry.linux_status()),
            {allowed.cause(), command.submitted});
}

}  // namespace polypath::model
