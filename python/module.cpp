// polypath._core: the Lab for Python. Thin: names and types are made in the package (python/polypath). The
// interpreter lock is released while a world runs; a Lab belongs to one thread at a time.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>

#include "lab.h"
#include "model/findings.h"
#include "operands.h"
#include "program/wording.h"
#include "scenario/scenario.h"
#include "spec/commands.h"
#include "spec/status.h"
#include "store/store.h"
#include "trace/text.h"

namespace py = pybind11;

namespace polypath::python {
namespace {

/// Bytes that Python reads without a copy (buffer protocol, read-only).
struct Data {
  std::vector<std::byte> bytes;
};

/// A Lab as Python holds it.
class Session {
 public:
  explicit Session(std::unique_ptr<Lab> lab) : lab_(std::move(lab)) {
    lab_->interrupted = [this] {
      const py::gil_scoped_acquire lock;
      if (PyErr_CheckSignals() == 0) return false;
      PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
      PyErr_Fetch(&type, &value, &trace);
      raised_ = {type, value, trace};
      return true;
    };
  }

  /// Runs `work(lab)` without the interpreter lock.
  template <class Work>
  auto run(const Work& work) {
    const Turn turn(busy_);
    try {
      const py::gil_scoped_release unlocked;
      return work(*lab_);
    } catch (const Interrupted&) {
      PyErr_Restore(raised_.type, raised_.value, raised_.trace);
      raised_ = {};
      throw py::error_already_set();
    }
  }
  /// For what is done at once: `work(lab)` with the lock held.
  template <class Work>
  auto with(const Work& work) {
    const Turn turn(busy_);
    return work(*lab_);
  }

 private:
  struct Turn {
    explicit Turn(std::atomic<bool>& b) : busy(b) {
      if (busy.exchange(true)) {
        throw StuckError("this Lab is at work in another thread; use one Lab for each thread");
      }
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { busy = false; }
    std::atomic<bool>& busy;
  };
  struct Raised {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  };

  std::unique_ptr<Lab> lab_;
  std::atomic<bool> busy_{false};
  Raised raised_;
};

void raise_error(const char* kind, const py::args& arguments) {
  const py::object type = py::module_::import("polypath._errors").attr(kind);
  const py::object error = type(*arguments);
  PyErr_SetObject(type.ptr(), error.ptr());
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(std::move(thrown));
  } catch (const py::builtin_exception&) {
    throw;  // pybind11 says what these are in Python
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const program::InputError& error) {
    raise_error("InputError", py::make_tuple(error.what(), error.where()));
  } catch (const store::StoreError& error) {
    raise_error("InputError", py::make_tuple(error.what(), error.path()));
  } catch (const TimeLimitError& error) {
    raise_error("TimeLimitError", py::make_tuple(error.what()));
  } catch (const TargetError& error) {
    raise_error("TargetError", py::make_tuple(error.what()));
  } catch (const StuckError& error) {
    raise_error("Error", py::make_tuple(error.what()));
  } catch (const std::exception& error) {
    raise_error("InternalError", py::make_tuple(error.what()));
  }
}

std::uint32_t index_of(const program::Topology& topology, const std::string& controller) {
  for (std::size_t i = 0; i < topology.controllers.size(); ++i) {
    if (topology.controllers[i].id == controller) return static_cast<std::uint32_t>(i);
  }
  throw program::InputError("controller", program::in_quotes(controller) + " is no controller of this Lab");
}

Settings settings_of(std::uint64_t seed, std::string profile, std::string name, std::uint8_t latitude,
                     std::vector<std::string> faults, std::uint64_t max_events, std::string target) {
  if (!program::is_clean_text(name, program::kLongestTitle)) {
    throw program::InputError("Lab(name=)", "is no single line of at most 200 bytes; shorten it");
  }
  return {seed,       std::move(profile), std::move(name), latitude, std::move(faults),
          max_events, std::move(target)};
}

py::tuple settings_tuple(const Settings& s) {
  return py::make_tuple(s.seed, s.profile, s.name, s.latitude, s.faults, s.max_events, s.target);
}

std::size_t do_step(Session& session, const std::string& kind, const py::dict& operands,
                    const std::string& actor, const std::string& label, const std::string& after,
                    const std::string& as, const py::object& at, const py::object& nowait,
                    std::uint8_t latitude, const py::object& timeout) {
  program::Step step = step_of(kind, operands);
  const auto name = [&](const char* what, const std::string& text) {
    if (!text.empty() && !program::is_name(text)) {
      throw program::InputError(kind + "(" + what + "=)",
                                program::in_quotes(text) +
                                    " is no name; a name is a letter, then letters, digits, "
                                    "'_', '-' or '.'");
    }
    return text == "main" ? std::string() : text;
  };
  step.actor = name("actor", actor);
  step.label = label.empty() ? label : name("label", label);
  step.after = after;
  step.as = name("as", as);
  if (!step.as.empty() && session.with([&](Lab& lab) { return lab.declares(step.as); })) {
    throw program::InputError(kind + "(as=)",
                              program::in_quotes(as) + " names a device or a host; choose another");
  }
  if (!at.is_none()) step.at = duration_of(at, kind + "(at=)");
  if (!nowait.is_none()) step.nowait = py::cast<bool>(nowait);
  step.latitude = latitude;
  const engine::Time limit = timeout.is_none() ? engine::kForever : duration_of(timeout, kind + "(timeout=)");
  return session.run([&](Lab& lab) {
    if (!step.label.empty() || !step.after.empty()) {
      const program::Program program = lab.program();
      const auto labelled = [&](const std::string& text) {
        return std::any_of(program.steps.begin(), program.steps.end(),
                           [&](const auto& s) { return s.label == text; });
      };
      if (!step.label.empty() && labelled(step.label)) {
        throw program::InputError(kind + "(label=)",
                                  program::in_quotes(step.label) + " is used already; choose another");
      }
      if (!step.after.empty() && !labelled(step.after)) {
        throw program::InputError(kind + "(after=)",
                                  program::in_quotes(step.after) + " is no label of an earlier step");
      }
    }
    return lab.carry_out(step, limit);
  });
}

py::list findings_of(Lab& lab, const check::Judgement& judgement) {
  const trace::Trace& trace = lab.trace();
  py::list out;
  for (const auto& step : lab.step_findings()) {
    out.append(py::make_tuple(step.rule(), "scenario", "step " + std::to_string(step.step), step.time,
                              step.summary, "", "", py::none(), py::list()));
  }
  for (const auto& finding : judgement.findings) {
    const model::RuleRow& rule = model::row_of(finding.rule);
    py::list events;
    for (const auto event : finding.events) {
      events.append(py::make_tuple(event, trace::event_text(trace, trace.events()[event])));
    }
    const bool known = finding.controller < trace.header.controllers.size();
    out.append(py::make_tuple(rule.id, model::scope_name(rule.scope), rule.area, finding.time,
                              finding.summary, finding.allowed, finding.seen,
                              known ? py::object(py::str(trace.header.controllers[finding.controller].name))
                                    : py::object(py::none()),
                              events));
  }
  return out;
}

py::tuple judge(Session& session) {
  const check::Judgement judgement = session.run([](Lab& lab) { return lab.judge(); });
  return session.with([&](Lab& lab) {
    py::list rules;
    for (std::size_t i = 0; i < judgement.statistics.size(); ++i) {
      const auto& rule = judgement.statistics[i];
      rules.append(py::make_tuple(model::rules()[i].id, rule.exercised, rule.violations, rule.inconclusive,
                                  rule.waived));
    }
    return py::make_tuple(lab.verdict(judgement), findings_of(lab, judgement), rules);
  });
}

py::tuple event_tuple(const trace::Trace& trace, std::size_t index) {
  if (index >= trace.events().size()) throw py::index_error("no such event");
  const trace::BoundaryEvent& e = trace.events()[index];
  const bool known = e.controller < trace.header.controllers.size();
  return py::make_tuple(
      index, e.earliest, static_cast<unsigned>(e.kind),
      known ? py::object(py::str(trace.header.controllers[e.controller].name)) : py::object(py::none()),
      e.queue, e.slot, e.a, e.b, e.c, e.cause, trace::event_text(trace, e));
}

py::dict topology_dict(const program::Topology& topology) {
  py::list subsystems, controllers, namespaces;
  for (const auto& s : topology.subsystems) subsystems.append(py::make_tuple(s.id, s.nqn, s.implicit));
  for (const auto& c : topology.controllers) {
    controllers.append(
        py::make_tuple(c.id, c.serial, topology.subsystems[c.subsystem].id, c.cntlid, c.address));
  }
  for (const auto& ns : topology.namespaces) {
    namespaces.append(py::make_tuple(ns.id, topology.subsystems[ns.subsystem].id, ns.nsid, ns.bytes,
                                     ns.block_bytes, ns.shared, ns.detached));
  }
  py::dict out;
  out["subsystems"] = subsystems;
  out["controllers"] = controllers;
  out["namespaces"] = namespaces;
  return out;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The machinery of the polypath package; use the package.";
  py::register_exception_translator(translate);

  py::class_<Data>(m, "Data", py::buffer_protocol())
      .def_buffer([](Data& data) {
        return py::buffer_info(reinterpret_cast<std::uint8_t*>(data.bytes.data()),
                               static_cast<py::ssize_t>(data.bytes.size()), true);
      })
      .def("__len__", [](const Data& data) { return data.bytes.size(); });

  py::class_<Lab::Snapshot, std::shared_ptr<Lab::Snapshot>>(m, "Snapshot");

  py::class_<Session>(m, "Lab")
      .def(py::init([](std::uint64_t seed, std::string profile, std::string name, std::uint8_t latitude,
                       std::vector<std::string> faults, std::uint64_t max_events, std::string target) {
             return std::make_unique<Session>(
                 std::make_unique<Lab>(settings_of(seed, std::move(profile), std::move(name), latitude,
                                                   std::move(faults), max_events, std::move(target))));
           }),
           py::arg("seed"), py::arg("profile"), py::arg("name"), py::arg("latitude"), py::arg("faults"),
           py::arg("max_events"), py::arg("target"))
      .def_static("load",
                  [](const std::string& text, const std::string& path, const std::string& profile,
                     const py::object& seed, std::uint8_t latitude, std::vector<std::string> faults,
                     std::uint64_t max_events, std::string target) {
                    scenario::LoadOptions options;
                    options.profile = profile;
                    program::Program program = path.empty()
                                                   ? scenario::load_scenario_text(text, "scenario", options)
                                                   : scenario::load_scenario_file(path, options);
                    if (!seed.is_none()) program.seed = py::cast<std::uint64_t>(seed);
                    for (auto& fault : faults) program.faults.push_back(std::move(fault));
                    for (auto& step : program.steps) {
                      if (step.latitude == 0) step.latitude = latitude;
                    }
                    Settings settings;
                    settings.latitude = latitude;
                    settings.max_events = max_events;
                    settings.target = std::move(target);
                    return std::make_unique<Session>(std::make_unique<Lab>(std::move(program), settings));
                  })
      .def_static("restored",
                  [](const py::bytes& encoded, const py::tuple& s, unsigned position) {
                    const std::string bytes = encoded;
                    const Settings settings{py::cast<std::uint64_t>(s[0]),
                                            py::cast<std::string>(s[1]),
                                            py::cast<std::string>(s[2]),
                                            py::cast<std::uint8_t>(s[3]),
                                            py::cast<std::vector<std::string>>(s[4]),
                                            py::cast<std::uint64_t>(s[5]),
                                            py::cast<std::string>(s[6])};
                    std::unique_ptr<Lab> lab;
                    {
                      const py::gil_scoped_release unlocked;
                      lab = Lab::restored(program::decode(std::as_bytes(std::span(bytes))), settings,
                                          static_cast<Position>(position));
                    }
                    return std::make_unique<Session>(std::move(lab));
                  })
      .def("state",
           [](Session& session) {
             return session.with([](Lab& lab) {
               const std::vector<std::byte> bytes = program::encode(lab.program());
               return py::make_tuple(py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
                                     settings_tuple(lab.settings()), static_cast<unsigned>(lab.position()));
             });
           })
      .def("add_device",
           [](Session& session, const std::string& word, const std::string& place) {
             session.with([&](Lab& lab) { lab.add_device(word, place); });
           })
      .def("add_host",
           [](Session& session, const std::string& id, const std::string& policy,
              const std::vector<std::string>& paths, std::uint16_t queues, std::uint16_t depth,
              const py::object& timeout) {
             program::HostSpec host;
             host.id = id;
             host.policy = policy;
             host.paths = paths;
             host.queues = queues;
             host.queue_depth = depth;
             host.io_timeout = duration_of(timeout, "host(io_timeout=)");
             session.run([&](Lab& lab) { lab.add_host(host); });
           })
      .def("topology",
           [](Session& session) {
             return session.with([](Lab& lab) { return topology_dict(lab.topology()); });
           })
      .def("hosts",
           [](Session& session) {
             return session.with([](Lab& lab) {
               py::list out;
               for (const auto& host : lab.program().hosts)
                 out.append(py::make_tuple(host.id, host.policy, host.paths));
               return out;
             });
           })
      .def("step", &do_step, py::arg("kind"), py::arg("operands"), py::arg("actor"), py::arg("label"),
           py::arg("after"), py::arg("as_"), py::arg("at"), py::arg("nowait"), py::arg("latitude"),
           py::arg("timeout"))
      .def("run_until",
           [](Session& session, std::size_t index, const py::object& timeout) {
             const engine::Time limit =
                 timeout.is_none() ? engine::kForever : duration_of(timeout, "run_until(timeout=)");
             session.run([&](Lab& lab) { lab.run_until(index, limit); });
           })
      .def("run_to_end",
           [](Session& session, const py::object& limit) {
             const engine::Time most = duration_of(limit, "run(limit=)");
             return session.run([&](Lab& lab) { return lab.run_to_end(most); });
           })
      .def("outcome",
           [](Session& session, std::size_t index) {
             return session.with([&](Lab& lab) {
               const target::StepOutcome& o = lab.outcome(index);
               return py::make_tuple(o.done, o.lost, o.status, o.error, o.dw0, o.dw1, o.step);
             });
           })
      .def("take_data",
           [](Session& session, std::size_t index) {
             return session.with([&](Lab& lab) { return Data{lab.take_data(index)}; });
           })
      .def("block_bytes",
           [](Session& session, const py::object& ns, const std::string& controller) {
             program::Value value;
             if (py::isinstance<py::str>(ns)) {
               value.form = program::Form::name;
               value.text = py::cast<std::string>(ns);
             } else {
               value.number = py::cast<std::uint32_t>(ns);
             }
             return session.with(
                 [&](Lab& lab) { return lab.block_bytes(value, index_of(lab.topology(), controller)); });
           })
      .def("raw",
           [](Session& session, const std::string& controller) {
             return session.with([&](Lab& lab) { return lab.raw(index_of(lab.topology(), controller)); });
           })
      .def("wants_enable",
           [](Session& session, const std::string& controller) {
             return session.with([&](Lab& lab) {
               const std::uint32_t index = index_of(lab.topology(), controller);
               return lab.raw(index) && !lab.touched(index) && !lab.has_queue(index, 0);
             });
           })
      .def("list_text",
           [](Session& session, std::uint32_t host) {
             return session.with([&](Lab& lab) { return lab.list_text(host); });
           })
      .def("judge", &judge)
      .def("save",
           [](Session& session, const std::string& path) {
             return session.run([&](Lab& lab) { return lab.save(path); });
           })
      .def("scenario",
           [](Session& session) {
             return session.with([](Lab& lab) { return scenario::scenario_text(lab.program()); });
           })
      .def("snapshot", [](Session& session) { return session.with([](Lab& lab) { return lab.snapshot(); }); })
      .def("restore",
           [](Session& session, const std::shared_ptr<Lab::Snapshot>& snapshot) {
             session.with([&](Lab& lab) { lab.restore(*snapshot); });
           })
      .def("event",
           [](Session& session, std::size_t index) {
             return session.with([&](Lab& lab) { return event_tuple(lab.trace(), index); });
           })
      .def("event_payload",
           [](Session& session, std::size_t index) {
             return session.with([&](Lab& lab) {
               const trace::Trace& trace = lab.trace();
               if (index >= trace.events().size()) throw py::index_error("no such event");
               const auto payload = trace.payload(trace.events()[index]);
               return py::bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
             });
           })
      .def("event_table",
           [](Session& session) {
             return session.with([](Lab& lab) {
               const auto rows = std::as_bytes(std::span(lab.trace().events()));
               return Data{{rows.begin(), rows.end()}};
             });
           })
      .def("trace_text",
           [](Session& session, bool inside, std::size_t first, const py::object& count) {
             trace::TextOptions options;
             options.inside = inside;
             options.first = first;
             if (!count.is_none()) options.count = py::cast<std::size_t>(count);
             return session.run([&](Lab& lab) { return trace::trace_text(lab.trace(), options); });
           })
      .def_property_readonly(
          "events",
          [](Session& session) { return session.with([](Lab& lab) { return lab.trace().events().size(); }); })
      .def_property_readonly(
          "steps", [](Session& session) { return session.with([](Lab& lab) { return lab.steps(); }); })
      .def_property_readonly(
          "now", [](Session& session) { return session.with([](Lab& lab) { return lab.now(); }); })
      .def_property_readonly(
          "started", [](Session& session) { return session.with([](Lab& lab) { return lab.started(); }); })
      .def_property_readonly(
          "profile", [](Session& session) { return session.with([](Lab& lab) { return lab.profile(); }); })
      .def_property_readonly(
          "target",
          [](Session& session) { return session.with([](Lab& lab) { return std::string(lab.target()); }); })
      .def_property_readonly("settings",
                             [](Session& session) {
                               return session.with([](Lab& lab) { return settings_tuple(lab.settings()); });
                             })
      .def_property_readonly(
          "trace_hash",
          [](Session& session) { return session.with([](Lab& lab) { return lab.trace().hash(); }); })
      .def_property_readonly("state_hash", [](Session& session) {
        return session.with([](Lab& lab) { return lab.state_hash(); });
      });

  m.def("status_name", [](unsigned status) { return spec::status_name(spec::status_of(status)); });
  m.def("duration_ns",
        [](const py::object& value, const std::string& place) { return duration_of(value, place); });
  m.def("size_bytes",
        [](const py::object& value, const std::string& place) { return size_of(value, place); });
  m.def("properties", [](const std::string& driver) {
    py::list out;
    for (const auto& row : program::driver_rows()) {
      if (row.name != driver) continue;
      for (const auto& property : row.properties)
        out.append(py::str(property.name.data(), property.name.size()));
    }
    return out;
  });
  m.def("commands", [] {
    py::list out;
    for (const auto& row : spec::commands()) {
      out.append(py::make_tuple(row.set == spec::CommandSet::admin ? "admin" : "nvm", row.opcode, row.name,
                                row.title));
    }
    return out;
  });
}

}  // namespace polypath::python
