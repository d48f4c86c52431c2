// What a row of the jobs dock says of one job.
#pragma once

#include <memory>
#include <string>

#include "app/session/session.h"

namespace varve {

struct JobWords {
  std::string name, what;          // "logit-lens", "The king said"
  double cached = 0, reached = 0;  // shares of the bar: from the store, and in all
  bool has_bar = true;             // false: nothing is known of its length
  std::string words;               // "97 of 154 cells · 41 cached · step 55k", or the error
  std::string time;                // "4 min 10 s left", or how long it took
  bool nothing_computed = false;   // all of it was in the store
};
JobWords job_words(const Session& session, const Job& job);

// "1.8 s left", "" while nothing can be said.
std::string time_left(double fraction, double seconds);

// An error in three lines, as a card shows it.
struct ErrorLines {
  std::string asked, found, try_this;
  std::string whole() const;  // for the clipboard
};
ErrorLines error_lines(const std::string& asked, const std::string& message);

}  // namespace varve
