// A small trace with every kind of event, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spec/queue_entry.h"
#include "trace/trace.h"

namespace polypath::trace {

inline BoundaryEvent at(Time time, Boundary kind, std::uint16_t controller = 0, std::uint16_t queue = 0) {
  BoundaryEvent event;
  event.earliest = event.latest = time;
  event.kind = kind;
  event.controller = controller;
  event.queue = queue;
  return event;
}

inline Trace sample_trace() {
  Trace trace;
  trace.header.source = "simulator";
  trace.header.profile = "spec";
  trace.header.seed = 7;
  trace.header.subsystems = {"nqn.2019-08.org.qemu:subsys0"};
  ControllerHeader controller;
  controller.name = "nvme0";
  trace.header.controllers.push_back(controller);
  controller.name = "nvme1";
  controller.initial_state_known = false;
  controller.observed = observed::submissions | observed::completions;
  trace.header.controllers.push_back(controller);
  NamespaceHeader ns;
  ns.nsid = 1;
  ns.blocks = 262144;
  ns.attached = {0, 1};
  trace.header.namespaces.push_back(ns);

  auto event = at(1000, Boundary::register_write);
  event.a = 0x14;
  event.b = 4;
  event.c = 0x460001;
  trace.add(event);

  InsideEvent note;
  note.time = 1500;
  note.kind = Inside::step_begin;
  note.a = 3;
  trace.annotate(note);

  spec::SubmissionEntry read;
  read.opcode = 0x02;
  read.cid = 7;
  read.nsid = 1;
  read.cdw10 = 2048;
  read.cdw12 = 7;
  event = at(2000, Boundary::submitted, 0, 1);
  event.a = 7;
  event.slot = 5;
  event.cause = 3;
  event.b = submitted_part::ranges;
  trace.begin(event);
  trace.append_value(read);
  trace.append_value(std::uint32_t{1});
  trace.append_value(std::uint32_t{0});
  trace.append_value(std::uint64_t{0x10000});
  trace.append_value(std::uint64_t{4096});
  trace.commit();

  event = at(2000, Boundary::sq_doorbell, 0, 1);
  event.c = 6;
  trace.add(event);

  event = at(2100, Boundary::fetched, 0, 1);
  event.a = 7;
  event.slot = 5;
  trace.add(event);

  event = at(2200, Boundary::dma, 0, 1);
  event.a = 7;
  event.b = 4096;
  event.c = 0x10000;
  event.flags = event_flag::dma_write;
  trace.add(event);

  spec::CompletionEntry done;
  done.sqid = 1;
  done.sqhd = 6;
  done.cid = 7;
  done.status_word = spec::make_status_word(spec::Status::invalid_field, true) | 1U;
  event = at(2300, Boundary::completed, 0, 1);
  event.a = 7;
  event.slot = 0;
  trace.begin(event);
  trace.append_value(done);
  trace.commit();

  event = at(2400, Boundary::interrupt);
  event.a = 1;
  trace.add(event);

  event = at(2500, Boundary::async_event, 1);
  event.earliest = 0;
  event.c = 0x040002;
  trace.add(event);

  event = at(2600, Boundary::app_submit, kNoController);
  event.a = 9;
  event.b = 0x01;
  event.c = 64;
  trace.begin(event);
  trace.append_value(AppRequestPart{1, 8, 0, 0});
  trace.append_value(std::uint64_t{0xABCDEF});
  trace.commit();

  event = at(2700, Boundary::app_complete, kNoController);
  event.a = 9;
  event.b = 95;
  trace.add(event);

  note = {};
  note.time = 2800;
  note.kind = Inside::path_chosen;
  note.value = 9;
  trace.annotate(note);
  return trace;
}

}  // namespace polypath::trace
