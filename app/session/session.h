// What is open, selected, running and undoable. It knows no window: tests drive it as the window does.
//
// Everything here belongs to one thread, its owner's. Jobs hand what they finish to an inbox and call `wake`;
// the owner then calls settle(). So nothing here waits and nothing here is locked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/jobs.h"
#include "analysis/run.h"
#include "app/session/history.h"
#include "app/session/opened.h"
#include "app/session/prompt.h"

namespace varve {

// One cell of a run, as it lies in the store.
struct CellResult {
  std::string key;
  std::shared_ptr<const Dataset> data;
};

// One analysis over the series with one prompt and one set of settings; its cells appear as they finish.
struct Run {
  RunRequest request;
  std::map<int64_t, CellResult> cells;  // by step
  std::shared_ptr<Job> job;             // the last one that worked on it
  int64_t computed = 0, cached = 0;     // once it is through
  bool complete = false;
  bool running() const { return job && !job->finished(); }
};

// The cell a view draws: that of the current step, else the nearest earlier one, said so.
struct Shown {
  int64_t step = -1;  // -1: nothing to show
  std::string key;
  std::shared_ptr<const Dataset> data;
};

class Session {
 public:
  // `wake` is called from any thread when settle() has something to take over.
  explicit Session(std::function<void()> wake, std::filesystem::path cache = cache_folder());
  ~Session();
  void settle();
  uint64_t revision() const { return revision_; }  // rises with every change that can be seen

  void open(const std::filesystem::path& store_or_source);
  void import_as(const std::filesystem::path& source, const std::filesystem::path& store, bool link);
  void close();
  const std::shared_ptr<const Opened>& opened() const { return opened_; }
  const std::shared_ptr<Job>& opening() const { return opening_; }  // null where nothing is being opened
  const std::string& open_error() const { return open_error_; }

  const Choice& choice() const { return history_.now(); }
  const Stop* stop() const;  // the current one; null with nothing open
  int64_t stop_index() const;
  void go_to_step(int64_t step, int64_t gesture = 0);  // the nearest stop
  void move(int64_t by, int64_t gesture = 0);          // stops, clamped at the ends
  // Sets these axes, leaves the others; with a step it is one act with going there.
  void select(const std::map<std::string, int64_t>& at, std::optional<int64_t> step = std::nullopt);
  void clear_selection();
  void set_option(const std::string& name, const std::string& value);
  void set_view(const std::string& view);
  bool undo();
  bool redo();
  std::string would_undo() const { return history_.would_undo(); }
  std::string would_redo() const { return history_.would_redo(); }

  void play(bool on);
  bool playing() const { return playing_; }
  void play_on();  // one stop further; stops at the last

  void type(const std::string& text);  // what stands in the prompt field
  const Prompt& typed() const { return typed_; }
  std::string why_not_run() const;  // empty where run() would begin
  void run(const std::string& analysis);
  const Run* current_run() const;  // of the prompt in force; null where there is none
  Shown shown() const;

  const Jobs& jobs() const { return jobs_; }
  void stop_jobs();  // all that wait or run
  void forget_finished();

 private:
  void hand(std::function<void(Session&)> finished);  // from a job
  void begin_opening(const std::string& title, std::function<std::shared_ptr<const Opened>(Task&)> work);
  void take_opened(std::shared_ptr<const Opened> opened);
  void change(const Choice& next, const std::string& what, int64_t gesture = 0);
  std::string run_id(const Choice& choice) const;
  void touch() { ++revision_; }

  std::function<void()> wake_;
  std::filesystem::path cache_;
  uint64_t revision_ = 1;
  std::shared_ptr<const Opened> opened_;
  std::shared_ptr<Job> opening_;
  std::string open_error_;
  History history_;
  Prompt typed_;
  bool playing_ = false;
  int64_t play_gesture_ = -1;  // negative: never a number the window gives out
  std::map<std::string, Run> runs_;
  std::mutex inbox_mutex_;
  std::vector<std::function<void(Session&)>> inbox_;
  Jobs jobs_;  // last: its worker is gone before anything it hands over to
};

// The selection in words: "step 16k · L9 · pos 13 · token".
std::string selection_words(const Session& session);

}  // namespace varve
