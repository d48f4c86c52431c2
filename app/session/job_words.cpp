// Jobs in words.
#include "app/session/job_words.h"

#include <algorithm>
#include <cctype>

#include "analysis/core/text.h"

namespace varve {

namespace {

constexpr double fraction_to_judge = 0.03;  // before that the time left is a guess

const Run* run_of_job(const Session& session, const Job& job) {
  for (const auto& [id, run] : session.runs())
    if (run.job.get() == &job) return &run;
  return nullptr;
}

std::string cells(int64_t count) { return show_count(count) + (count == 1 ? " cell" : " cells"); }

std::string running_words(const Run* run, const Job& job) {
  std::string words;
  if (run && !run->asked.empty()) {
    words = show_count(run->arrived) + " of " + cells(static_cast<int64_t>(run->asked.size()));
    if (run->there > 0) words += " · " + show_count(run->there) + " cached";
  }
  // "step 16k, 3 of 16 cells": the count stands there already.
  std::string doing = job.progress()->doing();
  if (!words.empty()) doing = doing.substr(0, doing.find(','));
  if (!doing.empty()) words += (words.empty() ? "" : " · ") + doing;
  return words.empty() ? "begins" : words;
}

std::string done_words(const Run* run, const Job& job) {
  if (run && run->complete && run->computed + run->cached > 0) {
    if (run->computed == 0) return cells(run->cached) + " from the store, nothing computed";
    return cells(run->computed) + " computed" +
           (run->cached > 0 ? ", " + show_count(run->cached) + " from the store" : "");
  }
  const auto notes = job.progress()->notes();
  return notes.empty() ? "done" : notes.back();
}

}  // namespace

std::string time_left(double fraction, double seconds) {
  if (fraction < fraction_to_judge || fraction >= 1 || seconds < 0.5) return "";
  return show_seconds(seconds * (1 - fraction) / fraction) + " left";
}

JobWords job_words(const Session& session, const Job& job) {
  JobWords words;
  const Run* run = run_of_job(session, job);
  const std::string& title = job.title();
  const size_t dot = title.find(" · ");
  words.name = title.substr(0, dot);
  if (dot != std::string::npos) words.what = title.substr(dot + std::string(" · ").size());
  if (run && !run->text.empty()) words.what += (words.what.empty() ? "" : " · ") + run->text;
  const double fraction = job.progress()->fraction();
  words.reached = job.state() == Job::State::done ? 1 : fraction;
  if (run && run->there > 0 && !run->asked.empty())
    words.cached = static_cast<double>(run->there) / static_cast<double>(run->asked.size());
  switch (job.state()) {
    case Job::State::waiting:
      words.words = "waits for the job before it";
      break;
    case Job::State::running:
      words.words = job.progress()->stop_requested() ? "stopping" : running_words(run, job);
      words.time = time_left(fraction, job.seconds());
      // What the store held is no work that was done in this time.
      words.reached = std::max(words.reached, words.cached);
      break;
    case Job::State::done:
      words.words = done_words(run, job);
      words.nothing_computed = run && run->complete && run->computed == 0;
      if (words.nothing_computed) words.cached = 1;
      words.time = show_seconds(job.seconds());
      break;
    case Job::State::failed:
      words.words = job.error();
      words.time = show_seconds(job.seconds());
      break;
    case Job::State::stopped:
      words.words = run && !run->asked.empty()
                        ? "stopped; " + show_count(run->arrived) + " of " +
                              cells(static_cast<int64_t>(run->asked.size())) + " are kept"
                        : "stopped; what was finished is kept";
      words.time = show_seconds(job.seconds());
      break;
  }
  words.has_bar = words.reached > 0 || words.cached > 0 || job.finished();
  return words;
}

std::string ErrorLines::whole() const {
  return "asked: " + asked + "\nfound: " + found + "\ntry: " + try_this + "\n";
}

ErrorLines error_lines(const std::string& asked, const std::string& message) {
  ErrorLines lines{.asked = asked, .found = message, .try_this = ""};
  // The last sentence of our errors says what to try.
  size_t end = message.size();
  while (end > 0 && std::isspace(static_cast<unsigned char>(message[end - 1]))) --end;
  const size_t before = end > 1 ? message.rfind(". ", end - 2) : std::string::npos;
  if (before != std::string::npos) {
    lines.found = message.substr(0, before + 1);
    lines.try_this = message.substr(before + 2, end - before - 2);
  } else {
    lines.try_this = "Copy the details and ask with them; the other cells go on.";
  }
  return lines;
}

}  // namespace varve
