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
#include "app/session/errands.h"
#include "app/session/history.h"
#include "app/session/opened.h"
#include "app/session/prompt.h"

namespace varve {

// One cell of a run, as it lies in the store.
struct CellResult {
  std::string key;
  std::shared_ptr<const Dataset> data;
};

// One analysis over the series with its prompts and settings; its cells appear as they finish.
struct Run {
  RunRequest request;
  std::string text;                            // the prompts as typed
  SettingValues inputs;                        // as Asked has them
  std::map<int64_t, CellResult> cells;         // by step
  std::shared_ptr<Job> job;                    // the last one that worked on it
  std::vector<int64_t> asked;                  // steps of the last job
  int64_t arrived = 0;                         // of them
  int64_t there = -1;                          // of them, in the store when the job began; -1: not known yet
  int64_t computed = 0, cached = 0;            // once it is through
  bool complete = false, is_recalled = false;  // is_recalled: read from the store, nobody asked to compute
  std::shared_ptr<const Dataset> series;       // the reduce, or the cells joined; once it is through
  std::string series_key;  // under results/<analysis>.series/; empty where there is no reduce
  bool running() const { return job && !job->finished(); }
};

struct StoredRun;

// The cell a view draws: that of the current step, else the nearest earlier one, said so.
struct Shown {
  int64_t step = -1;  // -1: nothing to show
  std::string key;
  std::shared_ptr<const Dataset> data;
};

// A result of the store that was asked for by key.
struct StoredResult {
  std::shared_ptr<const Dataset> data;
  std::string problem;
  int64_t bytes = 0;
  uint64_t asked = 0;  // when for the last time: the later, the larger
};
// What read results may hold together; beyond it those go that nobody shows, the longest unasked first.
constexpr int64_t stored_results_bytes = int64_t{512} << 20;
// Takes them out until the others fit.
void keep_within(std::map<std::string, StoredResult>& results, int64_t bytes);
// Opens a view of the analysis where none shows what it makes: cells of the current step, or of the series.
void show_somewhere(Bench& bench, const Analysis& analysis, bool has_cells);

class Session {
 public:
  // `wake` is called from any thread when settle() has something to take over.
  explicit Session(std::function<void()> wake, std::filesystem::path cache = cache_folder());
  ~Session();
  void settle();
  uint64_t revision() const { return revision_; }  // rises with every change that can be seen

  // With `restore` what was chosen when the series was last open comes back with it.
  void open(const std::filesystem::path& store_or_source, std::optional<Choice> restore = std::nullopt);
  void import_as(const std::filesystem::path& source, const std::filesystem::path& store, bool link);
  void close();
  const std::shared_ptr<const Opened>& opened() const { return opened_; }
  const std::shared_ptr<Job>& opening() const { return opening_; }  // null where nothing is being opened
  const std::string& open_error() const { return open_error_; }

  const Choice& choice() const { return history_.now(); }
  const std::vector<Stop>& stops() const;  // of the branch that is looked at
  const Stop* stop() const;                // the current one; null with nothing open
  int64_t stop_index() const;
  void go_to_step(int64_t step, int64_t gesture = 0);  // the nearest stop
  void move(int64_t by, int64_t gesture = 0);          // stops, clamped at the ends
  // Sets these axes, leaves the others; with a step it is one act with going there.
  void select(const std::map<std::string, int64_t>& at, std::optional<int64_t> step = std::nullopt);
  void clear_selection();
  void pin();  // makes this step A; where it is A already, takes the pin away
  void swap_pin();
  void brush(std::optional<std::pair<int64_t, int64_t>> steps, int64_t gesture = 0);
  void set_branch(const std::string& branch);
  void toggle_in_set(const std::map<std::string, int64_t>& at);  // Ctrl+click
  void choose_set(NamedSet set);
  void save_set(const std::string& name);
  bool can_go_back() const { return been_at_ > 0; }
  bool can_go_forward() const { return been_at_ + 1 < been_.size(); }
  void go_back();
  void go_forward();

  const Bench& bench() const { return choice().bench; }
  const OpenView* active_view() const { return bench().find(bench().active); }
  void activate(int64_t id);  // no act: nothing is undone by it
  // Beside the active view, or as a tab behind it; the new view's id.
  int64_t open_view(OpenView view, Edge edge = Edge::right);
  void close_view(int64_t id);
  void move_view(int64_t id, int64_t onto, Edge edge);
  void bring_forward(int64_t id);
  void drag_separator(const Separator& separator, double by, double least, int64_t gesture);
  void fill_with(int64_t id);  // that view alone; again: all of them
  void use_layout(const Bench& layout, const std::string& name);
  // Any change of one view, said as an act: change_view(id, "pin the options", [](OpenView& view) {...}).
  void change_view(int64_t id, const std::string& what, const std::function<void(OpenView&)>& how);
  void set_view_option(int64_t id, const std::string& name, const std::string& value);
  bool undo();
  bool redo();
  std::string would_undo() const { return history_.would_undo(); }
  std::string would_redo() const { return history_.would_redo(); }

  void play(bool on);
  bool playing() const { return playing_; }
  void play_on();  // one stop further; stops at the last

  void type(const std::string& text);  // what stands in the prompt field
  const Prompt& typed() const { return typed_; }
  std::string why_not_run(const std::string& analysis = "logit-lens") const;  // empty where run() would begin
  void run(const std::string& analysis, const SettingValues& settings = {});
  void limit_memory(int64_t bytes) { max_memory_ = bytes; }  // of every run that says nothing else; 0: none
  int64_t max_memory() const { return max_memory_; }
  // What a form asks for: waits for the runs before it. `text` is what request.probes was read from.
  // The inputs are read when its turn comes; of request.inputs only the names count.
  void start(const RunRequest& request, const std::string& text, const SettingValues& inputs = {});
  void show_stored(const StoredRun& stored);  // its cells as they lie in the store; nothing is computed
  void show_cells(const StoredRun& stored);   // the same, without opening a view for them
  const std::map<std::string, Run>& runs() const { return runs_; }
  Errands& errands() { return *errands_; }
  const Run* current_run() const;                        // of the analysis that was run last; or null
  const Run* run_of(const std::string& analysis) const;  // with what it was last asked; or null
  Shown shown() const;                                   // its cell of the current step
  Shown shown_at(const Run* run, int64_t step) const;    // of that step, else the nearest earlier one
  // A result of the store by its key, read by a job when first asked for; null until it is there.
  std::shared_ptr<const Dataset> stored(const std::string& analysis, const std::string& key);
  std::string stored_problem(const std::string& key) const;  // why it cannot be read; empty
  // What the store was found to hold: views of an analysis that nobody ran here show its newest result.
  void know_results(const std::vector<StoredRun>& found);
  const StoredRun* newest_stored(const std::string& analysis) const;  // null: none with a series
  const StoredRun* newest_cells(const std::string& analysis) const;   // null: none with cells

  const Jobs& jobs() const { return jobs_; }
  void stop_jobs();  // all that wait or run
  void forget_finished();

 private:
  void hand(std::function<void(Session&)> finished);  // from a job
  void begin_opening(const std::string& title, std::function<std::shared_ptr<const Opened>(Task&)> work);
  void take_opened(std::shared_ptr<const Opened> opened);
  void change(const Choice& next, const std::string& what, int64_t gesture = 0);
  void change_bench(const Bench& next, const std::string& what, int64_t gesture = 0);
  Choice fitting(Choice choice) const;
  int64_t step_near(int64_t step) const;
  void been_here();  // for going back
  void walk_to(size_t place);
  void after_undo();
  std::string run_id(const std::string& analysis, const Asked& asked) const;
  void ask(const RunRequest& request, const Asked& asked);  // the act
  void submit(const std::string& tag, const RunRequest& request, const Asked& asked);
  void show_stored_lens();
  Choice choice_of(const StoredRun& stored) const;
  void take_prompt_and_cells(const StoredRun& stored);
  void recall_runs();  // what the choice asks for and nobody holds, from the store
  // `known` where its prompts cannot be asked again in words, as those of a task with its corrupted twins.
  void recall(const std::string& analysis, const Asked& asked, const StoredRun* known = nullptr);
  void take_report(const std::string& id, RunReport report, int64_t computed_before);
  void take_cell(const std::string& id, int64_t step, CellResult cell);
  void take_series(const std::string& id, const std::string& key, std::shared_ptr<const Dataset> data);
  void touch() { ++revision_; }

  std::function<void()> wake_;
  std::filesystem::path cache_;
  uint64_t revision_ = 1;
  std::shared_ptr<const Opened> opened_;
  std::shared_ptr<Job> opening_;
  std::string open_error_;
  std::optional<Choice> restore_;
  History history_;
  Prompt typed_;
  bool playing_ = false;
  int64_t play_gesture_ = -1;  // negative: never a number the window gives out
  std::map<std::string, Run> runs_;
  std::map<std::string, StoredResult> stored_;
  uint64_t times_asked_ = 0;
  int64_t max_memory_ = 0;
  using Newest = std::map<std::string, std::shared_ptr<const StoredRun>>;  // by analysis
  Newest newest_, newest_cells_;
  // Places that were looked at, oldest first: step and selection.
  std::vector<std::pair<int64_t, Selection>> been_;
  size_t been_at_ = 0;
  std::mutex inbox_mutex_;
  std::vector<std::function<void(Session&)>> inbox_;
  std::unique_ptr<Errands> errands_;
  Jobs jobs_;  // last: its worker is gone before anything it hands over to
};

// The selection in words: "step 16k · L9 · pos 13 · token".
std::string selection_words(const Session& session);

}  // namespace varve
