#include "fuzz_workers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <system_error>

namespace polypath::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kHangSeconds = 20;
constexpr std::size_t kMostMessage = 1024;

// What a worker writes down before each run, for the parent to read when the worker is gone.
struct Diary {
  std::atomic<std::uint64_t> runs;
  std::uint32_t bytes;
  std::array<std::uint8_t, fuzz::kMostBytes> input;
};

enum class Kind : std::uint32_t { progress, kept, found, done };
struct Head {
  Kind kind = Kind::progress;
  std::uint32_t input_bytes = 0;  ///< then the input, then rule and shape, each ended by a zero
  std::uint64_t runs = 0, steps = 0, violations = 0, states = 0, corpus = 0;
};
using Message = std::vector<std::uint8_t>;

Message message(Kind kind, const fuzz::Loop& loop, const fuzz::Input* input, const fuzz::Found* found) {
  const auto bytes = input == nullptr ? std::vector<std::uint8_t>{} : fuzz::write_input(*input);
  Head head;
  head.kind = kind;
  head.input_bytes = static_cast<std::uint32_t>(bytes.size());
  head.runs = loop.runs();
  head.steps = loop.steps();
  head.violations = loop.violations();
  head.states = loop.states();
  head.corpus = loop.corpus().size();
  Message out(sizeof head);
  std::memcpy(out.data(), &head, sizeof head);
  out.insert(out.end(), bytes.begin(), bytes.end());
  if (found != nullptr) {
    for (const std::string* text : {&found->rule, &found->shape}) {
      out.insert(out.end(), text->begin(), text->end());
      out.push_back(0);
    }
  }
  return out;
}

std::atomic<int> g_signal{0};
void on_signal(int number) { g_signal = number; }

class SignalGuard {
 public:
  SignalGuard() {
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  ~SignalGuard() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  struct sigaction interrupt_{}, terminate_{};
};

// The worker's side. Never returns to the caller's code.
[[noreturn]] void work(const FuzzWork& work, std::uint64_t seed, std::uint64_t runs, Diary& diary,
                       int socket) {
  // SIGINT reaches the whole foreground group: the parent decides when to end.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto send_all = [&](const Message& m) {
    if (send(socket, m.data(), m.size(), MSG_NOSIGNAL) < 0) _exit(0);  // the parent is gone
  };
  const auto write_down = [&](const fuzz::Input& input) {
    const auto bytes = fuzz::write_input(input);
    std::memcpy(diary.input.data(), bytes.data(), bytes.size());
    diary.bytes = static_cast<std::uint32_t>(bytes.size());
    ++diary.runs;
  };
  fuzz::Loop loop(work.arena, seed, work.latitude);
  for (const fuzz::Input& input : work.corpus) {
    write_down(input);
    loop.offer(input);
  }
  fuzz::Found found;
  auto last = Clock::now();
  for (std::uint64_t run = 0; runs == 0 || run < runs; ++run) {
    write_down(loop.next());
    if (loop.step(found)) send_all(message(Kind::found, loop, &found.input, &found));
    if (loop.kept()) send_all(message(Kind::kept, loop, &loop.corpus().back(), nullptr));
    if (run % 64 != 63) continue;
    std::array<std::uint8_t, fuzz::kMostBytes> offered{};
    for (ssize_t n = 0; (n = recv(socket, offered.data(), offered.size(), MSG_DONTWAIT)) > 0;) {
      const fuzz::Input input = fuzz::read_input({offered.data(), static_cast<std::size_t>(n)});
      write_down(input);
      loop.offer(input);
    }
    const auto now = Clock::now();
    if (now - last < std::chrono::milliseconds(200)) continue;
    last = now;
    send_all(message(Kind::progress, loop, nullptr, nullptr));
  }
  send_all(message(Kind::done, loop, nullptr, nullptr));
  _exit(0);
}

class Worker {
 public:
  Worker(const FuzzWork& of, std::uint64_t seed, std::uint64_t runs) : runs_(runs) {
    void* page = mmap(nullptr, sizeof(Diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    diary_ = new (page) Diary{};
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    socket_ = pair[0];
    pid_ = fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {
      close(pair[0]);
      work(of, seed, runs, *diary_, pair[1]);
    }
    close(pair[1]);
    moved_at_ = Clock::now();
  }
  ~Worker() {
    end();
    close(socket_);
    munmap(diary_, sizeof(Diary));
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  int socket() const { return socket_; }
  std::uint64_t runs_wanted() const { return runs_; }
  std::uint64_t runs_begun() const { return diary_->runs; }
  fuzz::Input last_input() const { return fuzz::read_input({diary_->input.data(), diary_->bytes}); }
  void offer(const std::vector<std::uint8_t>& bytes) const {
    // A worker that does not keep up misses offers; nothing depends on them.
    (void)send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  bool receive(Message& out) const {
    out.resize(kMostMessage);
    const ssize_t n = recv(socket_, out.data(), out.size(), MSG_DONTWAIT);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return n > 0;
  }
  /// True when the process has ended; `how` is its wait status.
  bool ended(int& how) {
    if (pid_ <= 0 || waitpid(pid_, &how, WNOHANG) != pid_) return false;
    pid_ = 0;
    return true;
  }
  bool hangs() {
    const std::uint64_t runs = diary_->runs;
    const auto now = Clock::now();
    if (runs != moved_to_) {
      moved_to_ = runs;
      moved_at_ = now;
    }
    return std::chrono::duration<double>(now - moved_at_).count() > kHangSeconds;
  }

  Head last;  ///< its last report
  bool done = false;

 private:
  Diary* diary_ = nullptr;
  pid_t pid_ = 0;
  int socket_ = -1;
  std::uint64_t runs_, moved_to_ = 0;
  Clock::time_point moved_at_;
};

// The parent's side.
class Campaign {
 public:
  Campaign(const FuzzWork& work, const FuzzCalls& calls) : work_(work), calls_(calls) {}

  FuzzTotals run() {
    const unsigned jobs = std::max(1U, work_.jobs);
    for (unsigned k = 0; k < jobs; ++k) {
      const std::uint64_t share = work_.runs == 0 ? 0 : (work_.runs + k) / jobs;
      if (work_.runs != 0 && share == 0) continue;
      workers_.push_back(start(share));
    }
    auto told = Clock::now();
    while (!enough_ && g_signal == 0 && !workers_.empty()) {
      if (work_.seconds > 0 && seconds() >= work_.seconds) break;
      wait();
      for (std::size_t k = 0; k < workers_.size() && !enough_; ++k) attend(k);
      std::erase_if(workers_, [](const auto& w) { return w == nullptr; });
      const auto now = Clock::now();
      if (now - told > std::chrono::milliseconds(250)) {
        told = now;
        calls_.progress(totals());
      }
    }
    for (auto& worker : workers_) {  // what they said before the end counts
      worker->end();
      if (!enough_) listen(*worker);
      add(worker->last);
    }
    workers_.clear();
    return totals();
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  std::unique_ptr<Worker> start(std::uint64_t runs) {
    return std::make_unique<Worker>(work_, engine::mix(work_.seed, ++started_), runs);
  }

  void wait() {
    std::vector<pollfd> sockets;
    for (const auto& worker : workers_) sockets.push_back({worker->socket(), POLLIN, 0});
    poll(sockets.data(), sockets.size(), 100);
  }

  void add(const Head& head) {
    ended_.runs += head.runs;
    ended_.steps += head.steps;
    ended_.violations += head.violations;
    ended_.states = std::max(ended_.states, head.states);
    ended_.corpus = std::max(ended_.corpus, head.corpus);
  }

  FuzzTotals totals() const {
    Campaign sum(work_, calls_);
    sum.ended_ = ended_;
    for (const auto& worker : workers_) sum.add(worker->last);
    return {sum.ended_.runs,   sum.ended_.steps,  sum.ended_.violations,
            sum.ended_.states, sum.ended_.corpus, seconds()};
  }

  void report(const fuzz::Found& found) {
    if (std::find(reported_.begin(), reported_.end(), found.shape) != reported_.end()) return;
    reported_.push_back(found.shape);
    if (calls_.found(found, totals())) enough_ = true;
  }

  void listen(Worker& worker) {
    Message message;
    while (!enough_ && worker.receive(message)) {
      if (message.size() < sizeof(Head)) continue;
      std::memcpy(&worker.last, message.data(), sizeof(Head));
      const std::span<const std::uint8_t> bytes{message.data() + sizeof(Head), worker.last.input_bytes};
      if (worker.last.kind == Kind::done) worker.done = true;
      if (worker.last.kind == Kind::kept) {
        for (const auto& other : workers_) {
          if (other.get() != &worker) other->offer({bytes.begin(), bytes.end()});
        }
        calls_.kept(fuzz::read_input(bytes));
      }
      if (worker.last.kind != Kind::found) continue;
      fuzz::Found found;
      found.input = fuzz::read_input(bytes);
      const auto* text = reinterpret_cast<const char*>(bytes.data() + bytes.size());
      found.rule = text;
      found.shape = text + found.rule.size() + 1;
      report(found);
    }
  }

  void attend(std::size_t index) {
    auto& worker = workers_[index];
    int how = 0;
    const bool ended = worker->ended(how);
    listen(*worker);
    if (!ended && !worker->hangs()) return;
    worker->end();
    add(worker->last);
    if (!worker->done && !enough_) {
      fuzz::Found found;
      found.input = worker->last_input();
      found.rule = ended ? "CRASH" : "HANG";
      found.shape = !ended             ? std::string("HANG")
                    : WIFSIGNALED(how) ? fmt::format("CRASH signal {}", WTERMSIG(how))
                                       : fmt::format("CRASH exit {}", WEXITSTATUS(how));
      report(found);
      const std::uint64_t left =
          worker->runs_wanted() - std::min(worker->runs_wanted(), worker->runs_begun());
      if (worker->runs_wanted() == 0 || left != 0) {
        worker = start(left);  // with dice of its own: not the same way again
        return;
      }
    }
    worker = nullptr;
  }

  const FuzzWork& work_;
  const FuzzCalls& calls_;
  Clock::time_point start_ = Clock::now();
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::string> reported_;
  Head ended_;  ///< sums of workers that are gone
  std::uint64_t started_ = 0;
  bool enough_ = false;
};

}  // namespace

FuzzTotals fuzz_in_workers(const FuzzWork& work, const FuzzCalls& calls) {
  const SignalGuard guard;
  return Campaign(work, calls).run();
}

bool interrupted() { return g_signal != 0; }

}  // namespace polypath::cli
