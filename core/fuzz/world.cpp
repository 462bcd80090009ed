#include "fuzz/world.h"

#include <array>

#include "fuzz/put.h"
#include "fuzz/zoned.h"
#include "spec/zones.h"

namespace polypath::fuzz {

using program::Field;
using program::Step;
using program::StepKind;

/// Are the controller's interrupts those of a pin? It has vector 0 alone.
bool has_pin(const Shape& shape, unsigned controller) {
  return shape.pattern == 3 && shape.alone && controller + 1U == shape.controllers;
}

Owner owner_of(const Shape& shape, unsigned controller) {
  switch (shape.hosts) {
    case 1:
      return controller == 0 ? Owner::host0 : Owner::raw;
    case 2:
      return controller % 2 == 0 ? Owner::host0 : Owner::host1;
    case 3:
      return Owner::host0;
    default:
      return Owner::raw;
  }
}

namespace {

/// Of one namespace after the other: types, places, guards and storage tags of protection information;
/// metadata without it.
constexpr std::array kMetadata{",ms=8,pi=1",
                               ",logical_block_size=4096,ms=8,pi=2,mset=1",
                               ",logical_block_size=4096,ms=16,pi=2,pif=2,sts=16",
                               ",logical_block_size=4096,ms=64,pi=1,pil=1,mset=1",
                               ",ms=8,pi=3",
                               ",ms=16"};

std::vector<std::string> words_of(const Shape& shape, With with) {
  std::vector<std::string> words{"nvme-subsys,id=subsys0"};
  for (unsigned k = 0; k < shape.controllers; ++k) {
    const bool alone = shape.alone && k + 1 == shape.controllers;
    words.push_back(std::string("nvme,id=") + kControllers[k] + ",serial=" +
                    (alone ? "alone" : "shared,subsys=subsys0") + ",max_ioqpairs=4,msix_qsize=4" +
                    (has_pin(shape, k) ? ",pin=on" : "") + (shape.pattern == 2 && alone ? ",dstrd=1" : "") +
                    (with == With::zones ? zone_controller_words(shape) : ""));
  }
  for (unsigned i = 0; i < shape.namespaces; ++i) {
    // By pattern, ever more namespaces are private or detached; every other one of pattern 2 has large
    // blocks: of a page, then of the largest size.
    const unsigned turn = (i + shape.pattern) % 4U;
    const bool is_private = shape.pattern != 0 && turn == 2;
    const bool detached = (shape.pattern == 0 && i == 2) || (shape.pattern != 0 && turn == 3);
    const bool alone = shape.alone && i + 1 == shape.namespaces && i != 0;
    const unsigned bus = alone ? shape.controllers - 1U : i % (shape.controllers - (shape.alone ? 1U : 0U));
    const std::string zones = with == With::zones ? zone_words(shape, i) : "";
    std::string word = std::string("nvme-ns,id=") + kNamespaces[i] + (zones.empty() ? ",size=1MiB" : zones);
    word += is_private || alone ? std::string(",bus=") + kControllers[bus] : ",subsys=subsys0";
    if (is_private) word += ",shared=off";
    if (detached) word += ",detached=on";
    if (with == With::metadata) {
      word += kMetadata[i % kMetadata.size()];
      words.push_back(word);
      continue;
    }
    if (shape.pattern == 2 && i % 2 == 1 && zones.empty())
      word += i == 1 ? ",logical_block_size=4096" : ",logical_block_size=65536";
    words.push_back(word);
  }
  return words;
}

void add_hosts(const Shape& shape, program::Program& program) {
  for (unsigned h = 0; h < (shape.hosts == 0                            ? 0U
                            : shape.hosts == 2 && shape.controllers > 1 ? 2U
                                                                        : 1U);
       ++h) {
    program::HostSpec host;
    host.id = h == 0 ? "host0" : "host1";
    host.policy = shape.pattern % 2 == 0 ? "round-robin" : "numa";
    host.queue_depth = shape.shallow ? 4 : 16;
    for (unsigned k = 0; k < shape.controllers; ++k) {
      if (owner_of(shape, k) == (h == 0 ? Owner::host0 : Owner::host1)) host.paths.push_back(kControllers[k]);
    }
    program.hosts.push_back(std::move(host));
  }
}

// What a driver asks before it uses zones: their size and limits, the longest Append, and how they are.
template <class On>
void look_at_zones(const Shape& shape, unsigned controller, On&& on) {
  const auto identify = [&](std::uint64_t cns, std::uint64_t nsid, bool by_set) {
    Step& step = on(StepKind::admin, controller);
    put(step, Field::opcode, 0x06);
    put(step, Field::cdw10, cns);
    if (nsid != 0) put(step, Field::nsid, nsid);
    if (by_set) put(step, Field::cdw11, std::uint64_t{spec::kCsiZoned} << 24U);
  };
  identify(0x06, 0, true);
  for (std::uint64_t nsid = 1; nsid <= shape.namespaces; ++nsid) {
    identify(0x00, nsid, false);
    identify(0x05, nsid, true);
    Step& report = on(StepKind::io, controller);
    put(report, Field::opcode, 0x7A);
    put(report, Field::nsid, nsid);
    put(report, Field::cdw12, 255);
    put(report, Field::queue, 1);
  }
}

// And before it uses protection information.
template <class On>
void look_at_metadata(const Shape& shape, unsigned controller, On&& on) {
  for (unsigned i = 0; i < 2 * shape.namespaces; ++i) {
    Step& step = on(StepKind::admin, controller);
    put(step, Field::opcode, 0x06);
    put(step, Field::cdw10, i % 2 == 0 ? 0x00U : 0x05U);
    put(step, Field::nsid, i / 2 + 1);
  }
}

}  // namespace

program::Program prepared_program(const Shape& shape, const std::string& fault, With zones) {
  program::Program program;
  program.name = "attach";
  if (zones == With::zones) program.profile = "spec-zoned";
  if (zones == With::metadata) program.profile = "spec-pi";
  program::TopologyOptions options;
  options.zoned = zones == With::zones;
  program.topology = program::parse_topology(words_of(shape, zones), {}, options);
  program::use_memory_media(program.topology);
  add_hosts(shape, program);
  if (!fault.empty()) program.faults.push_back(fault);
  const auto on = [&](StepKind kind, unsigned controller) -> Step& {
    Step& step = program.steps.emplace_back();
    step.kind = kind;
    put_name(step, Field::controller, kControllers[controller]);
    return step;
  };
  for (unsigned k = 0; k < shape.controllers; ++k) {
    if (owner_of(shape, k) != Owner::raw) continue;
    Step& capabilities = on(StepKind::register_read, k);
    put(capabilities, Field::offset, 0);
    put(capabilities, Field::bytes, 8);
    put(on(StepKind::enable, k), Field::depth, shape.shallow ? 8 : 32);
    Step& identify = on(StepKind::admin, k);
    put(identify, Field::opcode, 0x06);
    put(identify, Field::cdw10, 1);
    for (unsigned queue = 1; queue <= 2; ++queue) {
      Step& pair = on(StepKind::create_queue_pair, k);
      put(pair, Field::queue, queue);
      put(pair, Field::depth, (shape.shallow ? 2U : 8U) * queue + (shape.shallow ? 1U : 0U));
      if (!has_pin(shape, k)) put(pair, Field::vector, queue);
    }
    if (zones == With::zones) look_at_zones(shape, k, on);
    if (zones == With::metadata) look_at_metadata(shape, k, on);
    if (!shape.events) continue;
    Step& events = on(StepKind::admin, k);
    put(events, Field::opcode, 0x09);
    put(events, Field::cdw10, 0x0B);
    put(events, Field::cdw11, zones == With::zones ? 0x0800'0100U : 0x100U);
    Step& request = on(StepKind::admin, k);
    put(request, Field::opcode, 0x0C);
    request.nowait = true;
  }
  Step& rest = program.steps.emplace_back();
  rest.kind = StepKind::wait;
  rest.label = kReady;
  put(rest, Field::duration, engine::kMillisecond);
  return program::canonical(std::move(program));
}

}  // namespace polypath::fuzz
