#include "lab.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/list.h"
#include "program/wording.h"
#include "qemu/qemu.h"
#include "scenario/scenario.h"
#include "spec/commands.h"
#include "store/row.h"
#include "store/store.h"
#include "trace/text.h"

namespace polypath::python {
namespace {

using program::Field;
using program::InputError;
using program::Step;
using program::StepKind;

constexpr std::uint64_t kTurnsBetweenChecks = 4096;  // some milliseconds
// Above this many devices each declaration is not parsed at once with all others: the first use says what is
// wrong.
constexpr std::size_t kParsedAtOnce = 100;

bool main_actor(const Step& step) { return step.actor.empty() || step.actor == "main"; }

}  // namespace

Lab::Lab(Settings settings) : settings_(std::move(settings)) {
  declared_.name = settings_.name;
  declared_.seed = settings_.seed;
  declared_.faults = settings_.faults;
  declared_.profile = settings_.profile.empty() ? "spec" : settings_.profile;
}

Lab::Lab(program::Program program, Settings settings)
    : settings_(std::move(settings)), declared_(std::move(program)) {
  const std::string problem = target::find_problem(declared_);
  if (!problem.empty()) throw InputError("Lab", problem);
  settings_.seed = declared_.seed;
  settings_.profile = declared_.profile;
  settings_.name = declared_.name;
  settings_.faults = declared_.faults;
  words_ = declared_.topology.words;
  places_ = words_;
}

std::unique_ptr<Lab> Lab::restored(const program::Program& program, const Settings& settings,
                                   Position position) {
  auto lab = std::make_unique<Lab>(program, settings);
  if (position == Position::declaring) return lab;
  lab->start();
  lab->drive([&] { return lab->runner_->at_rest("main"); }, engine::kForever);
  if (position == Position::ended) lab->run_to_end(engine::kForever);
  return lab;
}

// ---- Devices and hosts ----

void Lab::add_device(const std::string& word, const std::string& place) {
  if (started()) {
    throw InputError(place,
                     "the topology is fixed once something has run; declare every device before, or create a "
                     "namespace with controller.create_namespace()");
  }
  words_.push_back(word);
  places_.push_back(place);
  topology_stale_ = true;
  if (words_.size() > kParsedAtOnce) return;
  try {
    topology();
  } catch (...) {
    words_.pop_back();
    places_.pop_back();
    throw;
  }
}

const program::Topology& Lab::topology() {
  if (started()) return runner_->program().topology;
  if (!topology_stale_) return declared_.topology;
  program::TopologyOptions options;
  options.source = "topology";
  const auto parse = [&](const std::string& profile) {
    options.serial_per_controller = program::profile_allows_serials(profile);
    declared_.topology = program::parse_topology(words_, places_, options);
    declared_.profile = profile;
  };
  if (!settings_.profile.empty()) {
    parse(settings_.profile);
  } else {
    try {
      parse("spec");
    } catch (const InputError&) {
      parse("qemu-2021");  // allows a serial for each controller; what is wrong otherwise is wrong here too
    }
  }
  topology_stale_ = false;
  return declared_.topology;
}

const std::string& Lab::profile() {
  topology();
  return started() ? runner_->program().profile : declared_.profile;
}

const std::string& Lab::target() {
  start();
  return world_->trace().header.source;
}

bool Lab::declares(const std::string& name) {
  const auto named = [&](const auto& all) {
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.id == name; });
  };
  const program::Topology& all = topology();
  return named(all.subsystems) || named(all.controllers) || named(all.namespaces) ||
         named(started() ? runner_->program().hosts : declared_.hosts);
}

void Lab::add_host(program::HostSpec host) {
  const auto& controllers = topology().controllers;
  program::Program now = program();
  const std::string place = fmt::format("host(id={})", program::in_quotes(host.id));
  if (!program::is_name(host.id)) {
    throw InputError(place, "a name is a letter, then letters, digits, '_', '-' or '.'; choose another");
  }
  for (const auto& other : now.hosts) {
    if (other.id == host.id) throw InputError(place, "there is a host of this id already; choose another");
    for (const std::string& path : host.paths) {
      if (std::find(other.paths.begin(), other.paths.end(), path) == other.paths.end()) continue;
      throw InputError(
          place, fmt::format("controller {} is a path of host {} already; a controller belongs to one host",
                             program::in_quotes(path), program::in_quotes(other.id)));
    }
  }
  for (auto path = host.paths.begin(); path != host.paths.end(); ++path) {
    const bool known =
        std::any_of(controllers.begin(), controllers.end(), [&](const auto& c) { return c.id == *path; });
    if (!known)
      throw InputError(place, fmt::format("path {} is no controller of this Lab", program::in_quotes(*path)));
    if (std::find(host.paths.begin(), path, *path) != path) {
      throw InputError(place, fmt::format("path {} is given twice; keep one", program::in_quotes(*path)));
    }
  }
  if (!started()) {
    declared_.hosts.push_back(std::move(host));
    return;
  }
  // A host is part of the program's world from its start, so the world is made anew and brought to where it
  // was.
  host.later = true;
  const Position before = position();
  now.hosts.push_back(std::move(host));
  const std::vector<std::uint8_t> touched = touched_;
  start(now);
  const Stop stop = drive([&] { return runner_->at_rest("main"); }, engine::kForever);
  if (stop != Stop::reached) raise(stop, "host");
  if (before == Position::ended) run_to_end(engine::kForever);
  touched_ = touched;
}

// ---- The world ----

void Lab::start() {
  if (started()) return;
  topology();
  const std::string problem = target::find_problem(declared_);
  if (!problem.empty()) throw InputError("Lab", problem);
  start(declared_);
}

void Lab::start(const program::Program& program) {
  target::RunLimits limits;
  limits.virtual_time = engine::kForever;
  limits.events = ~std::uint64_t{0};
  limits.trace_events = settings_.max_events;
  limits.keep_data = true;
  std::unique_ptr<target::Machine> machine;
  if (settings_.target == "qemu") {
    const std::string problem = target::find_machine_problem(program);
    if (!problem.empty()) throw InputError("Lab(target='qemu')", problem);
    machine = qemu::start(program.topology);
  }
  auto world = std::make_unique<target::World>(program, std::move(machine));
  runner_ = std::make_unique<target::Runner>(*world, program, limits);
  world_ = std::move(world);
  touched_.assign(world_->controllers(), 0);
  for (const Step& step : program.steps) note_touched(step);
  ended_ = false;
  ++generation_;
  valid_.clear();
}

void Lab::note_touched(const Step& step) {
  const program::Value* controller = step.find(Field::controller);
  if (controller == nullptr) controller = step.find(Field::via);
  if (controller == nullptr) return;
  const auto& all = runner_->program().topology.controllers;
  for (std::size_t c = 0; c < all.size(); ++c) {
    const bool meant =
        controller->form == program::Form::name ? all[c].id == controller->text : controller->number == c;
    // Looking at a register changes nothing that a driver set up.
    if (meant && step.kind != StepKind::register_read) touched_[c] = 1;
  }
}

template <class Reached>
Lab::Stop Lab::drive(const Reached& reached, engine::Time until) {
  runner_->limit_virtual_time(until);
  for (std::uint64_t turns = 1;; ++turns) {
    if (reached()) return Stop::reached;
    if (!runner_->advance()) {
      check_target();
      if (world_->trace().events().size() > settings_.max_events) return Stop::events;
      return runner_->limit_reached() ? Stop::time : Stop::quiet;
    }
    if (turns % kTurnsBetweenChecks == 0 && interrupted()) return Stop::interrupted;
  }
}

// An emulator can end at any moment, between two turns of the runner as well.
void Lab::check_target() {
  if (!runner_->machine_ended()) return;
  throw TargetError(world_->obituary() + "; this Lab can be judged and saved, and a copy of its program begins anew");
}

void Lab::raise(Stop stop, const std::string& what) {
  switch (stop) {
    case Stop::interrupted:
      throw Interrupted();
    case Stop::events:
      throw StuckError(
          fmt::format("the trace holds {} events, the limit of this Lab; give Lab(max_events=) more, or "
                      "split the script",
                      world_->trace().events().size()));
    case Stop::time:
      throw TimeLimitError(
          fmt::format("{} has no outcome yet at {} of virtual time; it goes on: wait for it with "
                      "run_until(), or give timeout= more",
                      what, program::format_duration(now())));
    default:
      throw StuckError(fmt::format(
          "{} will never have an outcome: nothing is pending in this Lab that could bring it", what));
  }
}

// Virtual time has passed since the last step: the program says so, before anything else is done.
void Lab::pause() {
  if (!runner_->ready() || !runner_->at_rest("main")) return;
  engine::Engine& engine = world_->engine();
  runner_->reopen();
  runner_->limit_virtual_time(engine::kForever);
  // Nothing may be pending at the moment at which the pause ends: the order would be open.
  while (engine.next_time() <= engine.now() + 1) {
    if (!runner_->advance()) break;
  }
  const std::size_t index = runner_->append_pause("main", engine.now() + 1);
  drive([&] { return runner_->outcomes()[index].done; }, engine::kForever);
}

void Lab::resume() {
  start();
  check_target();
  if (!ended_) return;
  ended_ = false;
  pause();
}

// ---- Steps ----

std::size_t Lab::carry_out(Step step, engine::Time timeout) {
  if (settings_.target == "qemu") {
    const std::string problem = target::find_machine_problem(step);
    if (!problem.empty()) throw InputError(std::string(program::find_step(step.kind)->name), problem);
  }
  resume();
  if (!main_actor(step)) return append_for_actor(std::move(step));
  if (step.latitude == 0) step.latitude = settings_.latitude;
  const std::string what(program::find_step(step.kind)->name);
  const bool nowait = step.nowait;
  const std::size_t findings = runner_->findings().size();
  const std::size_t index = runner_->append(std::move(step));
  const auto& outcomes = runner_->outcomes();
  Stop stop = drive([&] { return outcomes[index].started; }, engine::kForever);
  if (stop != Stop::reached) {
    runner_->withdraw_last();
    pause();
    raise(stop, what);
  }
  note_touched(runner_->program().steps[index]);
  if (!nowait) {
    const engine::Time until = timeout >= engine::kForever - now() ? engine::kForever : now() + timeout;
    // An actor that does not wait (`submit`) is free at once.
    stop = drive([&] { return runner_->at_rest("main"); }, until);
    if (stop != Stop::reached) {
      runner_->let_go(index);
      pause();
      raise(stop, what);
    }
  }
  raise_unable(index, findings);
  return index;
}

// A step that could not be carried out did nothing: it leaves the program, and the script learns why.
void Lab::raise_unable(std::size_t index, std::size_t findings_before) {
  if (runner_->findings().size() <= findings_before || !runner_->findings().back().unable) return;
  const target::StepFinding finding = runner_->findings().back();
  if (finding.step != runner_->outcomes()[index].step) return;
  const std::string kind(program::find_step(runner_->program().steps[index].kind)->name);
  // One of several commands may have been processed, or completion entries taken: then the step stays.
  const auto& events = world_->trace().events();
  const bool nothing_done = runner_->outcomes()[index].begun_at == finding.time &&
                            (events.empty() || events.back().cause != finding.step);
  if (nothing_done) runner_->withdraw_last();
  throw InputError(kind, finding.summary);
}

// Steps of other actors run beside the script: they begin after what the script did before and before what it
// does next, which two waits of no duration say.
std::size_t Lab::append_for_actor(Step step) {
  const auto wait = [&](const std::string& actor, const std::string& after) {
    Step pause;
    pause.kind = StepKind::wait;
    pause.actor = actor;
    pause.after = after;
    pause.operands.push_back({Field::duration, {}});
    return pause;
  };
  if (step.latitude == 0) step.latitude = settings_.latitude;
  const auto& steps = runner_->program().steps;
  const bool first = std::none_of(steps.begin(), steps.end(), [](const Step& s) { return main_actor(s); });
  std::string after;
  if (!first) {
    // The last one may still be on its way: a wait of the script ends at once.
    after = runner_->label(carry_out(wait("", ""), engine::kForever));
  }
  runner_->append(wait(step.actor, after));
  const std::size_t index = runner_->append(std::move(step));
  note_touched(runner_->program().steps[index]);
  const std::size_t last = runner_->append(wait("", ""));
  const Stop stop = drive([&] { return runner_->outcomes()[last].done; }, engine::kForever);
  if (stop != Stop::reached) raise(stop, "step");
  return index;
}

void Lab::run_until(std::size_t index, engine::Time timeout) {
  if (outcome(index).done) return;
  resume();
  Step wait;
  wait.kind = StepKind::wait;
  wait.operands.push_back({Field::duration, {}});
  wait.after = runner_->label(index);
  const std::size_t last = runner_->append(std::move(wait));
  const engine::Time until = timeout >= engine::kForever - now() ? engine::kForever : now() + timeout;
  const Stop stop = drive([&] { return runner_->outcomes()[last].done; }, until);
  if (stop == Stop::reached) return;
  const std::string what(program::find_step(runner_->program().steps[index].kind)->name);
  if (runner_->outcomes()[last].started) {
    runner_->let_go(last);
  } else {
    runner_->withdraw_last();
  }
  pause();
  raise(stop, what);
}

bool Lab::run_to_end(engine::Time limit) {
  start();
  if (ended_) return true;
  check_target();
  runner_->reopen();
  const engine::Time until = limit >= engine::kForever - now() ? engine::kForever : now() + limit;
  const Stop stop = drive([] { return false; }, until);
  if (stop == Stop::quiet) {
    ended_ = true;
    return true;
  }
  pause();
  if (stop != Stop::time) raise(stop, "run");
  return false;
}

// ---- What is to be seen ----

program::Program Lab::program() {
  if (started()) return runner_->program();
  topology();
  return declared_;
}

Position Lab::position() const {
  if (!started()) return Position::declaring;
  if (ended_) return Position::ended;
  if (!runner_->at_rest("main")) {
    throw StuckError("this Lab was interrupted in the middle of its scenario; finish it with run()");
  }
  return Position::between;
}

const target::StepOutcome& Lab::outcome(std::size_t index) const {
  if (!started() || index >= runner_->outcomes().size()) {
    throw StuckError("this belongs to a part of the run that a restore() has undone");
  }
  return runner_->outcomes()[index];
}

// A raw driver's buffer is there after commands that send data, too; what came back is what the caller wants.
std::vector<std::byte> Lab::take_data(std::size_t index) {
  outcome(index);
  std::vector<std::byte> data = runner_->take_data(index);
  const Step& step = runner_->program().steps[index];
  if (step.kind != StepKind::admin && step.kind != StepKind::io && step.kind != StepKind::submit) {
    if (step.kind != StepKind::read) data.clear();
    return data;
  }
  const auto queue = static_cast<std::uint16_t>(
      step.kind == StepKind::admin ? 0 : step.number(Field::queue, step.kind == StepKind::io ? 1 : 0));
  const auto* row =
      spec::find_command(spec::set_of_queue(queue), static_cast<std::uint8_t>(step.number(Field::opcode)));
  if (row != nullptr && row->direction == spec::Direction::to_controller) data.clear();
  return data;
}

std::size_t Lab::steps() { return started() ? runner_->program().steps.size() : declared_.steps.size(); }

const trace::Trace& Lab::trace() {
  start();
  return world_->trace();
}

std::uint64_t Lab::state_hash() {
  start();
  return world_->hash(engine::HashKind::exact);
}

bool Lab::raw(std::uint32_t controller) {
  start();
  return world_->raw(controller);
}

bool Lab::has_queue(std::uint32_t controller, std::uint16_t qid) {
  start();
  return runner_->raw_driver(controller).has_queue(qid);
}

bool Lab::touched(std::uint32_t controller) const { return started() && touched_[controller] != 0; }

std::uint32_t Lab::block_bytes(const program::Value& ns, std::uint32_t controller) {
  start();
  return runner_->block_bytes_of(ns, controller);
}

std::string Lab::list_text(std::uint32_t host) {
  start();
  return host::print_verbose(host::list(world_->hosts(), host));
}

// ---- Judging and keeping ----

check::Judgement Lab::judge() {
  start();
  // What has come to its end was observed for ever: what has not happened by now never will.
  return check::judge(world_->trace(), {}, ended_ ? engine::kForever : now());
}

const std::vector<target::StepFinding>& Lab::step_findings() {
  start();
  return runner_->findings();
}

std::string Lab::verdict(const check::Judgement& judgement) {
  return step_findings().empty() ? std::string(model::verdict_name(judgement.verdict)) : "violation";
}

std::int64_t Lab::save(const std::string& db) {
  const check::Judgement judgement = judge();
  const program::Program& program = runner_->program();
  const trace::Trace& trace = world_->trace();
  store::Run row =
      store::row_of(program, scenario::scenario_text(program), trace, step_findings(), judgement);
  row.target = settings_.target;
  row.verdict = verdict(judgement);
  row.state_hash = state_hash();
  row.virtual_ns = now();
  auto store = store::Store::open(db);
  return store.add_run(row, &trace);
}

// ---- Snapshots ----

std::shared_ptr<Lab::Snapshot> Lab::snapshot() {
  if (settings_.target == "qemu") {
    throw InputError("snapshot()",
                     "an emulator cannot go back; copy.copy(lab) runs the program again on a fresh one");
  }
  start();
  auto out = std::make_shared<Snapshot>(*runner_, touched_, ended_, generation_, ++snapshots_);
  world_->snapshot(out->world);
  valid_.push_back(out->number);
  return out;
}

void Lab::restore(const Snapshot& snapshot) {
  const auto at = std::lower_bound(valid_.begin(), valid_.end(), snapshot.number);
  if (snapshot.generation != generation_ || at == valid_.end() || *at != snapshot.number) {
    throw StuckError(
        "this snapshot is void: this Lab has gone back before it since, or a host "
        "was added since; take a new one");
  }
  valid_.erase(at + 1, valid_.end());
  world_->restore(snapshot.world);
  runner_ = std::make_unique<target::Runner>(snapshot.runner);
  touched_ = snapshot.touched;
  ended_ = snapshot.ended;
}

}  // namespace polypath::python
