// The binary form of a program; docs/scenario-format.md, "Binary form", says it byte by byte.
#include <algorithm>
#include <array>

#include "program/program.h"
#include "program/wire.h"
#include "program/world_code.h"
#include "spec/commands.h"

namespace polypath::program {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kWiderKind = 63;  // the next byte is the kind, or kEndOfSteps
constexpr std::uint8_t kEndOfSteps = 0;
constexpr std::uint8_t kToggleNowait = 0x40, kHasOptions = 0x80;
namespace option {
constexpr std::uint8_t latitude = 1, at = 2, actor = 4, label = 8, after = 16, as = 32, id = 64;
}
namespace extra {
constexpr std::uint8_t name = 1, description = 2, faults = 4, overrides = 8;
}
constexpr std::uint8_t kString = 0xFF,
                       kWideNumber = 0xFE;  // first byte of a reference that is none of the small forms

// Names that a fuzzer can hit: "l3" is a label, "a1" an actor, "n2" an outcome. One byte each, any other name
// a string.
struct SmallNames {
  char letter;
  std::uint8_t count;
};
constexpr SmallNames kLabels{'l', 64}, kActors{'a', 8}, kOutcomes{'n', 64};
constexpr SmallNames kTags{'A', 26};  // "A" to "Z"

std::string small_name(SmallNames kind, unsigned index) {
  return std::string(1, kind.letter) + std::to_string(index);
}

std::string read_name(WireReader& in, SmallNames kind) {
  const std::uint8_t code = in.byte();
  return code == kString ? in.string() : small_name(kind, code % kind.count);
}

void write_name(WireWriter& out, const std::string& name, SmallNames kind) {
  for (unsigned i = 0; i < kind.count; ++i) {
    if (small_name(kind, i) != name) continue;
    out.byte(i);
    return;
  }
  out.byte(kString);
  out.string(name);
}

// What references by index mean while steps are read or written one after the other.
struct Names {
  explicit Names(const Program& p) : program(p) {}
  const Program& program;
  std::vector<std::string> outcomes;  ///< names bound by steps so far, each once

  void bind(const std::string& as) {
    if (!as.empty() && std::find(outcomes.begin(), outcomes.end(), as) == outcomes.end() &&
        outcomes.size() < 64) {
      outcomes.push_back(as);
    }
  }
};

template <class List>
std::size_t index_of(const List& list, const std::string& id) {
  return static_cast<std::size_t>(
      std::find_if(list.begin(), list.end(), [&](const auto& row) { return row.id == id; }) - list.begin());
}

Value named(std::string text) { return {Form::name, 0, std::move(text), {}}; }
Value live(std::uint64_t k) { return {Form::live, k, {}, {}}; }
Value literal(std::uint64_t number) { return {Form::literal, number, {}, {}}; }

// Namespaces: 00h-3Fh one of the topology; 40h-7Fh live; 80h-BFh an outcome; C0h-DFh a small NSID; FEh any
// number or live one; FFh a name.
Value read_ns(WireReader& in, const Names& names) {
  const std::uint8_t code = in.byte();
  const auto& all = names.program.topology.namespaces;
  if (code == kString) return named(in.string());
  if (code == kWideNumber) {
    const bool is_live = (in.byte() & 1U) != 0;
    const std::uint64_t number = in.number();
    return is_live ? live(number) : literal(number);
  }
  const unsigned low = code & 0x3FU;
  if (code < 0x40) return all.empty() ? live(low) : named(all[low % all.size()].id);
  if (code < 0x80) return live(low);
  if (code < 0xC0)
    return names.outcomes.empty() ? live(low) : named(names.outcomes[low % names.outcomes.size()]);
  return literal(code & 0x1FU);
}

void write_ns(WireWriter& out, const Value& value, const Names& names) {
  if (value.form == Form::name) {
    const auto& all = names.program.topology.namespaces;
    const std::size_t at = index_of(all, value.text);
    const auto outcome = std::find(names.outcomes.begin(), names.outcomes.end(), value.text);
    if (at < all.size() && at < 0x40) {
      out.byte(at);
    } else if (at == all.size() && outcome != names.outcomes.end()) {
      out.byte(0x80U + static_cast<std::uint64_t>(outcome - names.outcomes.begin()));
    } else {
      out.byte(kString);
      out.string(value.text);
    }
    return;
  }
  const bool is_live = value.form == Form::live;
  if (is_live && value.number < 0x40) {
    out.byte(0x40U + value.number);
  } else if (!is_live && value.number < 0x20) {
    out.byte(0xC0U + value.number);
  } else {
    out.byte(kWideNumber);
    out.byte(is_live ? 1 : 0);
    out.number(value.number);
  }
}

// Controllers: 00h-7Fh one of the topology; 80h-BFh live; C0h-DFh a small index; FEh, FFh as above.
Value read_controller(WireReader& in, const Names& names) {
  const std::uint8_t code = in.byte();
  const auto& all = names.program.topology.controllers;
  if (code == kString) return named(in.string());
  if (code == kWideNumber) {
    const bool is_live = (in.byte() & 1U) != 0;
    const std::uint64_t number = in.number();
    return is_live ? live(number) : literal(number);
  }
  if (code < 0x80) return all.empty() ? live(code) : named(all[code % all.size()].id);
  if (code < 0xC0) return live(code & 0x3FU);
  return literal(code & 0x1FU);
}

void write_controller(WireWriter& out, const Value& value, const Names& names) {
  if (value.form == Form::name) {
    const auto& all = names.program.topology.controllers;
    const std::size_t at = index_of(all, value.text);
    if (at < all.size() && at < 0x80) {
      out.byte(at);
    } else {
      out.byte(kString);
      out.string(value.text);
    }
    return;
  }
  const bool is_live = value.form == Form::live;
  if (is_live && value.number < 0x40) {
    out.byte(0x80U + value.number);
  } else if (!is_live && value.number < 0x20) {
    out.byte(0xC0U + value.number);
  } else {
    out.byte(kWideNumber);
    out.byte(is_live ? 1 : 0);
    out.number(value.number);
  }
}

// Lists of controllers: 00h-7Fh a mask of the first seven; 80h + n: n controllers one by one, FFh: a number
// says how many.
constexpr std::uint8_t kOneByOne = 0x80;

Value read_controllers(WireReader& in, const Names& names) {
  Value value;
  const std::uint8_t code = in.byte();
  const auto& all = names.program.topology.controllers;
  if (code < kOneByOne) {
    for (std::size_t i = 0; i < 7 && i < all.size(); ++i) {
      if ((code >> i & 1U) != 0) value.list.push_back(named(all[i].id));
    }
    return value;
  }
  const std::uint64_t count = code == 0xFF ? in.number() : code - kOneByOne;
  for (std::uint64_t i = 0; i < count && !in.at_end(); ++i) value.list.push_back(read_controller(in, names));
  return value;
}

void write_controllers(WireWriter& out, const Value& value, const Names& names) {
  const auto& all = names.program.topology.controllers;
  std::uint64_t mask = 0;
  bool simple = true;
  for (const Value& element : value.list) {
    const std::size_t at = element.form == Form::name ? index_of(all, element.text) : all.size();
    if (at >= std::min<std::size_t>(all.size(), 7) || mask >> at != 0) {
      simple = false;
      break;
    }
    mask |= std::uint64_t{1} << at;
  }
  if (simple) {
    out.byte(mask);
    return;
  }
  if (value.list.size() < 0x7F) {
    out.byte(kOneByOne + value.list.size());
  } else {
    out.byte(0xFF);
    out.number(value.list.size());
  }
  for (const Value& element : value.list) write_controller(out, element, names);
}

Value read_value(WireReader& in, const FieldRow& row, const Names& names) {
  const Program& program = names.program;
  switch (row.type) {
    case FieldType::number:
    case FieldType::status:
    case FieldType::error:
      return literal(in.number());
    case FieldType::flag:
      return literal(in.byte() & 1U);
    case FieldType::duration:
      return literal(in.duration());
    case FieldType::size:
      return literal(in.size());
    case FieldType::queue: {  // 00h-7Fh a number; 80h-BFh live; FEh a wide number
      const std::uint8_t code = in.byte();
      if (code == kWideNumber) {
        const bool is_live = (in.byte() & 1U) != 0;
        const std::uint64_t number = in.number();
        return is_live ? live(number) : literal(number);
      }
      return code < 0x80 ? literal(code) : live(code & 0x3FU);
    }
    case FieldType::opcode: {  // a row of the command table, or 0 and the opcode itself
      const std::uint8_t code = in.byte();
      if (code == 0) return literal(in.byte());
      const auto* command = spec::find_command_number(code);
      return literal(command == nullptr ? code : command->opcode);
    }
    case FieldType::host: {
      const std::uint8_t code = in.byte();
      if (code == kString) return named(in.string());
      return named(program.hosts.empty() ? "host0" : program.hosts[code % program.hosts.size()].id);
    }
    case FieldType::ns:
      return read_ns(in, names);
    case FieldType::controller:
      return read_controller(in, names);
    case FieldType::controllers:
      return read_controllers(in, names);
    case FieldType::text: {
      const std::uint8_t code = in.byte();
      Value value;
      value.text = code == kString ? in.string()
                                   : std::string(1, static_cast<char>(kTags.letter + code % kTags.count));
      return value;
    }
    case FieldType::policy: {
      Value value;
      value.text = (in.byte() & 1U) != 0 ? "round-robin" : "numa";
      return value;
    }
    case FieldType::bytes: {
      Value value;
      value.text = in.string();
      return value;
    }
    case FieldType::list_map: {
      const bool by_controller = row.field == Field::list;
      Value value;
      const std::uint64_t entries = in.number();
      for (std::uint64_t i = 0; i < entries && !in.at_end(); ++i) {
        Value entry = by_controller ? read_controller(in, names) : read_ns(in, names);
        entry.list.clear();
        const std::uint64_t members = in.number();
        for (std::uint64_t j = 0; j < members && !in.at_end(); ++j) {
          entry.list.push_back(by_controller ? read_ns(in, names) : read_controller(in, names));
        }
        value.list.push_back(std::move(entry));
      }
      return value;
    }
  }
  return {};
}

void write_value(WireWriter& out, const Value& value, const FieldRow& row, const Names& names,
                 spec::CommandSet set) {
  const Program& program = names.program;
  switch (row.type) {
    case FieldType::number:
    case FieldType::status:
    case FieldType::error:
      out.number(value.number);
      break;
    case FieldType::flag:
      out.byte(value.number);
      break;
    case FieldType::duration:
      out.duration(value.number);
      break;
    case FieldType::size:
      out.size(value.number);
      break;
    case FieldType::queue:
      if (value.form == Form::literal && value.number < 0x80) {
        out.byte(value.number);
      } else if (value.form == Form::live && value.number < 0x40) {
        out.byte(0x80U + value.number);
      } else {
        out.byte(kWideNumber);
        out.byte(value.form == Form::live ? 1 : 0);
        out.number(value.number);
      }
      break;
    case FieldType::opcode: {
      const auto* command = spec::find_command(set, static_cast<std::uint8_t>(value.number));
      if (command == nullptr || command->number > 0xFF) {
        out.byte(0);
        out.byte(value.number);
      } else {
        out.byte(command->number);
      }
      break;
    }
    case FieldType::host: {
      const std::size_t at = index_of(program.hosts, value.text);
      if (at < program.hosts.size() && at < kString) {
        out.byte(at);
      } else {
        out.byte(kString);
        out.string(value.text);
      }
      break;
    }
    case FieldType::ns:
      write_ns(out, value, names);
      break;
    case FieldType::controller:
      write_controller(out, value, names);
      break;
    case FieldType::controllers:
      write_controllers(out, value, names);
      break;
    case FieldType::text:
      if (value.text.size() == 1 && value.text[0] >= 'A' && value.text[0] <= 'Z') {
        out.byte(static_cast<std::uint64_t>(value.text[0] - 'A'));
      } else {
        out.byte(kString);
        out.string(value.text);
      }
      break;
    case FieldType::policy:
      out.byte(value.text == "round-robin" ? 1 : 0);
      break;
    case FieldType::bytes:
      out.string(value.text);
      break;
    case FieldType::list_map: {
      const bool by_controller = row.field == Field::list;
      out.number(value.list.size());
      for (const Value& entry : value.list) {
        if (by_controller) {
          write_controller(out, entry, names);
        } else {
          write_ns(out, entry, names);
        }
        out.number(entry.list.size());
        for (const Value& member : entry.list) {
          if (by_controller) {
            write_ns(out, member, names);
          } else {
            write_controller(out, member, names);
          }
        }
      }
      break;
    }
  }
}

spec::CommandSet set_of(const Step& step) {
  if (step.kind == StepKind::admin) return spec::CommandSet::admin;
  if (step.kind == StepKind::io) return spec::CommandSet::nvm;
  const Value* queue = step.find(Field::queue);
  const bool admin_queue = queue != nullptr && queue->form == Form::literal && queue->number == 0;
  return admin_queue ? spec::CommandSet::admin : spec::CommandSet::nvm;
}

void read_options(WireReader& in, Step& step) {
  const std::uint8_t options = in.byte();
  if ((options & option::latitude) != 0) step.latitude = in.byte();
  if ((options & option::at) != 0) step.at = in.duration();
  if ((options & option::actor) != 0) step.actor = read_name(in, kActors);
  if ((options & option::label) != 0) step.label = read_name(in, kLabels);
  if ((options & option::after) != 0) step.after = read_name(in, kLabels);
  if ((options & option::as) != 0) step.as = read_name(in, kOutcomes);
  if ((options & option::id) != 0) step.id = static_cast<std::uint32_t>(in.number());
}

void write_options(WireWriter& out, const Step& step, std::uint8_t options) {
  out.byte(options);
  if ((options & option::latitude) != 0) out.byte(step.latitude);
  if ((options & option::at) != 0) out.duration(step.at);
  if ((options & option::actor) != 0) write_name(out, step.actor, kActors);
  if ((options & option::label) != 0) write_name(out, step.label, kLabels);
  if ((options & option::after) != 0) write_name(out, step.after, kLabels);
  if ((options & option::as) != 0) write_name(out, step.as, kOutcomes);
  if ((options & option::id) != 0) out.number(step.id);
}

void read_steps(WireReader& in, Program& program) {
  Names names(program);
  std::uint32_t last_id = 0;
  while (!in.at_end()) {
    const std::uint8_t head = in.byte();
    std::uint8_t kind = head & 0x3FU;
    if (kind == kWiderKind) {
      kind = in.byte();
      if (kind == kEndOfSteps) break;
    }
    const StepRow* row = find_step(static_cast<StepKind>(kind));
    if (row == nullptr) row = find_step(StepKind::nothing);
    Step step;
    step.kind = row->kind;
    step.nowait = ((head & kToggleNowait) != 0) != runs_beside(step.kind);
    step.id = last_id + 1;
    if ((head & kHasOptions) != 0) read_options(in, step);
    const std::uint64_t mask = row->fields.empty() ? 0 : in.mask();
    for (std::size_t i = 0; i < row->fields.size(); ++i) {
      if ((mask >> i & 1U) == 0) continue;
      const Field field = row->fields[i].field;
      step.operands.push_back({field, read_value(in, *find_field(field), names)});
    }
    names.bind(step.as);
    last_id = step.id;
    program.steps.push_back(std::move(step));
  }
}

void write_steps(WireWriter& out, const Program& program) {
  Names names(program);
  std::uint32_t last_id = 0;
  for (const Step& step : program.steps) {
    const StepRow* row = find_step(step.kind);
    const auto kind = static_cast<std::uint8_t>(step.kind);
    const bool toggled = step.nowait != runs_beside(step.kind);
    std::uint8_t options = 0;
    if (step.latitude != 0) options |= option::latitude;
    if (step.at != engine::kForever) options |= option::at;
    if (!step.actor.empty()) options |= option::actor;
    if (!step.label.empty()) options |= option::label;
    if (!step.after.empty()) options |= option::after;
    if (!step.as.empty()) options |= option::as;
    if (step.id != last_id + 1) options |= option::id;
    out.byte(std::min(kind, kWiderKind) | (toggled ? kToggleNowait : 0U) | (options != 0 ? kHasOptions : 0U));
    if (kind >= kWiderKind) out.byte(kind);
    if (options != 0) write_options(out, step, options);
    if (!row->fields.empty()) {
      std::uint64_t mask = 0;
      for (std::size_t i = 0; i < row->fields.size(); ++i) {
        if (step.find(row->fields[i].field) != nullptr) mask |= std::uint64_t{1} << i;
      }
      out.mask(mask);
      for (const StepFieldRow& wanted : row->fields) {
        const Value* value = step.find(wanted.field);
        if (value != nullptr) write_value(out, *value, *find_field(wanted.field), names, set_of(step));
      }
    }
    names.bind(step.as);
    last_id = step.id;
  }
}

void read_extras(WireReader& in, Program& program) {
  const std::uint8_t extras = in.byte();
  if ((extras & extra::name) != 0) program.name = in.string();
  if ((extras & extra::description) != 0) program.description = in.string();
  if ((extras & extra::faults) != 0) {
    const std::uint64_t count = in.number();
    for (std::uint64_t i = 0; i < count && !in.at_end(); ++i) program.faults.push_back(in.string());
  }
  if ((extras & extra::overrides) != 0) {
    const std::uint64_t count = in.number();
    for (std::uint64_t i = 0; i < count && !in.at_end(); ++i) {
      engine::DecisionOverride one;
      one.cause = static_cast<std::uint32_t>(in.number());
      one.site = static_cast<engine::Site>(in.number());
      one.nth = static_cast<std::uint32_t>(in.number());
      one.value = in.number();
      program.overrides.push_back(one);
    }
  }
}

void write_extras(WireWriter& out, const Program& program) {
  std::uint8_t extras = 0;
  if (!program.name.empty()) extras |= extra::name;
  if (!program.description.empty()) extras |= extra::description;
  if (!program.faults.empty()) extras |= extra::faults;
  if (!program.overrides.empty()) extras |= extra::overrides;
  if (extras == 0) return;
  out.byte(kWiderKind);
  out.byte(kEndOfSteps);
  out.byte(extras);
  if ((extras & extra::name) != 0) out.string(program.name);
  if ((extras & extra::description) != 0) out.string(program.description);
  if ((extras & extra::faults) != 0) {
    out.number(program.faults.size());
    for (const std::string& fault : program.faults) out.string(fault);
  }
  if ((extras & extra::overrides) != 0) {
    out.number(program.overrides.size());
    for (const engine::DecisionOverride& one : program.overrides) {
      out.number(one.cause);
      out.number(one.site);
      out.number(one.nth);
      out.number(one.value);
    }
  }
}

}  // namespace

std::vector<std::byte> encode(const Program& given) {
  const Program program = canonical(given);
  WireWriter out;
  out.byte(kVersion);
  write_world(out, program);
  out.number(program.seed);
  write_steps(out, program);
  write_extras(out, program);
  return out.take();
}

Program decode(std::span<const std::byte> bytes) {
  WireReader in(bytes);
  in.byte();  // the version: 1 is all there is, and bytes of a fuzzer need not say it
  Program program;
  read_world(in, program);
  program.seed = in.number();
  read_steps(in, program);
  read_extras(in, program);
  return canonical(std::move(program));
}

}  // namespace polypath::program
