// 4 KiB reads over the whole path: entry, doorbell, fetch, PRP, media, data, completion entry, interrupt,
// reap, head doorbell, every boundary event traced; the same with the reference model reading along; snapshot
// and restore.
#include <benchmark/benchmark.h>

#include "model/monitor.h"
#include "target/runner.h"
#include "target/world.h"

namespace {

using namespace polypath;

program::Program seed_world(bool hosts) {
  program::Program program;
  program.name = "seed";
  auto& t = program.topology;
  t.subsystems = {{"subsys0", "nqn.2019-08.org.qemu:subsys0", false},
                  {"nvme3", "nqn.2019-08.org.qemu:qux", true}};
  for (std::uint16_t k = 0; k < 4; ++k) {
    program::ControllerSpec c;
    c.id = "nvme" + std::to_string(k);
    c.serial = k < 3 ? "foo" : "qux";
    c.subsystem = k < 3 ? 0 : 1;
    c.cntlid = k < 3 ? k : std::uint16_t{0};
    t.controllers.push_back(c);
  }
  const auto ns = [&](const char* id, std::uint32_t nsid, std::uint32_t subsystem, std::int32_t bus) {
    program::NamespaceSpec n;
    n.id = id;
    n.nsid = nsid;
    n.subsystem = subsystem;
    n.bytes = 128U << 20U;
    n.shared = bus < 0;
    n.bus = bus;
    t.namespaces.push_back(n);
  };
  ns("ns1", 1, 0, -1);
  ns("ns2", 2, 0, 2);
  ns("ns3", 3, 1, 3);
  if (hosts) {
    program::HostSpec host;
    host.id = "host0";
    host.paths = {"nvme1", "nvme0", "nvme2", "nvme3"};
    program.hosts.push_back(host);
  }
  return program;
}

/// One controller with a raw driver and one I/O queue pair, kept `depth` deep.
class ReadLoop {
 public:
  explicit ReadLoop(std::uint32_t depth) : program_(seed_world(false)), world_(program_), depth_(depth) {
    world_.trace().keep_inside(false);
    driver_.enable(world_.port(0), 32);
    settle();
    driver_.make_queue_pair(world_.port(0), 1, 256);
    const auto* rings = driver_.queue(1);
    spec::SubmissionEntry cq, sq;
    cq.opcode = 0x05;
    cq.prp1 = rings->cq.base;
    cq.cdw10 = 255U << 16U | 1U;
    cq.cdw11 = 1U << 16U | 3U;
    driver_.submit(world_.port(0), 0, cq, false, 0, {});
    settle();
    sq.opcode = 0x01;
    sq.prp1 = rings->sq.base;
    sq.cdw10 = 255U << 16U | 1U;
    sq.cdw11 = 1U << 16U | 1U;
    driver_.submit(world_.port(0), 0, sq, false, 0, {});
    settle();
    for (std::uint32_t i = 0; i < depth_; ++i) buffers_.push_back(world_.port(0).memory().allocate(4096));
    for (std::uint32_t i = 0; i < depth_; ++i) io(0x01, i, i);  // written once, so that reads find data
    settle();
  }

  /// `depth` reads, submitted together and completed.
  void batch() {
    for (std::uint32_t i = 0; i < depth_; ++i) io(0x02, i, i);
    settle();
  }
  target::World& world() { return world_; }
  std::uint64_t done() const { return done_; }

 private:
  void io(std::uint8_t opcode, std::uint32_t buffer, std::uint64_t place) {
    spec::SubmissionEntry entry;
    entry.opcode = opcode;
    entry.nsid = 1;
    entry.prp1 = buffers_[buffer];
    entry.cdw10 = static_cast<std::uint32_t>(place * 8);
    entry.cdw12 = 7;
    entry.cid = static_cast<std::uint16_t>(buffer);
    driver_.submit(world_.port(0), 1, entry, true, buffer, {});
  }
  void settle() {
    engine::Event event;
    bool ours = false;
    while (world_.step(engine::kForever, event, ours)) {
      if (ours) continue;
      outcomes_.clear();
      driver_.reap(world_.port(0), outcomes_);
      done_ += outcomes_.size();
    }
  }

  program::Program program_;
  target::World world_;
  target::RawDriver driver_;
  std::vector<std::uint64_t> buffers_;
  std::vector<target::RawOutcome> outcomes_;
  std::uint32_t depth_;
  std::uint64_t done_ = 0;
};

void read_4k_with_trace(benchmark::State& state) {
  ReadLoop loop(static_cast<std::uint32_t>(state.range(0)));
  const std::uint64_t before = loop.done();
  for (auto _ : state) {
    loop.batch();
    loop.world().trace().forget();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(loop.done() - before));
}
BENCHMARK(read_4k_with_trace)->Arg(1)->Arg(32);

void read_4k_with_trace_and_model(benchmark::State& state) {
  ReadLoop loop(static_cast<std::uint32_t>(state.range(0)));
  model::Monitor monitor(loop.world().trace());
  monitor.advance();
  const std::uint64_t before = loop.done();
  for (auto _ : state) {
    loop.batch();
    monitor.advance();
    loop.world().trace().forget();
    monitor.forgotten();
  }
  if (!monitor.findings().empty()) state.SkipWithError("the model found a violation");
  state.SetItemsProcessed(static_cast<std::int64_t>(loop.done() - before));
}
BENCHMARK(read_4k_with_trace_and_model)->Arg(1)->Arg(32);

void snapshot_and_restore_of_the_seed_world(benchmark::State& state) {
  const program::Program program = seed_world(true);
  target::World world(program);
  target::Runner runner(world, program);
  runner.run();
  target::World::Snapshot snapshot;
  for (auto _ : state) {
    world.snapshot(snapshot);
    world.restore(snapshot);
  }
}
BENCHMARK(snapshot_and_restore_of_the_seed_world)->Unit(benchmark::kMicrosecond);

}  // namespace
