// Other programs, run by tests: what they printed, how they ended, and how to end them early.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace varve {

struct Ended {
  int exit_code = -1;  // -1 where a signal ended it
  int signal = 0;
  std::string out, err;
  int64_t peak_bytes = 0;  // the most memory it held at once
};

using Environment = std::map<std::string, std::string>;  // added to the test's own; "" removes a variable

// A program that runs while the test goes on. Its output is collected in unnamed files, so that it never
// waits for a reader.
class Subprocess {
 public:
  explicit Subprocess(const std::vector<std::string>& words, const Environment& environment = {});
  ~Subprocess();  // kills it where it still runs
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  bool running();  // false once it has ended
  void send(int signal) const;
  Ended wait();

 private:
  void reap(int status, int64_t peak_kilobytes);
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  bool ended_ = false;
  Ended result_;
};

Ended run_words(const std::vector<std::string>& words, const Environment& environment = {});

}  // namespace varve
