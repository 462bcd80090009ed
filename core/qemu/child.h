// A child process that must not outlive us, with one socket to it and its standard error kept.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace polypath::qemu {

class Child {
 public:
  /// Starts `arguments` (the first is found in PATH) with the far end of a socket as file descriptor `fd` of
  /// the child, and standard error in the file `errors`. Throws program::InputError when it cannot.
  Child(const std::vector<std::string>& arguments, int fd, const std::string& errors);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Sends a line and gives the answer's line. False when the child is gone, or answered nothing for
  /// `seconds`, in which case it is ended.
  bool ask(const std::string& line, std::string& answer, int seconds = 10);
  bool alive() const { return pid_ > 0; }
  /// "exit status 1", "signal 6", with what it wrote on standard error.
  const std::string& obituary() const { return obituary_; }

 private:
  void bury(const std::string& why);

  pid_t pid_ = -1;
  int socket_ = -1;
  std::string pending_;  ///< received, not a whole line yet
  std::string errors_, obituary_;
};

}  // namespace polypath::qemu
