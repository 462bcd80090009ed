#include "qemu/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

#include "program/topology.h"

namespace polypath::qemu {
namespace {

constexpr std::size_t kMostWords = 2000;  // of standard error
constexpr int kTries = 200;
constexpr useconds_t kPauseMicroseconds = 10'000;

// Linux sends the parent-death signal when the thread that forked ends. Whoever wants a child may do so in a
// thread of his that ends before (Python's do): one thread that lasts as long as the process forks for all.
class Forker {
 public:
  pid_t run(const std::function<pid_t()>& work) {
    const std::scoped_lock turn(turn_);
    std::unique_lock lock(mutex_);
    work_ = &work;
    changed_.notify_all();
    changed_.wait(lock, [this] { return work_ == nullptr; });
    return result_;
  }

  /// This process's own: a process that was forked has no threads of its parent.
  static Forker& instance() {
    static std::mutex mutex;
    static Forker* forker = nullptr;
    static pid_t owner = 0;
    const std::scoped_lock lock(mutex);
    if (owner != getpid()) {
      forker = new Forker;  // for good: its thread waits on it
      owner = getpid();
    }
    return *forker;
  }

 private:
  Forker() {
    std::thread([this] { serve(); }).detach();
  }
  void serve() {
    // Signals are for the threads that were there before.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return work_ != nullptr; });
      result_ = (*work_)();
      work_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex turn_, mutex_;
  std::condition_variable changed_;
  const std::function<pid_t()>* work_ = nullptr;
  pid_t result_ = -1;
};

}  // namespace

Child::Child(const std::vector<std::string>& arguments, int fd, const std::vector<int>& inherited)
    : parent_(getpid()), errors_(memory_file("standard error", 0)) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    throw program::InputError("qemu", fmt::format("no socket: {}", std::strerror(errno)));
  socket_ = Descriptor(pair[0]);
  const Descriptor theirs(pair[1]);
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  pid_ = Forker::instance().run([&] {
    const pid_t child = fork();
    if (child != 0) return child;
    // Nothing here may allocate: another thread may have held the allocator's lock.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent_) _exit(127);  // the parent was gone before the signal was asked for
    setpgid(0, 0);                         // Ctrl-C is for us
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(errors_.get(), 2);
    if (theirs.get() == fd ? fcntl(fd, F_SETFD, 0) != 0 : dup2(theirs.get(), fd) < 0) _exit(127);
    for (const int kept : inherited) fcntl(kept, F_SETFD, 0);
    execvp(words[0], words.data());
    _exit(127);
  });
  if (pid_ < 0) throw program::InputError("qemu", std::string("no process: too many of them, or no memory"));
}

Child::~Child() {
  if (parent_ == getpid()) bury(End::ours, "ended");  // a fork of ours has it in its memory, too
}

std::string Child::last_words() const {
  std::string said(kMostWords, '\0');
  const ssize_t n = pread(errors_.get(), said.data(), said.size(), 0);
  said.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return said;
}

void Child::bury(End end, const std::string& why) {
  if (pid_ <= 0) return;
  std::string how = why;
  if (end == End::ours) kill(pid_, SIGKILL);
  int status = 0;
  // One that closed its socket is about to end by itself; one that does not must not keep us.
  for (int tries = 0; end == End::its_own && waitpid(pid_, &status, WNOHANG) == 0; ++tries) {
    if (tries < kTries) {
      usleep(kPauseMicroseconds);
      continue;
    }
    kill(pid_, SIGKILL);
    end = End::ours;
    how = "closed its socket, and went on";
  }
  while (end == End::ours && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (end == End::its_own && WIFEXITED(status)) how = fmt::format("exit status {}", WEXITSTATUS(status));
  if (end == End::its_own && WIFSIGNALED(status)) how = fmt::format("signal {}", WTERMSIG(status));
  const std::string said = last_words();
  obituary_ = said.empty() ? how : fmt::format("{}: {}", how, said);
}

bool Child::send_all(const std::string& line) {
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

bool Child::ask(const std::string& line, std::string& answer, int seconds) {
  if (pid_ <= 0) return false;
  if (!send_all(line)) {
    bury(End::its_own);
    return false;
  }
  for (;;) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      answer = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (answer.starts_with("IRQ")) continue;  // not asked for
      return true;
    }
    pollfd waiting{socket_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, seconds * 1000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      bury(End::ours, fmt::format("no answer in {} s to {}", seconds, line.substr(0, line.find('\n'))));
      return false;
    }
    std::array<char, 4096> buffer{};
    const ssize_t n = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      bury(End::its_own);
      return false;
    }
    pending_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace polypath::qemu
