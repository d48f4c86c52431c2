// Reading one cell of a lens result.
#include "app/session/cell_facts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/text.h"
#include "analysis/model/tokenizer.h"
#include "app/session/answer.h"

namespace varve {

namespace {

struct Place {
  int64_t layer = 0, prompt = 0, pos = 0;
};

std::optional<Place> selected_place(const Selection& selection, const Dataset& data) {
  const auto layer = selection.index("layer");
  const auto pos = selection.index("pos");
  if (!layer || !pos || !data.has("prob_true") || !data.has("token_text")) return std::nullopt;
  const Place place{*layer, selection.index("prompt").value_or(0), *pos};
  const auto inside = [&data](const char* axis, int64_t index) {
    return data.has_axis(axis) && index >= 0 && index < data.extent(axis);
  };
  if (!inside("layer", place.layer) || !inside("prompt", place.prompt) || !inside("pos", place.pos))
    return std::nullopt;
  return place;
}

double at_place(const Dataset& data, const char* name, const Place& place) {
  if (!data.has(name)) return std::numeric_limits<double>::quiet_NaN();
  return data[name].at("layer", place.layer).at("prompt", place.prompt).at("pos", place.pos).number(0);
}

std::string with_unit(double value, const std::string& unit) {
  return std::isnan(value) ? "–" : show_number(value) + " " + unit;
}

std::vector<TopToken> top_tokens(const Dataset& data, const Place& place, int64_t true_id) {
  std::vector<TopToken> top;
  if (!data.has("top_text") || !data.has("top_prob") || !data.has("top_id")) return top;
  const auto slice = [&](const char* name) {
    return data[name].at("layer", place.layer).at("prompt", place.prompt).at("pos", place.pos);
  };
  const Array text = slice("top_text"), probability = slice("top_prob"), id = slice("top_id");
  for (int64_t rank = 0; rank < text.size(); ++rank) {
    const auto token = static_cast<int64_t>(id.number(rank));
    if (token < 0) continue;
    top.push_back({.text = text.text(rank),
                   .id = token,
                   .probability = probability.number(rank),
                   .is_true = token == true_id});
  }
  return top;
}

// Where no token is known to come next no layer can be right, nor wrong.
std::string first_correct(const Dataset& data, const Place& place, int64_t layers, bool has_next) {
  if (!has_next || !data.has("first_correct_layer")) return "–";
  const double first = data["first_correct_layer"].at("prompt", place.prompt).at("pos", place.pos).number(0);
  if (std::isnan(first)) return "never";
  return show_count(static_cast<int64_t>(first)) + " of " + show_count(layers);
}

std::vector<Fact> numbers_of(const Dataset& data, const Place& place, int64_t layers, bool has_next) {
  const double rank = at_place(data, "rank_true", place);
  return {{.name = "probability of the next token",
           .value = show_probability(at_place(data, "prob_true", place))},
          {.name = "cross-entropy", .value = with_unit(at_place(data, "cross_entropy", place), "nats")},
          {.name = "entropy", .value = with_unit(at_place(data, "entropy", place), "nats")},
          {.name = "rank of the next token",
           .value = std::isnan(rank) ? "–" : show_count(static_cast<int64_t>(rank))},
          {.name = "KL to final", .value = with_unit(at_place(data, "kl_final_lens", place), "nats")},
          {.name = "first correct layer", .value = first_correct(data, place, layers, has_next)}};
}

// "step 4k on": from which step on it is right at each later one that was computed.
std::string since(const std::optional<int64_t>& step) {
  return step ? "step " + show_step(*step) + " on" : "never";
}

// Which layer is the first to say the right token, and from which step on.
void add_answer(std::vector<Fact>& numbers, const Session& session, const Place& place) {
  const Run* run = session.current_run();
  if (!run) return;
  std::vector<std::pair<int64_t, const Dataset*>> cells;
  for (const auto& [step, cell] : run->cells) cells.emplace_back(step, cell.data.get());
  const auto answer = answer_at(cells, session.choice().step, place.prompt, place.pos);
  if (!answer) return;
  if (answer->first_layer)
    numbers.push_back({.name = "that layer is right from", .value = since(answer->layer_since)});
  numbers.push_back({.name = "the output is right from", .value = since(answer->output_since)});
}

std::vector<Fact> origin_of(const Dataset& data, const Shown& shown, const std::string& analysis,
                            int64_t tokens) {
  std::vector<Fact> origin;
  origin.push_back({.name = "result", .value = analysis + " / " + shown.key.substr(0, 8), .mono = true});
  for (const Check& check : data.checks)
    origin.push_back({.name = check.name,
                      .value = !check.passed         ? "broken, " + show_number(check.residual)
                               : check.residual == 0 ? "exact, n = " + show_count(check.n)
                                                     : "within " + show_number(check.residual),
                      .tone = check.passed ? Fact::Tone::good : Fact::Tone::bad});
  origin.push_back({.name = "tokens", .value = show_count(tokens) + " ids, nothing added"});
  const auto compute = data.provenance.find("compute");
  if (compute != data.provenance.end())
    origin.push_back({.name = "computed in", .value = compute->second + ", weights raw"});
  return origin;
}

// The same cell at A beside each number.
void add_pin(const Shown& pinned, const Place& place, bool has_next, CellFacts& facts) {
  if (!pinned.data || !pinned.data->has("prob_true") || !pinned.data->has_axis("layer")) return;
  if (pinned.data->extent("layer") != facts.layers + 1 || place.pos >= pinned.data->extent("pos")) return;
  facts.pin_step = pinned.step;
  for (const TopToken& then : top_tokens(*pinned.data, place, -1))
    for (TopToken& now : facts.top)
      if (now.id == then.id) now.at_pin = then.probability;
  const std::vector<Fact> numbers = numbers_of(*pinned.data, place, facts.layers, has_next);
  for (size_t i = 0; i < numbers.size() && i < facts.numbers.size(); ++i)
    facts.numbers[i].at_pin = numbers[i].value;
}

}  // namespace

std::string show_probability(double p) {
  if (std::isnan(p)) return "–";
  if (p > 0 && p < 0.001) return "<0.001";
  return fmt::format("{:.3f}", p);
}

std::optional<CellFacts> cell_facts(const Session& session) {
  const Shown shown = session.shown_at(session.run_of("logit-lens"), session.choice().step);
  if (!shown.data) return std::nullopt;
  const Dataset& data = *shown.data;
  const std::optional<Place> place = selected_place(session.choice().selection, data);
  if (!place) return std::nullopt;

  CellFacts facts;
  facts.layer = place->layer;
  facts.prompt = place->prompt;
  facts.pos = place->pos;
  facts.layers = data.extent("layer") - 1;
  const Array words = data["token_text"].at("prompt", place->prompt);
  const Array ids = data["tokens"].at("prompt", place->prompt);
  const bool has_next = place->pos + 1 < ids.size() && ids.number(place->pos + 1) >= 0;
  const int64_t true_id = has_next ? static_cast<int64_t>(ids.number(place->pos + 1)) : -1;
  const std::string layer = place->layer == 0              ? "Embedding"
                            : place->layer == facts.layers ? "Output, layer " + std::to_string(place->layer)
                                                           : "Layer " + std::to_string(place->layer);
  facts.heading = layer + " · position " + std::to_string(place->pos);
  facts.after = words.text(place->pos);
  if (has_next) facts.next = words.text(place->pos + 1);
  facts.top = top_tokens(data, *place, true_id);
  facts.numbers = numbers_of(data, *place, facts.layers, has_next);
  if (session.choice().pin)
    add_pin(session.shown_at(session.run_of("logit-lens"), *session.choice().pin), *place, has_next, facts);
  add_answer(facts.numbers, session, *place);
  int64_t tokens = 0;
  for (int64_t i = 0; i < ids.size(); ++i) tokens += ids.number(i) >= 0 ? 1 : 0;
  facts.origin = origin_of(data, shown, "logit-lens", tokens);
  return facts;
}

std::optional<OverTraining> over_training(const Session& session) {
  const Run* run = session.run_of("logit-lens");
  const Shown shown = session.shown_at(run, session.choice().step);
  if (!run || !shown.data) return std::nullopt;
  const std::optional<Place> place = selected_place(session.choice().selection, *shown.data);
  if (!place) return std::nullopt;
  OverTraining over;
  over.lines.resize(static_cast<size_t>(shown.data->extent("layer")));
  for (size_t layer = 0; layer < over.lines.size(); ++layer)
    over.lines[layer].layer = static_cast<int64_t>(layer);
  for (const auto& [step, cell] : run->cells) {
    over.steps.push_back(step);
    const Array& probability = (*cell.data)["prob_true"];
    for (TrainingLine& line : over.lines) {
      const int64_t index[] = {line.layer, place->prompt, place->pos};
      line.probability.push_back(probability.number(probability.flat(index)));
    }
  }
  return over;
}

}  // namespace varve
