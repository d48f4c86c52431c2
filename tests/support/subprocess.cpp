// Other programs, run by tests: what they printed, how they ended, and how to end them early.
#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace varve {
namespace {

int unnamed_file(const char* name) {
  const int file = memfd_create(name, MFD_CLOEXEC);
  if (file < 0) throw std::runtime_error("could not make an unnamed file for a program's output");
  return file;
}

std::string content_of(int file) {
  std::string text;
  std::array<char, 65536> block{};
  off_t at = 0;
  for (;;) {
    const ssize_t count = pread(file, block.data(), block.size(), at);
    if (count <= 0) return text;
    text.append(block.data(), static_cast<size_t>(count));
    at += count;
  }
}

// A test program has one thread while it starts others, so the environment may be set after the fork.
[[noreturn]] void become(const std::vector<char*>& words, const Environment& environment, int out, int err) {
  for (const auto& [name, value] : environment) {
    if (value.empty())
      unsetenv(name.c_str());
    else
      setenv(name.c_str(), value.c_str(), 1);
  }
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execv(words[0], words.data());
  _exit(127);
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& words, const Environment& environment)
    : out_(unnamed_file("out")), err_(unnamed_file("err")) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("could not start " + words.at(0));
  if (pid_ == 0) become(pointers, environment, out_, err_);
}

Subprocess::~Subprocess() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    wait();
  }
  close(out_);
  close(err_);
}

void Subprocess::reap(int status, int64_t peak_kilobytes) {
  ended_ = true;
  result_.peak_bytes = peak_kilobytes * 1024;
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  result_.out = content_of(out_);
  result_.err = content_of(err_);
}

bool Subprocess::running() {
  int status = 0;
  struct rusage used {};
  if (!ended_ && wait4(pid_, &status, WNOHANG, &used) == pid_) reap(status, used.ru_maxrss);
  return !ended_;
}

void Subprocess::send(int signal) const {
  if (!ended_) kill(pid_, signal);
}

Ended Subprocess::wait() {
  int status = 0;
  struct rusage used {};
  while (!ended_) {
    if (wait4(pid_, &status, 0, &used) == pid_)
      reap(status, used.ru_maxrss);
    else if (errno != EINTR)
      throw std::runtime_error("lost sight of a started program");
  }
  return result_;
}

Ended run_words(const std::vector<std::string>& words, const Environment& environment) {
  return Subprocess(words, environment).wait();
}

}  // namespace varve
