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
#include <cstring>
#include <fstream>
#include <iterator>

#include "program/topology.h"

namespace polypath::qemu {

Child::Child(const std::vector<std::string>& arguments, int fd, const std::string& errors) : errors_(errors) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    throw program::InputError("qemu", fmt::format("no socket: {}", std::strerror(errno)));
  const int log = open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // the parent was gone before the signal was asked for
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    if (log >= 0) dup2(log, 2);
    if (dup2(pair[1], fd) < 0) _exit(127);
    if (pair[1] == fd) fcntl(fd, F_SETFD, 0);
    execvp(words[0], words.data());
    _exit(127);
  }
  close(pair[1]);
  if (log >= 0) close(log);
  socket_ = pair[0];
  if (pid_ < 0) throw program::InputError("qemu", fmt::format("no process: {}", std::strerror(errno)));
}

Child::~Child() {
  if (pid_ > 0) bury("ended");
  if (socket_ >= 0) close(socket_);
}

void Child::bury(const std::string& why) {
  if (pid_ <= 0) return;
  if (why != "gone") kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  std::ifstream file(errors_, std::ios::binary);
  std::string said{std::istreambuf_iterator<char>(file), {}};
  if (said.size() > 2000) said.resize(2000);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  std::string how = why;
  if (why == "gone" && WIFEXITED(status)) how = fmt::format("exit status {}", WEXITSTATUS(status));
  if (why == "gone" && WIFSIGNALED(status)) how = fmt::format("signal {}", WTERMSIG(status));
  obituary_ = said.empty() ? how : fmt::format("{}: {}", how, said);
}

bool Child::ask(const std::string& line, std::string& answer, int seconds) {
  if (pid_ <= 0) return false;
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) {
      bury("gone");
      return false;
    }
    sent += static_cast<std::size_t>(n);
  }
  for (;;) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      answer = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (answer.starts_with("IRQ")) continue;  // not asked for
      return true;
    }
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = poll(&waiting, 1, seconds * 1000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      bury(fmt::format("no answer in {} s to {}", seconds, line.substr(0, line.find('\n'))));
      return false;
    }
    std::array<char, 4096> buffer{};
    const ssize_t n = recv(socket_, buffer.data(), buffer.size(), 0);
    if (n <= 0) {
      bury("gone");
      return false;
    }
    pending_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace polypath::qemu
