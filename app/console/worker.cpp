// Runs a verb on the job thread while the main thread draws progress and listens for Ctrl-C.
#include "app/console/worker.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/jobs.h"
#include "app/console/progress_line.h"

namespace varve {
namespace {

constexpr int redraw_millis = 150;

// A handler may only touch these: the write end of a pipe, and a count.
int wake_pipe = -1;
volatile std::sig_atomic_t signals_seen = 0;

void on_signal(int) {
  const int saved = errno;
  signals_seen = signals_seen + 1;
  if (signals_seen > 1) _exit(exit_interrupted);
  const char byte = 's';
  // A full pipe already wakes the reader, so a refused write loses nothing.
  if (write(wake_pipe, &byte, 1) < 0) errno = saved;
  errno = saved;
}

// While alive, SIGINT and SIGTERM write to a pipe instead of ending the process.
class SignalPipe {
 public:
  SignalPipe() {
    if (pipe(ends_.data()) != 0) fail("could not make a pipe for signals; are too many files open?");
    wake_pipe = ends_[1];
    signals_seen = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~SignalPipe() {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
    wake_pipe = -1;
    close(ends_[0]);
    close(ends_[1]);
  }
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  void wake() const {
    const char byte = 'w';
    while (write(ends_[1], &byte, 1) < 0 && errno == EINTR) continue;
  }
  void wait(int millis) const {
    pollfd entry{ends_[0], POLLIN, 0};
    if (poll(&entry, 1, millis) <= 0) return;
    std::array<char, 64> bytes{};
    // What was written does not matter, only that something was.
    if (read(ends_[0], bytes.data(), bytes.size()) < 0) return;
  }

 private:
  std::array<int, 2> ends_{};
  struct sigaction old_interrupt_ {
  }, old_terminate_{};
};

}  // namespace

int run_with_progress(Console& console, const std::function<int(Console&)>& work) {
  const SignalPipe signals;
  ProgressLine line(!console.quiet);
  console.line = &line;
  int code = 0;
  std::exception_ptr error;
  {
    Jobs jobs;
    jobs.changed = [&signals] { signals.wake(); };
    const auto job = jobs.submit("", "verb", [&](Task& task) {
      console.task = task;
      try {
        code = work(console);
      } catch (...) {
        // Kept with its type, which the job's own record would lose: the exit code hangs on it.
        error = std::current_exception();
      }
    });
    while (!job->finished()) {
      signals.wait(redraw_millis);
      if (signals_seen > 0) job->stop();
      line.draw(*job->progress());
    }
    jobs.wait();
    line.erase();
    for (const std::string& note : job->progress()->notes()) console.remark("note: " + note);
  }
  console.line = nullptr;
  if (error) std::rethrow_exception(error);
  return code;
}

}  // namespace varve
