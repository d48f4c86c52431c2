// The session: acts of the person on one side, finished work of jobs on the other.
#include "app/session/session.h"

#include <algorithm>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/layouts.h"

namespace varve {

Session::Session(std::function<void()> wake, std::filesystem::path cache)
    : wake_(std::move(wake)), cache_(std::move(cache)), errands_(std::make_unique<Errands>(wake_)) {
  jobs_.changed = [this] { hand([](Session& session) { session.touch(); }); };
}

Session::~Session() {
  for (const std::shared_ptr<Job>& job : jobs_.all()) job->stop();
}

void Session::hand(std::function<void(Session&)> finished) {
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(finished));
  }
  if (wake_) wake_();
}

void Session::settle() {
  std::vector<std::function<void(Session&)>> finished;
  {
    const std::lock_guard lock(inbox_mutex_);
    finished.swap(inbox_);
  }
  for (const auto& take : finished) take(*this);
  if (errands_->settle()) touch();
  if (opening_ && opening_->finished()) {
    if (opening_->state() == Job::State::failed) open_error_ = opening_->error();
    opening_.reset();
    touch();
  }
}

void Session::begin_opening(const std::string& title,
                            std::function<std::shared_ptr<const Opened>(Task&)> work) {
  open_error_.clear();
  playing_ = false;
  // One thread does the work: what still runs for another series would keep this one waiting.
  stop_jobs();
  opening_ = jobs_.submit("open", title, [this, work = std::move(work)](Task& task) {
    std::shared_ptr<const Opened> opened = work(task);
    hand([opened](Session& session) { session.take_opened(opened); });
  });
  touch();
}

void Session::open(const std::filesystem::path& store_or_source, std::optional<Choice> restore) {
  const bool is_store = RunStore::is_store(store_or_source);
  restore_ = std::move(restore);
  begin_opening(
      (is_store ? "open " : "link ") + store_or_source.filename().string(),
      [store_or_source, cache = cache_](Task& task) { return open_series(store_or_source, cache, task); });
}

void Session::import_as(const std::filesystem::path& source, const std::filesystem::path& store, bool link) {
  begin_opening("import " + source.filename().string(),
                [source, store, link](Task& task) { return import_and_open(source, store, link, task); });
}

// What was remembered may be of an older series under the same path: what no longer fits is let go.
Choice Session::fitting(Choice choice) const {
  if (!opened_->lanes.contains(choice.branch)) choice.branch = opened_->branch;
  const std::vector<Stop>& lane = opened_->stops_of(choice.branch);
  choice.step = lane[static_cast<size_t>(nearest_stop(lane, choice.step))].step;
  if (choice.bench.views.empty()) choice.bench = ready_layout(1);
  return choice;
}

void Session::take_opened(std::shared_ptr<const Opened> opened) {
  opened_ = std::move(opened);
  runs_.clear();
  stored_.clear();
  newest_.clear();
  newest_cells_.clear();
  been_.clear();
  been_at_ = 0;
  Choice fresh;
  fresh.branch = opened_->branch;
  fresh.step = opened_->stops.back().step;
  if (restore_) fresh = std::move(*restore_);
  restore_.reset();
  history_.clear(fitting(std::move(fresh)));
  been_here();
  const auto asked = choice().asked.find(choice().analysis);
  const bool is_asked = asked != choice().asked.end() && !asked->second.text.empty();
  typed_ = read_prompt(is_asked ? asked->second.text : typed_.text, *opened_);
  // The prompts of a result are words of one store; another knows nothing of them.
  if (!is_asked && typed_.text.starts_with("as in:") && !typed_.problem.empty()) typed_ = {};
  recall_runs();
  touch();
}

void Session::close() {
  stop_jobs();
  opened_.reset();
  open_error_.clear();
  playing_ = false;
  runs_.clear();
  stored_.clear();
  newest_.clear();
  newest_cells_.clear();
  been_.clear();
  been_at_ = 0;
  history_.clear({});
  touch();
}

const std::vector<Stop>& Session::stops() const {
  static const std::vector<Stop> none;
  return opened_ ? opened_->stops_of(choice().branch) : none;
}

const Stop* Session::stop() const { return opened_ ? &stops()[static_cast<size_t>(stop_index())] : nullptr; }

int64_t Session::stop_index() const { return opened_ ? nearest_stop(stops(), choice().step) : 0; }

int64_t Session::step_near(int64_t step) const {
  return stops()[static_cast<size_t>(nearest_stop(stops(), step))].step;
}

void Session::change(const Choice& next, const std::string& what, int64_t gesture) {
  if (next == choice()) return;
  history_.change(next, what, gesture);
  touch();
}

void Session::go_to_step(int64_t step, int64_t gesture) {
  if (!opened_) return;
  Choice next = choice();
  next.step = step_near(step);
  change(next, "go to step " + show_step(next.step), gesture);
}

void Session::move(int64_t by, int64_t gesture) {
  if (!opened_) return;
  const auto last = static_cast<int64_t>(stops().size()) - 1;
  const int64_t to = std::clamp<int64_t>(stop_index() + by, 0, last);
  go_to_step(stops()[static_cast<size_t>(to)].step, gesture);
}

void Session::select(const std::map<std::string, int64_t>& at, std::optional<int64_t> step) {
  if (!opened_) return;
  Choice next = choice();
  if (step) next.step = step_near(*step);
  for (const auto& [axis, index] : at) next.selection.at[axis] = index;
  if (next == choice()) return;
  been_here();
  change(next, "select a cell");
  been_here();
}

void Session::clear_selection() {
  Choice next = choice();
  next.selection = {};
  next.brush.reset();
  next.set = {};
  change(next, "clear the selection");
}

bool Session::undo() {
  playing_ = false;
  if (!history_.undo()) return false;
  after_undo();
  return true;
}

bool Session::redo() {
  playing_ = false;
  if (!history_.redo()) return false;
  after_undo();
  return true;
}

void Session::after_undo() {
  const auto asked = choice().asked.find(choice().analysis);
  if (opened_ && asked != choice().asked.end() && !asked->second.text.empty())
    typed_ = read_prompt(asked->second.text, *opened_);
  touch();
}

void Session::play(bool on) {
  if (!opened_ || on == playing_) return;
  playing_ = on;
  --play_gesture_;
  if (on && stop_index() + 1 == static_cast<int64_t>(stops().size())) move(-stop_index(), play_gesture_);
  touch();
}

void Session::play_on() {
  if (!playing_ || !opened_) return;
  move(1, play_gesture_);
  if (stop_index() + 1 == static_cast<int64_t>(stops().size())) play(false);
}

void Session::stop_jobs() {
  for (const std::shared_ptr<Job>& job : jobs_.all())
    if (!job->finished()) job->stop();
  touch();
}

void Session::forget_finished() {
  jobs_.forget_finished();
  touch();
}

std::string selection_words(const Session& session) {
  if (!session.opened()) return "nothing is open";
  const Opened& opened = *session.opened();
  std::string words = "step " + show_step(session.stop()->step);
  const Selection& selection = session.choice().selection;
  for (const auto& [axis, index] : selection.at) {
    if (axis == "layer")
      words += " · " + layer_name(index, opened.spec.layers);
    else
      words += " · " + axis + " " + std::to_string(index);
  }
  if (const auto pos = selection.index("pos"))
    if (*pos >= 0 && *pos < static_cast<int64_t>(session.typed().pieces.size()))
      words += " · " + session.typed().pieces[static_cast<size_t>(*pos)];
  return words;
}

}  // namespace varve
