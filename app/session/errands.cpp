// The errand thread and its inbox.
#include "app/session/errands.h"

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {

Errands::Errands(std::function<void()> wake) : wake_(std::move(wake)) {}

Errands::~Errands() {
  for (const std::shared_ptr<Job>& job : jobs_.all()) job->stop();
}

void Errands::send(const std::string& tag, Work work, std::function<void(const std::string&)> sorry) {
  // What tells one errand of a tag from the next: its own line to its owner.
  auto mark = std::make_shared<Progress>();
  std::erase_if(newest_, [&](const auto& entry) { return entry.first == tag; });
  newest_.emplace_back(tag, mark);
  jobs_.forget_finished();
  jobs_.submit(tag, tag, [this, mark, work = std::move(work), sorry = std::move(sorry)](Task& task) {
    std::function<void()> take;
    try {
      take = work(task);
    } catch (const Stopped&) {
      throw;
    } catch (const std::exception& error) {
      take = [sorry, words = std::string(error.what())] { sorry(words); };
    }
    {
      const std::lock_guard lock(mutex_);
      answered_.push_back({mark, std::move(take)});
    }
    if (wake_) wake_();
  });
}

bool Errands::settle() {
  std::vector<Answered> answered;
  {
    const std::lock_guard lock(mutex_);
    answered.swap(answered_);
  }
  bool taken = false;
  for (const Answered& one : answered) {
    const auto newest = std::find_if(newest_.begin(), newest_.end(),
                                     [&](const auto& entry) { return entry.second == one.mark; });
    if (newest == newest_.end()) continue;  // another of its tag was asked meanwhile
    newest_.erase(newest);
    one.take();
    taken = true;
  }
  return taken;
}

bool Errands::busy() const { return !newest_.empty(); }

}  // namespace varve
