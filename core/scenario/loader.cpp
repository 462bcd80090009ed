// Text to program: every key known, every value of its type, every name resolved, every step with its turn to
// come.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <system_error>

#include <sys/stat.h>

#include "program/order.h"
#include "program/wording.h"
#include "scenario/keys.h"
#include "scenario/operands.h"
#include "scenario/scenario.h"
#include "scenario/yaml_tree.h"

namespace polypath::scenario {
namespace {

using program::Field;
using program::FieldRow;
using program::FieldType;
using program::Form;
using program::in_quotes;
using program::Program;
using program::Step;
using program::StepKind;
using program::StepRow;
using program::Value;

std::vector<std::string_view> names_of(std::span<const KeyRow> rows) {
  std::vector<std::string_view> names;
  for (const KeyRow& row : rows) names.push_back(row.name);
  return names;
}

bool has_key(std::span<const KeyRow> rows, std::string_view name) {
  return std::any_of(rows.begin(), rows.end(), [&](const KeyRow& row) { return row.name == name; });
}

void check_map(const Source& source, const Node& node, std::span<const KeyRow> rows, std::string_view what) {
  if (node.kind != Node::Kind::map) {
    source.fail(node.place, fmt::format("{} is {}; write a map with the keys {}", what, kind_name(node),
                                        program::listing(names_of(rows))));
  }
  for (std::size_t i = 0; i < node.items.size(); i += 2) {
    const Node& key = node.items[i];
    if (!has_key(rows, key.text)) {
      source.fail(key.place, fmt::format("unknown key {} of {}{}", in_quotes(key.text), what,
                                         program::remedy(key.text, names_of(rows))));
    }
  }
  for (const KeyRow& row : rows) {
    if (row.required && node.find(row.name) == nullptr) {
      source.fail(node.place, fmt::format("{} has no `{}:`; add it ({})", what, row.name, row.title));
    }
  }
}

const Node& list_node(const Source& source, const Node& node, const std::string& key) {
  static const Node kNothing{Node::Kind::list, {}, {}, false, {}};
  if (node.kind == Node::Kind::null) return kNothing;
  if (node.kind != Node::Kind::list) {
    source.fail(node.place,
                fmt::format("{} is {}; write a list, one element a line after a dash", key, kind_name(node)));
  }
  return node;
}

void load_topology(const Source& source, const Node& node, const LoadOptions& options, Program& out) {
  std::vector<std::string> words, places;
  for (const Node& item : list_node(source, node, "topology").items) {
    if (item.kind != Node::Kind::scalar) {
      source.fail(item.place, fmt::format("a device is {}; write a word such as nvme,id=nvme0,serial=foo",
                                          kind_name(item)));
    }
    words.push_back(item.text);
    places.push_back(place_text(source.name, item.place));
  }
  program::TopologyOptions topology;
  topology.serial_per_controller = program::profile_allows_serials(out.profile);
  topology.zoned = program::profile_has_zones(out.profile);
  topology.memory_media = options.memory_media;
  topology.sizes = options.sizes;
  out.topology = program::parse_topology(words, places, topology);
  if (out.topology.controllers.empty()) {
    source.fail(node.place, "the topology has no controller; add nvme,id=nvme0,serial=foo");
  }
}

void load_hosts(const Source& source, const Node& node, Program& out) {
  std::vector<std::string_view> known;
  for (const auto& c : out.topology.controllers) known.push_back(c.id);
  const std::set<std::string_view> controllers(known.begin(), known.end());
  std::map<std::string, std::string> host_of_path;
  const Node& list = list_node(source, node, "hosts");
  for (const Node& item : list.items) {
    check_map(source, item, host_keys(), "a host");
    program::HostSpec host;
    const Node& id = *item.find("id");
    host.id = read_name(source, id, "id");
    if (std::any_of(out.hosts.begin(), out.hosts.end(), [&](const auto& h) { return h.id == host.id; })) {
      source.fail(id.place, fmt::format("host {} is there already; choose another id", in_quotes(host.id)));
    }
    if (const Node* policy = item.find("policy")) {
      Source plain{source.name, {}};
      host.policy =
          read_value(plain, *policy, *program::find_field(Field::policy), spec::CommandSet::admin).text;
    }
    if (const Node* paths = item.find("paths")) {
      for (const Node& path : list_node(source, *paths, "paths").items) {
        std::string name = read_name(source, path, "a path");
        if (!controllers.contains(name)) {
          source.fail(path.place, fmt::format("path {} is no controller{}", in_quotes(name),
                                              program::remedy(name, known)));
        }
        const auto [at, fresh] = host_of_path.emplace(name, host.id);
        if (!fresh) {
          source.fail(path.place,
                      fmt::format("controller {} is a path of host {} already; a controller belongs to one "
                                  "host, remove one",
                                  in_quotes(name), in_quotes(at->second)));
        }
        host.paths.push_back(std::move(name));
      }
    } else if (list.items.size() == 1) {
      host.paths.assign(known.begin(), known.end());
    } else {
      source.fail(item.place,
                  fmt::format("host {} has no `paths:`; with several hosts each names its controllers",
                              in_quotes(host.id)));
    }
    if (const Node* queues = item.find("queues")) {
      host.queues =
          static_cast<std::uint16_t>(read_number(source, *queues, "queues", 1, program::kMostHostQueues));
    }
    if (const Node* depth = item.find("queue_depth")) {
      host.queue_depth = static_cast<std::uint16_t>(read_number(source, *depth, "queue_depth", 2, 65535));
    }
    if (const Node* timeout = item.find("io_timeout")) {
      host.io_timeout = read_duration(source, *timeout, "io_timeout", engine::kMillisecond);
    }
    if (const Node* later = item.find("later")) host.later = read_flag(source, *later, "later");
    out.hosts.push_back(std::move(host));
  }
}

// Where the parts of a step stand, for what can only be said once all steps are known.
struct StepPlaces {
  Place step, label, after, as, id;
  bool after_resolves = true;  ///< false: written as {name: x}, need not
};

struct StepReader {
  Source& source;
  Program& program;
  Step step;
  StepPlaces places;
  std::set<std::string> seen;

  void once(const Node& key) {
    if (!seen.insert(key.text).second) {
      source.fail(key.place, fmt::format("{} is given twice for this step; keep one", in_quotes(key.text)));
    }
  }

  void read_key(const Node& key, const Node& value) {
    once(key);
    const std::string& name = key.text;
    if (name == "expect") {
      read_expect(value);
    } else if (name == "as") {
      step.as = read_name(source, value, name);
      places.as = value.place;
    } else if (name == "label") {
      step.label = read_name(source, value, name);
      places.label = value.place;
    } else if (name == "after") {
      const Node* free = free_name(source, value, name);
      places.after_resolves = free == nullptr;
      step.after = read_name(source, free == nullptr ? value : *free, name);
      places.after = value.place;
    } else if (name == "at") {
      step.at = read_duration(source, value, name);
    } else if (name == "actor") {
      step.actor = read_name(source, value, name);
    } else if (name == "nowait") {
      step.nowait = read_flag(source, value, name);
    } else if (name == "latitude") {
      step.latitude = static_cast<std::uint8_t>(read_number(source, value, name, 0, 255));
    } else {
      step.id = static_cast<std::uint32_t>(read_number(source, value, name, 1, 0xFFFFFFFF));
      places.id = value.place;
    }
  }

  const StepRow& row() const { return *program::find_step(step.kind); }

  bool takes(Field field) const {
    const auto fields = row().fields;
    return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.field == field; });
  }

  void add(const FieldRow& field, const Node& value) {
    step.operands.push_back({field.field, read_value(source, value, field, command_set())});
  }

  // Commands that an opcode's name may name: of the step's kind, or of its queue.
  spec::CommandSet command_set() const {
    if (step.kind == StepKind::admin) return spec::CommandSet::admin;
    const Value* queue = step.find(Field::queue);
    const bool admin_queue = queue != nullptr && queue->form == Form::literal && queue->number == 0;
    return step.kind == StepKind::submit && admin_queue ? spec::CommandSet::admin : spec::CommandSet::nvm;
  }

  void read_expect(const Node& node) {
    std::vector<std::string_view> known;
    for (const auto& f : row().fields) {
      if (program::is_expectation(f.field)) known.push_back(program::find_field(f.field)->name);
    }
    if (node.kind != Node::Kind::map || node.items.empty()) {
      source.fail(node.place, fmt::format("expect is {}; write a map such as {{status: success}}",
                                          node.kind == Node::Kind::map ? "empty" : kind_name(node)));
    }
    for (std::size_t i = 0; i < node.items.size(); i += 2) {
      const Node& key = node.items[i];
      const FieldRow* field = program::find_field(key.text);
      if (field == nullptr || !program::is_expectation(field->field) || !takes(field->field)) {
        source.fail(key.place, fmt::format("{} cannot expect {}{}", row().name, in_quotes(key.text),
                                           program::remedy(key.text, known)));
      }
      add(*field, node.items[i + 1]);
    }
  }

  // Operands in the order of the table, whatever the order of the text: an opcode's meaning hangs on its
  // queue.
  void read_operands(const Node& node) {
    std::vector<std::string_view> known;
    for (const auto& f : row().fields) {
      if (!program::is_expectation(f.field)) known.push_back(program::find_field(f.field)->name);
    }
    for (const KeyRow& key : step_keys()) known.push_back(key.name);
    for (std::size_t i = 0; i < node.items.size(); i += 2) {
      const Node& key = node.items[i];
      const FieldRow* field = program::find_field(key.text);
      if (has_key(step_keys(), key.text)) {
        read_key(key, node.items[i + 1]);
      } else if (field != nullptr && takes(field->field) && program::is_expectation(field->field)) {
        source.fail(key.place, fmt::format("{} is an expectation; write expect: {{{}: ...}}",
                                           in_quotes(key.text), key.text));
      } else if (field == nullptr || !takes(field->field)) {
        source.fail(key.place, fmt::format("unknown operand {} of {}{}", in_quotes(key.text), row().name,
                                           program::remedy(key.text, known)));
      }
    }
    for (const auto& f : row().fields) {
      if (program::is_expectation(f.field)) continue;
      const FieldRow& field = *program::find_field(f.field);
      if (const Node* value = node.find(field.name)) add(field, *value);
    }
  }

  void complete() {
    if (!step.as.empty() && !program::has_outcome(step.kind)) {
      source.fail(places.as, fmt::format("{} has no outcome to bind to a name; drop `as`", row().name));
    }
    for (const auto& f : row().fields) {
      if (!f.required || step.find(f.field) != nullptr) continue;
      const FieldRow& field = *program::find_field(f.field);
      if (f.field == Field::host && program.hosts.size() == 1) {
        step.operands.push_back({f.field, {Form::name, 0, program.hosts[0].id, {}}});
        continue;
      }
      if (f.field == Field::host) {
        source.fail(
            places.step,
            program.hosts.empty()
                ? fmt::format("{} needs a host and there is none; add `hosts:`", row().name)
                : fmt::format("{} does not say which host; add host: {}", row().name, program.hosts[0].id));
      }
      source.fail(places.step, fmt::format("{} has no {}; add it: {}", row().name, field.name, field.title));
    }
    if (step.kind == StepKind::expect && step.find(Field::list) == nullptr &&
        step.find(Field::heads) == nullptr) {
      source.fail(places.step, "expect has neither list nor heads; say what is expected");
    }
  }
};

std::vector<std::string_view> step_names() {
  std::vector<std::string_view> names;
  for (const StepRow& row : program::step_rows()) names.push_back(row.name);
  return names;
}

// The key of a step that says its kind. `expect` is a kind of its own only when no other one is there.
const Node& kind_key(const Source& source, const Node& node) {
  const Node* kind = nullptr;
  for (std::size_t i = 0; i < node.items.size(); i += 2) {
    const Node& key = node.items[i];
    if (key.text == "expect") continue;
    if (program::find_step(key.text) == nullptr) {
      if (has_key(step_keys(), key.text)) continue;
      source.fail(key.place, fmt::format("unknown step {}{}", in_quotes(key.text),
                                         program::remedy(key.text, step_names())));
    }
    if (kind != nullptr) {
      source.fail(key.place,
                  fmt::format("a step does one thing, this one has both {} and {}; make two steps of them",
                              in_quotes(kind->text), in_quotes(key.text)));
    }
    kind = &key;
  }
  for (std::size_t i = 0; i < node.items.size() && kind == nullptr; i += 2) {
    if (node.items[i].text == "expect") kind = &node.items[i];
  }
  if (kind == nullptr) {
    source.fail(node.place, fmt::format("this step does not say what it does; add one of {}",
                                        program::listing(step_names())));
  }
  return *kind;
}

void load_step(Source& source, const Node& node, Program& out, std::vector<StepPlaces>& places) {
  if (node.kind != Node::Kind::map) {
    source.fail(node.place, fmt::format("a step is {}; write a map such as `wait: 5ms`", kind_name(node)));
  }
  const Node& kind = kind_key(source, node);
  const Node& value = *node.find(kind.text);
  const StepRow& row = *program::find_step(kind.text);
  StepReader reader{source, out, {}, {}, {}};
  reader.step.kind = row.kind;
  reader.step.nowait = program::runs_beside(row.kind);
  reader.places.step = kind.place;
  if (value.kind == Node::Kind::map) {
    // {live: k} and {name: x} are values, all other maps are operands.
    const bool is_value = shorthand(row) != nullptr && value.items.size() == 2 &&
                          (value.items[0].text == "live" || value.items[0].text == "name");
    if (is_value) {
      reader.add(*shorthand(row), value);
    } else {
      reader.read_operands(value);
    }
  } else if (value.kind != Node::Kind::null) {
    if (shorthand(row) == nullptr) {
      source.fail(value.place,
                  fmt::format("{} is {}; write its operands as a map", row.name, kind_name(value)));
    }
    reader.add(*shorthand(row), value);
  }
  for (std::size_t i = 0; i < node.items.size(); i += 2) {
    if (node.items[i].text != kind.text) reader.read_key(node.items[i], node.items[i + 1]);
  }
  reader.complete();
  out.steps.push_back(std::move(reader.step));
  places.push_back(reader.places);
}

// What only the whole file can tell: names, labels, circles.
void check_references(const Source& source, const Program& p, const std::vector<StepPlaces>& places) {
  std::vector<std::string_view> controllers, namespaces, hosts, labels;
  std::set<std::string_view> devices;
  for (const auto& s : p.topology.subsystems) devices.insert(s.id);
  for (const auto& c : p.topology.controllers) {
    controllers.push_back(c.id);
    devices.insert(c.id);
  }
  for (const auto& n : p.topology.namespaces) {
    namespaces.push_back(n.id);
    devices.insert(n.id);
  }
  for (const auto& h : p.hosts) hosts.push_back(h.id);
  std::map<std::string_view, std::size_t> label_at;
  std::set<std::uint32_t> ids;
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    const Step& step = p.steps[i];
    if (!step.label.empty()) {
      if (!label_at.emplace(step.label, i).second) {
        source.fail(places[i].label,
                    fmt::format("label {} is used twice; choose another", in_quotes(step.label)));
      }
      labels.push_back(step.label);
    }
    if (!step.as.empty()) {
      if (devices.contains(step.as)) {
        source.fail(places[i].as,
                    fmt::format("as {} is the id of a device; choose another name", in_quotes(step.as)));
      }
      namespaces.push_back(step.as);
    }
    if (step.id != 0 && !ids.insert(step.id).second) {
      source.fail(places[i].id, fmt::format("id {} is used twice; choose another or leave it out", step.id));
    }
  }
  const auto resolve = [&](const Reference& r, const std::set<std::string_view>& set,
                           const std::vector<std::string_view>& known, std::string_view what) {
    if (set.contains(r.name)) return;
    source.fail(r.place,
                fmt::format("{} is no {}{}", in_quotes(r.name), what, program::remedy(r.name, known)));
  };
  const std::set<std::string_view> controller_set(controllers.begin(), controllers.end());
  const std::set<std::string_view> namespace_set(namespaces.begin(), namespaces.end());
  const std::set<std::string_view> host_set(hosts.begin(), hosts.end());
  for (const Reference& r : source.references) {
    if (r.type == FieldType::controller) resolve(r, controller_set, controllers, "controller");
    if (r.type == FieldType::ns) resolve(r, namespace_set, namespaces, "namespace or outcome of a step");
    if (r.type == FieldType::host) resolve(r, host_set, hosts, "host");
  }
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    const Step& step = p.steps[i];
    if (step.after.empty() || !places[i].after_resolves || label_at.contains(step.after)) continue;
    source.fail(places[i].after, fmt::format("no step has the label {}{}", in_quotes(step.after),
                                             program::remedy(step.after, labels)));
  }
  const auto circular = program::circular_steps(p);
  if (!circular.empty()) {
    const std::size_t i = circular.front();
    source.fail(places[i].after,
                fmt::format("after {} makes this step wait for itself: that step waits for this one or "
                            "comes later in the same actor; drop it or use another actor",
                            in_quotes(p.steps[i].after)));
  }
}

void load_overrides(const Source& source, const Node& node, Program& out) {
  for (const Node& item : list_node(source, node, "overrides").items) {
    check_map(source, item, override_keys(), "an override");
    engine::DecisionOverride one;
    one.cause = static_cast<std::uint32_t>(read_number(source, *item.find("cause"), "cause", 0, 0xFFFFFFFF));
    one.site = static_cast<engine::Site>(read_number(source, *item.find("site"), "site", 0, 0xFFFF));
    one.nth = static_cast<std::uint32_t>(read_number(source, *item.find("nth"), "nth", 0, 0xFFFFFFFF));
    one.value = read_number(source, *item.find("value"), "value", 0, ~std::uint64_t{0});
    out.overrides.push_back(one);
  }
}

}  // namespace

Program load_scenario_text(std::string_view text, std::string_view name_for_messages,
                           const LoadOptions& options) {
  Source source{std::string(name_for_messages), {}};
  const Node root = read_yaml(text, source.name);
  check_map(source, root, file_keys(), "a scenario");
  Program out;
  if (const Node* node = root.find("name"))
    out.name = read_text(source, *node, "name", program::kLongestTitle, true);
  if (out.name.find('\n') != std::string::npos) {
    source.fail(root.find("name")->place, "name has several lines; keep one, the rest goes into description");
  }
  if (const Node* node = root.find("description")) {
    out.description = read_text(source, *node, "description", program::kLongestDescription, true);
  }
  if (const Node* node = root.find("profile")) out.profile = read_name(source, *node, "profile");
  if (!options.profile.empty()) out.profile = options.profile;
  if (const Node* node = root.find("seed"))
    out.seed = read_number(source, *node, "seed", 0, ~std::uint64_t{0});
  load_topology(source, *root.find("topology"), options, out);
  if (const Node* node = root.find("hosts")) load_hosts(source, *node, out);
  if (const Node* node = root.find("faults")) {
    for (const Node& item : list_node(source, *node, "faults").items) {
      std::string id = read_text(source, item, "a fault", program::kLongestName);
      if (id.empty() || std::find(out.faults.begin(), out.faults.end(), id) != out.faults.end()) {
        source.fail(item.place, fmt::format("fault {} is {}; remove it", in_quotes(id),
                                            id.empty() ? "empty" : "listed twice"));
      }
      out.faults.push_back(std::move(id));
    }
  }
  std::vector<StepPlaces> places;
  if (const Node* node = root.find("steps")) {
    for (const Node& item : list_node(source, *node, "steps").items) load_step(source, item, out, places);
  }
  if (const Node* node = root.find("overrides")) load_overrides(source, *node, out);
  for (Step& step : out.steps) {
    if (step.actor == "main") step.actor.clear();
  }
  check_references(source, out, places);
  return program::canonical(std::move(out));
}

Program load_scenario_file(const std::string& path, const LoadOptions& options) {
  const std::string start = place_text(path, {});
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    throw program::InputError(
        start, fmt::format("{}; name a scenario file that is there", std::generic_category().message(errno)));
  }
  if (!S_ISREG(status.st_mode))
    throw program::InputError(start, "this is no regular file; name a scenario file");
  if (static_cast<std::uint64_t>(status.st_size) > kLongestFile) {
    throw program::InputError(start, "more than 16 MiB; split the scenario");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.gcount() != static_cast<std::streamsize>(text.size())) {
    throw program::InputError(start, "the file cannot be read; look at its permissions");
  }
  return load_scenario_text(text, path, options);
}

}  // namespace polypath::scenario
