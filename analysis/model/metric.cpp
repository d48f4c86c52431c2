// The metrics there are, and reading them off a pass.
#include "analysis/model/metric.h"

#include <algorithm>
#include <cmath>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

// log sum exp over all of `logits`; probability of token i is exp(logits[i] - that).
double log_sum(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

class QuestionMetric : public Metric {
 public:
  QuestionMetric(Answered what, const Probes& probes)
      : what_(what), questions_(probes.questions), positions_(answer_positions(probes)) {
    for (size_t prompt = 0; prompt < questions_.size(); ++prompt) {
      if (questions_[prompt].correct.empty()) fail("pair {} of the task has no correct answer", prompt);
      if (what != Answered::loss && questions_[prompt].incorrect.empty())
        fail("pair {} of the task has no incorrect answer; the metric 'loss' or 'kl' needs none", prompt);
    }
  }
  std::vector<int64_t> positions(int64_t prompt, int64_t) const override {
    return {positions_.at(static_cast<size_t>(prompt))};
  }
  double at(int64_t prompt, int64_t, std::span<const double> logits,
            std::span<double> gradient) const override {
    const Question& question = questions_.at(static_cast<size_t>(prompt));
    std::fill(gradient.begin(), gradient.end(), 0.0);
    if (what_ == Answered::logit_difference)
      return mean_logit(question.correct, 1, logits, gradient) +
             mean_logit(question.incorrect, -1, logits, gradient);
    const double log_z = log_sum(logits);
    const auto mass = [&](const std::vector<int64_t>& tokens) {
      double sum = 0;
      for (const int64_t id : tokens) sum += std::exp(logits[static_cast<size_t>(id)] - log_z);
      return sum;
    };
    const double right = mass(question.correct);
    // d mass / d logit_i = p_i ([i in set] - mass); d(-log mass) = -that / mass.
    const bool loss = what_ == Answered::loss;
    const double wrong = loss ? 0 : mass(question.incorrect);
    if (!gradient.empty()) {
      for (size_t i = 0; i < logits.size(); ++i)
        gradient[i] = std::exp(logits[i] - log_z) * (loss ? 1 : wrong - right);
      for (const int64_t id : question.correct) {
        const double p = std::exp(logits[static_cast<size_t>(id)] - log_z);
        gradient[static_cast<size_t>(id)] += loss ? -p / right : p;
      }
      if (!loss)
        for (const int64_t id : question.incorrect)
          gradient[static_cast<size_t>(id)] -= std::exp(logits[static_cast<size_t>(id)] - log_z);
    }
    return loss ? -std::log(right) : right - wrong;
  }

 private:
  static double mean_logit(const std::vector<int64_t>& tokens, double sign, std::span<const double> logits,
                           std::span<double> gradient) {
    const double weight = sign / static_cast<double>(tokens.size());
    double sum = 0;
    for (const int64_t id : tokens) {
      sum += weight * logits[static_cast<size_t>(id)];
      if (!gradient.empty()) gradient[static_cast<size_t>(id)] += weight;
    }
    return sum;
  }
  Answered what_;
  std::vector<Question> questions_;
  std::vector<int64_t> positions_;
};

class DivergenceMetric : public Metric {
 public:
  DivergenceMetric(std::vector<std::vector<double>> reference, std::vector<int64_t> position)
      : reference_(std::move(reference)), position_(std::move(position)) {
    for (std::vector<double>& logits : reference_) {
      const double log_z = log_sum(logits);
      for (double& logit : logits) logit -= log_z;
    }
  }
  std::vector<int64_t> positions(int64_t prompt, int64_t) const override {
    return {position_.at(static_cast<size_t>(prompt))};
  }
  double at(int64_t prompt, int64_t, std::span<const double> logits,
            std::span<double> gradient) const override {
    const std::vector<double>& reference = reference_.at(static_cast<size_t>(prompt));
    const double log_z = log_sum(logits);
    double sum = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      const double p = std::exp(reference[i]);
      if (p > 0) sum += p * (reference[i] - (logits[i] - log_z));
      if (!gradient.empty()) gradient[i] = std::exp(logits[i] - log_z) - p;
    }
    return sum;
  }

 private:
  std::vector<std::vector<double>> reference_;  // log probabilities
  std::vector<int64_t> position_;
};

// Weighted logits of some tokens at one position.
class LogitMetric : public Metric {
 public:
  LogitMetric(std::vector<std::pair<int64_t, double>> tokens, int64_t position)
      : tokens_(std::move(tokens)), position_(position) {}
  std::vector<int64_t> positions(int64_t, int64_t length) const override {
    return {position_in(position_, length)};
  }
  double at(int64_t, int64_t, std::span<const double> logits, std::span<double> gradient) const override {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double sum = 0;
    for (const auto& [id, weight] : tokens_) {
      sum += weight * logits[static_cast<size_t>(id)];
      if (!gradient.empty()) gradient[static_cast<size_t>(id)] += weight;
    }
    return sum;
  }

 private:
  std::vector<std::pair<int64_t, double>> tokens_;
  int64_t position_;
};

class NextTokenMetric : public Metric {
 public:
  explicit NextTokenMetric(const Probes& probes) : prompts_(probes.prompts) {
    for (const auto& ids : prompts_) predictions_ += static_cast<double>(ids.size() - 1);
    if (predictions_ == 0) fail("the mean cross-entropy needs a prompt of two tokens or more");
  }
  std::vector<int64_t> positions(int64_t, int64_t length) const override {
    std::vector<int64_t> all;
    for (int64_t position = 0; position + 1 < length; ++position) all.push_back(position);
    return all;
  }
  double at(int64_t prompt, int64_t position, std::span<const double> logits,
            std::span<double> gradient) const override {
    const auto id =
        static_cast<size_t>(prompts_[static_cast<size_t>(prompt)][static_cast<size_t>(position) + 1]);
    const double log_z = log_sum(logits);
    if (!gradient.empty()) {
      for (size_t i = 0; i < logits.size(); ++i) gradient[i] = std::exp(logits[i] - log_z) / predictions_;
      gradient[id] -= 1 / predictions_;
    }
    return (log_z - logits[id]) / predictions_;
  }

 private:
  std::vector<std::vector<int64_t>> prompts_;
  double predictions_ = 0;
};

// Keeps chosen rows of the last stream, and hands their logits on prompt by prompt.
class AnswerReader : public SiteReader {
 public:
  using Rows = std::function<std::vector<int64_t>(int64_t prompt, int64_t length)>;
  using Take = std::function<void(int64_t prompt, int64_t position, std::span<const double> logits)>;
  AnswerReader(bool changed_output, Rows rows, Take take)
      : site_(changed_output ? "logits" : ""), rows_(std::move(rows)), take_(std::move(take)) {}
  bool wants(const std::string& site) const override { return site == site_; }
  void see(const Site& site) override {
    const int64_t length = site.shape[0], vocab = site.shape[1];
    std::vector<double> logits(static_cast<size_t>(vocab));
    for (const int64_t position : rows_(site.prompt, length)) {
      for (int64_t i = 0; i < vocab; ++i) logits[static_cast<size_t>(i)] = site.at(position * vocab + i);
      take_(site.prompt, position, logits);
    }
  }

 private:
  std::string site_;
  Rows rows_;
  Take take_;
};

// The same from the last stream, so that only the rows that are read meet the vocabulary.
class StreamReader : public SiteReader {
 public:
  StreamReader(const Weights& weights, Compute compute, AnswerReader::Rows rows, AnswerReader::Take take)
      : weights_(weights),
        compute_(compute),
        site_(fmt::format("blocks.{}.resid_post", weights.spec().layers - 1)),
        rows_(std::move(rows)),
        take_(std::move(take)) {}
  bool wants(const std::string& site) const override { return site == site_; }
  void see(const Site& site) override { take_rows(site.prompt, site.shape[0], site.f32, site.f64); }
  void take_rows(int64_t prompt, int64_t length, std::span<const float> f32, std::span<const double> f64) {
    if (compute_ == Compute::f64)
      rows_of(prompt, length, f64);
    else
      rows_of(prompt, length, f32);
  }

 private:
  template <class T>
  void rows_of(int64_t prompt, int64_t length, std::span<const T> stream) {
    const std::vector<int64_t> positions = rows_(prompt, length);
    const auto width = static_cast<size_t>(weights_.spec().d_model);
    std::vector<T> gathered;
    for (const int64_t position : positions) {
      const auto row = stream.subspan(static_cast<size_t>(position) * width, width);
      gathered.insert(gathered.end(), row.begin(), row.end());
    }
    if (positions.empty()) return;
    if (!unembed_) unembed_ = std::make_unique<Unembed>(weights_, compute_);
    const auto vocab = static_cast<size_t>(unembed_->vocab());
    const auto count = static_cast<int64_t>(positions.size());
    std::vector<double> logits(positions.size() * vocab);
    unembed_->run(gathered, count, [&](int64_t first, int64_t tokens, std::span<const T> tile) {
      for (int64_t row = 0; row < count; ++row)
        std::copy_n(tile.begin() + row * tokens, tokens,
                    logits.begin() + row * static_cast<int64_t>(vocab) + first);
    });
    for (size_t row = 0; row < positions.size(); ++row)
      take_(prompt, positions[row], std::span<const double>(logits).subspan(row * vocab, vocab));
  }
  const Weights& weights_;
  Compute compute_;
  std::string site_;
  AnswerReader::Rows rows_;
  AnswerReader::Take take_;
  std::unique_ptr<Unembed> unembed_;
};

void read_answers(const Weights& weights, const Probes& probes, Compute compute,
                  const AnswerReader::Rows& rows, const AnswerReader::Take& take, Task& task,
                  const Interventions& changes, const Start& start) {
  const bool changed_output = std::any_of(changes.begin(), changes.end(), [](const Intervention& change) {
    const std::string site = plain_site(change.site);
    return site == "logits" || site.starts_with("ln_final");
  });
  StreamReader stream(weights, compute, rows, take);
  if (!changed_output && start.layer == weights.spec().layers) {
    // The stream before the unembedding is all there: no block is left to pass.
    size_t at = 0;
    for (size_t prompt = 0; prompt < probes.prompts.size(); ++prompt) {
      const auto length = static_cast<int64_t>(probes.prompts[prompt].size());
      const size_t size = probes.prompts[prompt].size() * static_cast<size_t>(weights.spec().d_model);
      stream.take_rows(static_cast<int64_t>(prompt), length,
                       start.f32.empty() ? start.f32 : start.f32.subspan(at, size),
                       start.f64.empty() ? start.f64 : start.f64.subspan(at, size));
      at += size;
    }
    return;
  }
  AnswerReader whole(changed_output, rows, take);
  SiteReader* const readers[] = {changed_output ? static_cast<SiteReader*>(&whole) : &stream};
  forward(weights, probes, compute, readers, task, {}, changes, start);
}

int64_t token_in(const std::string& text, int64_t vocab, const std::string& all) {
  char* end = nullptr;
  const long long id = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || id < 0 || id >= vocab)
    fail_usage("metric '{}': '{}' is not a token id from 0 to {}", all, text, vocab - 1);
  return id;
}

}  // namespace

int64_t position_in(int64_t position, int64_t length) {
  const int64_t at = position < 0 ? position + length : position;
  if (at < 0 || at >= length) fail("position {} is outside a prompt of {} tokens", position, length);
  return at;
}

std::vector<int64_t> answer_positions(const Probes& probes) {
  if (probes.questions.size() != probes.prompts.size())
    fail_usage("this needs a task with answers; give one with --task FILE");
  std::vector<int64_t> positions;
  for (size_t prompt = 0; prompt < probes.prompts.size(); ++prompt)
    positions.push_back(
        position_in(probes.questions[prompt].position, static_cast<int64_t>(probes.prompts[prompt].size())));
  return positions;
}

std::unique_ptr<Metric> question_metric(Answered what, const Probes& probes) {
  return std::make_unique<QuestionMetric>(what, probes);
}

std::unique_ptr<Metric> divergence_metric(std::vector<std::vector<double>> reference,
                                          std::vector<int64_t> position) {
  return std::make_unique<DivergenceMetric>(std::move(reference), std::move(position));
}

std::unique_ptr<Metric> metric_from(const std::string& text, const Probes& probes, int64_t vocab) {
  if (text == "nll") return std::make_unique<NextTokenMetric>(probes);
  const size_t colon = text.find(':'), sign = text.find('@');
  const std::string name = text.substr(0, colon);
  int64_t position = -1;
  if (sign != std::string::npos) {
    char* end = nullptr;
    position = std::strtoll(text.c_str() + sign + 1, &end, 10);
    if (*end != '\0' || sign + 1 == text.size())
      fail_usage("metric '{}': what follows @ must be a position, as in @-1", text);
  }
  const size_t begin = colon == std::string::npos ? text.size() : colon + 1;
  const size_t end = sign == std::string::npos ? text.size() : sign;
  const std::vector<std::string> tokens = split(text.substr(begin, end - begin), ',');
  if (name == "logit" && tokens.size() == 1)
    return std::make_unique<LogitMetric>(
        std::vector<std::pair<int64_t, double>>{{token_in(tokens[0], vocab, text), 1}}, position);
  if (name == "logit_diff" && tokens.size() == 2)
    return std::make_unique<LogitMetric>(
        std::vector<std::pair<int64_t, double>>{{token_in(tokens[0], vocab, text), 1},
                                                {token_in(tokens[1], vocab, text), -1}},
        position);
  fail_usage("there is no metric '{}'; there are logit_diff:A,B@POS, logit:T@POS, nll and kl (token ids)",
             text);
}

std::vector<double> metric_values(const Weights& weights, const Probes& probes, Compute compute,
                                  const Metric& metric, Task& task, const Interventions& changes,
                                  const Start& start) {
  std::vector<double> values(probes.prompts.size(), 0.0);
  read_answers(
      weights, probes, compute,
      [&](int64_t prompt, int64_t length) { return metric.positions(prompt, length); },
      [&](int64_t prompt, int64_t position, std::span<const double> logits) {
        values[static_cast<size_t>(prompt)] += metric.at(prompt, position, logits, {});
      },
      task, changes, start);
  return values;
}

std::vector<std::vector<double>> answer_logits(const Weights& weights, const Probes& probes, Compute compute,
                                               const std::vector<int64_t>& position, Task& task,
                                               const Interventions& changes) {
  std::vector<std::vector<double>> all(probes.prompts.size());
  read_answers(
      weights, probes, compute,
      [&](int64_t prompt, int64_t) { return std::vector<int64_t>{position.at(static_cast<size_t>(prompt))}; },
      [&](int64_t prompt, int64_t, std::span<const double> logits) {
        all[static_cast<size_t>(prompt)].assign(logits.begin(), logits.end());
      },
      task, changes, {});
  return all;
}

}  // namespace varve
