// The session: acts of the person on one side, finished work of jobs on the other.
#include "app/session/session.h"

#include <algorithm>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

Session::Session(std::function<void()> wake, std::filesystem::path cache)
    : wake_(std::move(wake)), cache_(std::move(cache)) {
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

void Session::open(const std::filesystem::path& store_or_source) {
  const bool is_store = RunStore::is_store(store_or_source);
  begin_opening(
      (is_store ? "open " : "link ") + store_or_source.filename().string(),
      [store_or_source, cache = cache_](Task& task) { return open_series(store_or_source, cache, task); });
}

void Session::import_as(const std::filesystem::path& source, const std::filesystem::path& store, bool link) {
  begin_opening("import " + source.filename().string(),
                [source, store, link](Task& task) { return import_and_open(source, store, link, task); });
}

void Session::take_opened(std::shared_ptr<const Opened> opened) {
  opened_ = std::move(opened);
  runs_.clear();
  Choice fresh;
  fresh.step = opened_->stops.back().step;
  history_.clear(fresh);
  typed_ = read_prompt(typed_.text, *opened_);
  touch();
}

void Session::close() {
  stop_jobs();
  opened_.reset();
  open_error_.clear();
  playing_ = false;
  runs_.clear();
  history_.clear({});
  touch();
}

const Stop* Session::stop() const {
  return opened_ ? &opened_->stops[static_cast<size_t>(stop_index())] : nullptr;
}

int64_t Session::stop_index() const { return opened_ ? opened_->nearest_stop(choice().step) : 0; }

void Session::change(const Choice& next, const std::string& what, int64_t gesture) {
  if (next == choice()) return;
  history_.change(next, what, gesture);
  touch();
}

void Session::go_to_step(int64_t step, int64_t gesture) {
  if (!opened_) return;
  Choice next = choice();
  next.step = opened_->stops[static_cast<size_t>(opened_->nearest_stop(step))].step;
  change(next, "go to step " + show_step(next.step), gesture);
}

void Session::move(int64_t by, int64_t gesture) {
  if (!opened_) return;
  const auto last = static_cast<int64_t>(opened_->stops.size()) - 1;
  const int64_t to = std::clamp<int64_t>(stop_index() + by, 0, last);
  go_to_step(opened_->stops[static_cast<size_t>(to)].step, gesture);
}

void Session::select(const std::map<std::string, int64_t>& at, std::optional<int64_t> step) {
  if (!opened_) return;
  Choice next = choice();
  if (step) next.step = opened_->stops[static_cast<size_t>(opened_->nearest_stop(*step))].step;
  for (const auto& [axis, index] : at) next.selection.at[axis] = index;
  change(next, "select a cell");
}

void Session::clear_selection() {
  Choice next = choice();
  next.selection = {};
  change(next, "clear the selection");
}

void Session::set_option(const std::string& name, const std::string& value) {
  Choice next = choice();
  next.options[name] = value;
  change(next, "change " + name);
}

void Session::set_view(const std::string& view) {
  Choice next = choice();
  next.view = view;
  next.options.clear();
  change(next, "change the view");
}

bool Session::undo() {
  playing_ = false;
  if (!history_.undo()) return false;
  if (opened_ && !choice().text.empty()) typed_ = read_prompt(choice().text, *opened_);
  touch();
  return true;
}

bool Session::redo() {
  playing_ = false;
  if (!history_.redo()) return false;
  if (opened_ && !choice().text.empty()) typed_ = read_prompt(choice().text, *opened_);
  touch();
  return true;
}

void Session::play(bool on) {
  if (!opened_ || on == playing_) return;
  playing_ = on;
  --play_gesture_;
  if (on && stop_index() + 1 == static_cast<int64_t>(opened_->stops.size()))
    move(-stop_index(), play_gesture_);
  touch();
}

void Session::play_on() {
  if (!playing_ || !opened_) return;
  move(1, play_gesture_);
  if (stop_index() + 1 == static_cast<int64_t>(opened_->stops.size())) play(false);
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
