// What each step of the tour says, waits for, and points at.
#include "app/session/tour.h"

#include <algorithm>
#include <charconv>

#include "analysis/core/text.h"

namespace varve {

namespace {

constexpr size_t other_steps = 3;  // scrubbing is more than one press

struct Words {
  const char* title;
  const char* sentence;
};
constexpr Words words[Tour::steps] = {
    {"Open a series and meet the rail", "Open the demo series. Each stripe on the rail is one checkpoint."},
    {"Scrub: watch the loss fall",
     "Press the right or left arrow, or drag the cursor. Watch loss and the table."},
    {"Read the lens: layer × token",
     "Type a prompt and press Enter. Rows are layers, columns are tokens. Text is what that layer would say; "
     "colour "
     "is how much it believes the true token. Point at a cell."},
    {"Click a cell: when, and from which layer",
     "Click a token's top cell. The inspector shows from which step on, and from which layer, it is right."},
    {"Run an analysis and pin two steps",
     "Press A to pin this step, go to the last one, then run an analysis from Analyse. Stop is in its row "
     "below."},
    {"Export the figure and its command line",
     "Export the picture (E), or Copy as command line: that line makes the same picture anywhere."}};

}  // namespace

std::string tour_title(int step) { return words[std::clamp(step, 0, Tour::steps - 1)].title; }

void Tour::begin() {
  running_ = true;
  if (finished()) done_ = 0;
  after_.clear();
  go_to(done_);
}

void Tour::end() { running_ = false; }

void Tour::go_to(int step) {
  step_ = std::clamp(step, 0, steps - 1);
  first_.reset();
  visited_.clear();
}

bool Tour::holds(const TourSight& sight) {
  switch (target()) {
    case Target::demo:
      return sight.is_open;
    case Target::rail:
      if (sight.is_open && sight.step != first_->step) visited_.insert(sight.step);
      return visited_.size() >= other_steps;
    case Target::table:
      return sight.reads_cell;
    case Target::corner_cell: {
      const auto layer = sight.selected.find("layer"), pos = sight.selected.find("pos");
      return sight.selected != first_->selected && layer != sight.selected.end() &&
             pos != sight.selected.end() && layer->second == sight.top_layer;
    }
    case Target::analyse:
      return sight.has_pin && sight.is_at_last &&
             !std::includes(first_->cells_of.begin(), first_->cells_of.end(), sight.cells_of.begin(),
                            sight.cells_of.end());
    case Target::save:
      return sight.kept > first_->kept;
  }
  return false;
}

bool Tour::see(const TourSight& sight) {
  if (!running_) return false;
  if (!first_) first_ = sight;
  if (!holds(sight)) return false;
  after_ = target() == Target::corner_cell ? sight.answer : "";
  done_ = std::max(done_, step_ + 1);
  if (step_ + 1 == steps)
    running_ = false;
  else
    go_to(step_ + 1);
  return true;
}

void Tour::skip() {
  if (!running_) return;
  after_.clear();
  done_ = std::max(done_, step_ + 1);
  if (step_ + 1 == steps)
    running_ = false;
  else
    go_to(step_ + 1);
}

void Tour::back() {
  if (!running_ || step_ == 0) return;
  after_.clear();
  go_to(step_ - 1);
}

std::string Tour::sentence() const { return words[step_].sentence; }

std::string Tour::after() const { return after_; }

Tour::Target Tour::target() const {
  constexpr Target targets[steps] = {Target::demo,        Target::rail,    Target::table,
                                     Target::corner_cell, Target::analyse, Target::save};
  return targets[step_];
}

int read_tour_progress(const std::filesystem::path& file) {
  constexpr int64_t limit_bytes = 64;
  if (!std::filesystem::exists(file)) return 0;
  const std::string text = read_file(file, limit_bytes);
  int done = 0;
  std::from_chars(text.data(), text.data() + text.size(), done);
  return std::clamp(done, 0, Tour::steps);
}

void write_tour_progress(const std::filesystem::path& file, int done) {
  std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, std::to_string(done) + "\n");
}

}  // namespace varve
