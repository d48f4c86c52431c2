// Short questions answered beside the long jobs: what a run would cost, what a store holds, what a cache
// offers.
//
// An errand works on a thread of its own and hands its answer to the owner's thread, in settle(). So the
// owner never waits, and a long run never keeps a form from saying what the next one would take.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/jobs.h"

namespace varve {

class Errands {
 public:
  // `wake` is called from the errand thread when settle() has something to take over.
  explicit Errands(std::function<void()> wake);
  ~Errands();

  // `work` runs on the errand thread; `take` gets its answer, or `sorry` the words of its error, in settle().
  // A newer errand of the same tag replaces an older one that has not been taken over.
  template <class Answer>
  void ask(const std::string& tag, std::function<Answer(Task&)> work, std::function<void(Answer)> take,
           std::function<void(const std::string&)> sorry) {
    send(
        tag,
        [work = std::move(work), take = std::move(take)](Task& task) -> std::function<void()> {
          auto answer = std::make_shared<Answer>(work(task));
          return [take, answer] { take(std::move(*answer)); };
        },
        std::move(sorry));
  }
  bool settle();      // true where something was taken over
  bool busy() const;  // something is still on its way

 private:
  using Work = std::function<std::function<void()>(Task&)>;
  struct Answered {
    std::shared_ptr<Progress> mark;
    std::function<void()> take;
  };
  void send(const std::string& tag, Work work, std::function<void(const std::string&)> sorry);

  std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Answered> answered_;
  std::vector<std::pair<std::string, std::shared_ptr<Progress>>> newest_;  // by tag; the owner's alone
  Jobs jobs_;  // last: its worker is gone before anything it hands over to
};

}  // namespace varve
