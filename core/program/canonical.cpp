// One form for each program, valid whatever it was made from: fuzz bytes, a script, a minimizer's cuts.
#include <algorithm>
#include <bit>
#include <set>

#include "program/order.h"
#include "program/program.h"
#include "program/sgl_words.h"
#include "program/wording.h"
#include "program/world_code.h"

namespace polypath::program {
namespace {

constexpr std::size_t kMostListed = 4096;  // elements of a list of controllers or namespaces

std::string clean_name(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestName)) {
    const std::string one = std::string("x") + c;
    out += is_name(one) ? c : '_';
  }
  if (!out.empty() && !is_name(out)) {
    out.insert(out.begin(), 'x');
    out.resize(std::min(out.size(), kLongestName));
  }
  return out;
}

void use_number(Value& value, const FieldRow& row) {
  value.form = Form::literal;
  value.number = std::clamp(value.number, row.least, row.most);
  value.text.clear();
  value.list.clear();
}

// A name, a number or a live one; anything without content is the first live one.
void clean_reference(Value& value, std::uint64_t most) {
  value.list.clear();
  if (value.form == Form::name) {
    value.text = clean_name(value.text);
    value.number = 0;
    if (!value.text.empty()) return;
    value.form = Form::live;
  }
  value.text.clear();
  value.number = std::min(value.number, most);
}

// Names that the keys of a list_map may have.
struct KnownNames {
  std::set<std::string> controllers, namespaces;
};

void clean_value(Value& value, const FieldRow& row, const Program& program, const KnownNames& names) {
  switch (row.type) {
    case FieldType::number:
    case FieldType::flag:
    case FieldType::duration:
    case FieldType::size:
    case FieldType::opcode:
    case FieldType::error:
      use_number(value, row);
      if (row.field == Field::block_size) value.number = std::bit_floor(value.number);
      break;
    case FieldType::status:
      use_number(value, {row.field, row.name, row.type, 0, 0xFFFF, {}});
      value.number &= row.most;  // SCT, SC and DNR; the others are no part of an expectation
      break;
    case FieldType::queue:
      if (value.form == Form::live) {
        clean_reference(value, row.most);
      } else {
        use_number(value, row);
      }
      break;
    case FieldType::host: {
      const std::size_t hosts = program.hosts.size();
      if (value.form != Form::name)
        value.text = hosts == 0 ? "host0" : program.hosts[value.number % hosts].id;
      value.form = Form::name;
      clean_reference(value, 0);
      if (value.form != Form::name) value = {Form::name, 0, hosts == 0 ? "host0" : program.hosts[0].id, {}};
      break;
    }
    case FieldType::ns:
    case FieldType::controller:
      clean_reference(value, row.most);
      break;
    case FieldType::controllers:
      value.form = Form::literal;
      value.number = 0;
      value.text.clear();
      value.list.resize(std::min<std::size_t>(value.list.size(), row.most));
      for (Value& element : value.list) clean_reference(element, 0xFFFFFFFF);
      break;
    case FieldType::list_map: {
      value.form = Form::literal;
      value.number = 0;
      value.text.clear();
      const auto& known = row.field == Field::list ? names.controllers : names.namespaces;
      std::set<std::string> keys;
      std::vector<Value> kept;
      for (Value& entry : value.list) {
        entry.form = Form::name;
        entry.number = 0;
        entry.text = clean_name(entry.text);
        if (!known.contains(entry.text) || !keys.insert(entry.text).second || kept.size() == row.most)
          continue;
        entry.list.resize(std::min(entry.list.size(), kMostListed));
        for (Value& element : entry.list) clean_reference(element, 0xFFFFFFFF);
        kept.push_back(std::move(entry));
      }
      value.list = std::move(kept);
      break;
    }
    case FieldType::text:
      value.form = Form::literal;
      value.number = 0;
      value.list.clear();
      value.text = clean_text(value.text, row.most);
      if (value.text.size() < row.least) value.text = "none";
      if (row.field == Field::sgl && !parse_sgl(value.text)) value.text = "block 512";
      break;
    case FieldType::policy:
      value.form = Form::literal;
      value.number = 0;
      value.list.clear();
      if (value.text != "round-robin") value.text = "numa";
      break;
    case FieldType::bytes:
      value.form = Form::literal;
      value.number = 0;
      value.list.clear();
      value.text.resize(std::min<std::size_t>(value.text.size(), row.most));
      break;
  }
}

// What a required operand is when nobody gave it.
Value default_value(const FieldRow& row, const Program& program, const KnownNames& names) {
  Value value;
  if (row.type == FieldType::ns || row.type == FieldType::controller) value.form = Form::live;
  if (row.type == FieldType::controllers) value.list.push_back({Form::live, 0, {}, {}});
  if (row.type == FieldType::duration) value.number = engine::kMillisecond;
  if (row.type == FieldType::size) value.number = std::uint64_t{1} << 20U;
  clean_value(value, row, program, names);
  return value;
}

void clean_operands(Step& step, const Program& program, const KnownNames& names) {
  const StepRow* row = find_step(step.kind);
  std::vector<Operand> kept;
  for (const StepFieldRow& wanted : row->fields) {
    const FieldRow& field = *find_field(wanted.field);
    const auto at = std::find_if(step.operands.begin(), step.operands.end(),
                                 [&](const Operand& o) { return o.field == wanted.field; });
    if (at != step.operands.end()) {
      clean_value(at->value, field, program, names);
      if (field.type == FieldType::list_map && at->value.list.empty()) continue;
      kept.push_back(std::move(*at));
    } else if (wanted.required) {
      kept.push_back({wanted.field, default_value(field, program, names)});
    }
  }
  std::sort(kept.begin(), kept.end(), [](const Operand& a, const Operand& b) { return a.field < b.field; });
  step.operands = std::move(kept);
}

void clean_hosts(Program& program) {
  std::set<std::string> ids, controllers, taken;
  for (const auto& c : program.topology.controllers) controllers.insert(c.id);
  std::vector<HostSpec> kept;
  for (HostSpec& host : program.hosts) {
    host.id = clean_name(host.id);
    if (host.id.empty() || !ids.insert(host.id).second) continue;
    if (host.policy != "round-robin") host.policy = "numa";
    std::erase_if(host.paths, [&](const std::string& path) {
      return !controllers.contains(path) || !taken.insert(path).second;
    });
    host.queues = std::clamp<std::uint16_t>(host.queues, 1, kMostHostQueues);
    host.queue_depth = std::max<std::uint16_t>(host.queue_depth, 2);
    host.io_timeout = std::clamp<engine::Time>(host.io_timeout, engine::kMillisecond, kLongestDuration);
    kept.push_back(std::move(host));
  }
  program.hosts = std::move(kept);
}

void clean_ids(std::vector<Step>& steps) {
  std::set<std::uint32_t> taken;
  std::vector<Step*> without;
  for (Step& step : steps) {
    if (step.id == 0 || !taken.insert(step.id).second) without.push_back(&step);
  }
  std::uint32_t next = 1;
  for (Step* step : without) {
    while (taken.contains(next)) ++next;
    step->id = next++;
  }
}

void clean_steps(Program& program) {
  std::set<std::string> devices, labels;
  for (const auto& c : program.topology.controllers) devices.insert(c.id);
  for (const auto& s : program.topology.subsystems) devices.insert(s.id);
  for (const auto& n : program.topology.namespaces) devices.insert(n.id);
  KnownNames names;
  for (const auto& c : program.topology.controllers) names.controllers.insert(c.id);
  for (const auto& n : program.topology.namespaces) names.namespaces.insert(n.id);
  for (Step& step : program.steps) {
    if (find_step(step.kind) == nullptr) step.kind = StepKind::nothing;
    step.label = clean_name(step.label);
    step.after = clean_name(step.after);
    step.actor = clean_name(step.actor);
    step.as = clean_name(step.as);
    if (step.actor == "main") step.actor.clear();
    if (!step.label.empty() && !labels.insert(step.label).second) step.label.clear();
    if (devices.contains(step.as) || !has_outcome(step.kind)) step.as.clear();
    if (!step.as.empty()) names.namespaces.insert(step.as);
    if (step.at != engine::kForever) step.at = std::min(step.at, kLongestDuration);
  }
  for (Step& step : program.steps) {
    clean_operands(step, program, names);
    const bool void_expect = step.kind == StepKind::expect && step.find(Field::list) == nullptr &&
                             step.find(Field::heads) == nullptr;
    if (!void_expect) continue;
    step.kind = StepKind::nothing;
    step.operands.clear();
  }
  std::erase_if(program.steps, [](const Step& s) { return s.kind == StepKind::nothing && s.label.empty(); });
  clean_ids(program.steps);
  for (const std::size_t step : circular_steps(program)) program.steps[step].after.clear();
}

}  // namespace

Program canonical(Program program) {
  program.name = clean_text(program.name, kLongestTitle);
  program.description = clean_text(program.description, kLongestDescription, true);
  program.profile = clean_name(program.profile);
  if (program.profile.empty()) program.profile = "spec";
  if (program.topology.controllers.empty()) program.topology = smallest_topology();
  program.topology.words = topology_words(program.topology);
  clean_hosts(program);
  clean_steps(program);
  std::set<std::string> seen;
  for (std::string& fault : program.faults) fault = clean_text(fault, kLongestName);
  std::erase_if(program.faults, [&](const std::string& id) { return id.empty() || !seen.insert(id).second; });
  return program;
}

}  // namespace polypath::program
