// The one error type: a sentence for the person at the screen, and the exit code a program ends with.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace varve {

// Who has to act; the values are the exit codes of the command-line contract.
enum class Blame { check = 1, usage = 2, input = 3, budget = 4 };

class Error : public std::runtime_error {
 public:
  Error(Blame blame, const std::string& message) : std::runtime_error(message), blame_(blame) {}
  Blame blame() const { return blame_; }

 private:
  Blame blame_;
};

// Thrown by Task::step when the owner asked to stop. Not an Error: nothing went wrong.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped on request"; }
};

// Bad input: say what was asked, what was found, what to try.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(Blame::input, fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(Blame::usage, fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void fail_budget(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(Blame::budget, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace varve
