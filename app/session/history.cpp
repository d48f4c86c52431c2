// The undo stack.
#include "app/session/history.h"

#include <utility>

namespace varve {

namespace {
constexpr size_t most_acts = 1000;  // a day of clicking, about 1 MB
}

void History::clear(Choice now) {
  now_ = std::move(now);
  acts_.clear();
  done_ = 0;
}

void History::change(const Choice& next, const std::string& what, int64_t gesture) {
  if (next == now_) return;
  acts_.resize(done_);
  if (gesture != 0 && !acts_.empty() && acts_.back().gesture == gesture) {
    acts_.back().after = next;
  } else {
    acts_.push_back({.before = now_, .after = next, .what = what, .gesture = gesture});
    if (acts_.size() > most_acts) acts_.erase(acts_.begin());
  }
  done_ = acts_.size();
  now_ = next;
}

bool History::undo() {
  if (done_ == 0) return false;
  now_ = acts_[--done_].before;
  return true;
}

bool History::redo() {
  if (done_ == acts_.size()) return false;
  now_ = acts_[done_++].after;
  return true;
}

std::string History::would_undo() const { return done_ == 0 ? "" : acts_[done_ - 1].what; }

std::string History::would_redo() const { return done_ == acts_.size() ? "" : acts_[done_].what; }

}  // namespace varve
