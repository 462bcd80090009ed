// A child process that must not outlive us, with one socket to it and its standard error kept.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "qemu/descriptor.h"

namespace polypath::qemu {

class Child {
 public:
  /// Starts `arguments` (the first is found in PATH) with the far end of a socket as file descriptor `fd` of
  /// the child; descriptors in `inherited` keep their numbers there. The child lives on when the thread that
  /// made it ends, and dies with this process. Does not wait for it. Throws program::InputError when there is
  /// no process to be had.
  Child(const std::vector<std::string>& arguments, int fd, const std::vector<int>& inherited = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Sends a line and gives the answer's line. False when the child is gone, or answered nothing for
  /// `seconds`, in which case it is ended.
  bool ask(const std::string& line, std::string& answer, int seconds);
  bool alive() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  /// "exit status 1", "signal 6", with what it wrote on standard error.
  const std::string& obituary() const { return obituary_; }

 private:
  enum class End : std::uint8_t { its_own, ours };
  bool send_all(const std::string& line);
  void bury(End end, const std::string& why = "");
  std::string last_words() const;

  pid_t parent_, pid_ = -1;
  Descriptor socket_, errors_;
  std::string pending_;  ///< received, not a whole line yet
  std::string obituary_;
};

}  // namespace polypath::qemu
