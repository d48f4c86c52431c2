// Reading tasks: TOML that names its pairs, JSON lines, and the comma-separated files of published prompts.
#include "loaders/tasks.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t file_limit_bytes = 256 << 20;

enum class Unfit { refuse, leave_out };

struct Reading {
  const Tokenizer* tokenizer = nullptr;
  int64_t first = -1, position = -1;
  Unfit unfit = Unfit::refuse;
};

// A pair that is well formed but not for this tokenizer.
class Misfit : public Error {
 public:
  using Error::Error;
};

// Pairs of a file, and how many of it did not fit.
struct Pairs {
  Probes probes;
  int64_t left_out = 0;
  std::string reason;  // of the first
};

std::string pieces_of(const Tokenizer* tokenizer, std::span<const int64_t> ids) {
  std::vector<std::string> pieces;
  for (const int64_t id : ids)
    pieces.push_back(tokenizer == nullptr ? fmt::format("#{}", id) : show_piece(tokenizer->piece(id)));
  return pieces.empty() ? "nothing" : fmt::format("{}", fmt::join(pieces, "|"));
}

// Where two prompts of unequal length part and meet again, piece by piece.
std::string unequal(const std::vector<int64_t>& clean, const std::vector<int64_t>& corrupted,
                    const Reading& reading) {
  const size_t shorter = std::min(clean.size(), corrupted.size());
  size_t head = 0, tail = 0;
  while (head < shorter && clean[head] == corrupted[head]) ++head;
  while (tail < shorter - head && clean[clean.size() - 1 - tail] == corrupted[corrupted.size() - 1 - tail])
    ++tail;
  const auto middle = [&](const std::vector<int64_t>& ids) {
    return pieces_of(reading.tokenizer, std::span(ids).subspan(head, ids.size() - head - tail));
  };
  return fmt::format(
      "the clean prompt has {} tokens and the corrupted one {} with this tokenizer ({} beside {}); they must "
      "be equally long",
      clean.size(), corrupted.size(), middle(clean), middle(corrupted));
}

void leave_out(const std::string& reason, const Reading& reading, Pairs& pairs) {
  if (reading.unfit == Unfit::refuse)
    fail("{}. To leave out pairs that do not fit, give a task in TOML with unfit = \"leave-out\"", reason);
  if (pairs.left_out++ == 0) pairs.reason = reason;
}

void take(std::vector<int64_t> clean, Question question, const Reading& reading, const std::string& where,
          Pairs& pairs) {
  if (!question.corrupted.empty() && question.corrupted.size() != clean.size())
    return leave_out(fmt::format("{}: {}", where, unequal(clean, question.corrupted, reading)), reading,
                     pairs);
  pairs.probes.prompts.push_back(std::move(clean));
  pairs.probes.questions.push_back(std::move(question));
}

std::vector<int64_t> prompt_of(const std::string& text, const Reading& reading, const std::string& where) {
  if (reading.tokenizer == nullptr)
    fail("{}: the series came without a tokenizer, so prompts must be lists of token ids", where);
  std::vector<int64_t> ids;
  for (const Token& token : reading.tokenizer->encode(text)) ids.push_back(token.id);
  return ids;
}

void put_first(const Reading& reading, std::vector<int64_t>& ids) {
  if (reading.first >= 0) ids.insert(ids.begin(), reading.first);
}

int64_t whole_number(const Json& value, const std::string& where) {
  if (!value.is_number_integer()) fail("{}: {} is not a whole number", where, value.dump());
  return value.get<int64_t>();
}

std::vector<int64_t> prompt_of(const Json& value, const Reading& reading, const std::string& where) {
  std::vector<int64_t> ids;
  if (value.is_string())
    ids = prompt_of(value.get<std::string>(), reading, where);
  else if (value.is_array())
    for (const Json& id : value) ids.push_back(whole_number(id, where));
  else
    fail("{}: a prompt is text or a list of token ids, not {}", where, value.dump());
  put_first(reading, ids);
  return ids;
}

std::vector<int64_t> answers_of(const Json& value, const Reading& reading, const std::string& where) {
  if (value.is_array()) {
    std::vector<int64_t> all;
    for (const Json& one : value) {
      if (one.is_array()) fail("{}: answers are a list of tokens, not of lists", where);
      const std::vector<int64_t> some = answers_of(one, reading, where);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  if (!value.is_string()) return {whole_number(value, where)};
  if (reading.tokenizer == nullptr)
    fail("{}: the series came without a tokenizer, so answers must be token ids", where);
  try {
    return {single_token(*reading.tokenizer, value.get<std::string>())};
  } catch (const Error& error) {
    throw Misfit(error.blame(), fmt::format("{}: {}", where, error.what()));
  }
}

Pairs read_lines(const std::string& text, const Reading& reading, const std::string& path) {
  static const std::vector<std::string> known = {"clean", "corrupted", "correct", "incorrect", "position"};
  Pairs pairs;
  int64_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = fmt::format("{}, line {}", path, number);
    const Json pair = Json::parse(line, nullptr, false);
    if (!pair.is_object()) fail("{}: is not one JSON object", where);
    for (const auto& [key, value] : pair.items())
      if (std::find(known.begin(), known.end(), key) == known.end())
        fail("{}: the key '{}' is not known; did you mean '{}'?", where, key, nearest(key, known));
    if (!pair.contains("clean") || !pair.contains("correct"))
      fail("{}: a pair needs 'clean' and 'correct'", where);
    Question question;
    question.position = reading.position;
    if (pair.contains("corrupted")) question.corrupted = prompt_of(pair["corrupted"], reading, where);
    try {
      question.correct = answers_of(pair["correct"], reading, where);
      if (pair.contains("incorrect")) question.incorrect = answers_of(pair["incorrect"], reading, where);
    } catch (const Misfit& misfit) {
      leave_out(misfit.what(), reading, pairs);
      continue;
    }
    if (pair.contains("position")) question.position = whole_number(pair["position"], where);
    take(prompt_of(pair["clean"], reading, where), std::move(question), reading, where, pairs);
  }
  return pairs;
}

// Fields of a comma-separated file; quotes hold commas, line ends and doubled quotes (RFC 4180).
std::vector<std::vector<std::string>> fields_of(const std::string& text, const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  const auto end_row = [&] {
    if (row.size() > 1 || !row[0].empty()) rows.push_back(row);
    row.assign(1, "");
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      row.back() += text[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (quoted || (c != ',' && c != '\n' && c != '\r'))
      row.back() += c;
    else if (c == ',')
      row.emplace_back();
    else if (c == '\n')
      end_row();
  }
  if (quoted) fail("{}: a quote is opened and never closed", path);
  end_row();
  return rows;
}

int64_t number_in(const std::string& text, const std::string& where) {
  char* end = nullptr;
  const int64_t number = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') fail("{}: '{}' is not a whole number", where, text);
  return number;
}

Pairs read_columns(const std::string& text, const Reading& reading, const std::string& path) {
  const std::vector<std::vector<std::string>> rows = fields_of(text, path);
  if (rows.size() < 2) fail("{}: holds no pairs below its header", path);
  const auto column = [&](const std::string& name) -> std::optional<size_t> {
    const auto found = std::find(rows[0].begin(), rows[0].end(), name);
    if (found == rows[0].end()) return std::nullopt;
    return static_cast<size_t>(found - rows[0].begin());
  };
  const auto clean = column("clean"), corrupted = column("corrupted"), label = column("label");
  const auto correct = column("correct_idx"), incorrect = column("incorrect_idx");
  if (!clean || !corrupted || (!label && (!correct || !incorrect)))
    fail("{}: the header needs clean, corrupted, and correct_idx with incorrect_idx or label; it has {}",
         path, fmt::join(rows[0], ", "));
  std::vector<int64_t> years;
  for (int year = 0; label && year < 100; ++year) {
    if (reading.tokenizer == nullptr)
      fail("{}: the series came without a tokenizer, which labels need", path);
    years.push_back(single_token(*reading.tokenizer, fmt::format("{:02}", year)));
  }
  Pairs pairs;
  for (size_t i = 1; i < rows.size(); ++i) {
    const std::string where = fmt::format("{}, row {}", path, i);
    if (rows[i].size() != rows[0].size())
      fail("{}: has {} fields but the header {}", where, rows[i].size(), rows[0].size());
    const auto prompt = [&](size_t at) {
      std::vector<int64_t> ids = prompt_of(rows[i][at], reading, where);
      put_first(reading, ids);
      return ids;
    };
    Question question{prompt(*corrupted), {}, {}, reading.position};
    if (label) {
      const int64_t year = number_in(rows[i][*label], where);
      if (year < 0 || year > 98) fail("{}: the label {} is not a year from 0 to 98", where, year);
      for (int64_t at = 0; at < 100; ++at)
        (at > year ? question.correct : question.incorrect).push_back(years[static_cast<size_t>(at)]);
    } else {
      question.correct = {number_in(rows[i][*correct], where)};
      question.incorrect = {number_in(rows[i][*incorrect], where)};
    }
    take(prompt(*clean), std::move(question), reading, where, pairs);
  }
  return pairs;
}

Pairs read_pairs(const fs::path& path, const Reading& reading) {
  const std::string text = read_file(path, file_limit_bytes);
  if (path.extension() == ".jsonl") return read_lines(text, reading, path.string());
  if (path.extension() == ".csv") return read_columns(text, reading, path.string());
  fail("{}: pairs lie in a .jsonl or a .csv", path.string());
}

// The pairs that fit; their name says how many do, so that every result says it.
Probes fitting(Pairs pairs, const fs::path& path) {
  if (pairs.probes.prompts.empty() && pairs.left_out > 0)
    fail("{}: none of its {} pairs fits. The first: {}", path.string(), pairs.left_out, pairs.reason);
  if (pairs.left_out > 0)
    pairs.probes.name =
        fmt::format(" ({} of {} pairs; the others do not fit this tokenizer)", pairs.probes.prompts.size(),
                    pairs.left_out + static_cast<int64_t>(pairs.probes.prompts.size()));
  return std::move(pairs.probes);
}

Probes read_toml(const fs::path& path, Reading reading, int64_t vocab) {
  static const std::vector<std::string> known = {"name", "data", "make", "first", "position", "unfit"};
  toml::table table;
  try {
    table = toml::parse(read_file(path, file_limit_bytes), path.string());
  } catch (const toml::parse_error& error) {
    fail("{}, line {}: {}", path.string(), error.source().begin.line, error.description());
  }
  for (const auto& [key, value] : table) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail("{}: the key '{}' is not known; did you mean '{}'?", path.string(), name, nearest(name, known));
  }
  const auto number = [&](const char* key, int64_t otherwise) {
    const toml::node* node = table.get(key);
    if (!node) return otherwise;
    const auto value = node->value_exact<int64_t>();
    if (!value) fail("{}: '{}' must be a whole number", path.string(), key);
    return *value;
  };
  const auto text = [&](const char* key) -> std::string {
    const toml::node* node = table.get(key);
    if (!node) return "";
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) fail("{}: '{}' must be text in quotes", path.string(), key);
    return *value;
  };
  reading.first = number("first", -1);
  reading.position = number("position", -1);
  if (reading.first >= vocab)
    fail("{}: first is {} but the vocabulary has {} tokens", path.string(), reading.first, vocab);
  const std::string data = text("data"), make = text("make"), name = text("name"), unfit = text("unfit");
  if (!unfit.empty() && unfit != "refuse" && unfit != "leave-out")
    fail("{}: unfit is 'refuse' or 'leave-out', not '{}'", path.string(), unfit);
  if (unfit == "leave-out") reading.unfit = Unfit::leave_out;
  if (data.empty() == make.empty()) fail("{}: give either 'data' or 'make'", path.string());
  Probes probes = make.empty()
                      ? fitting(read_pairs(path.parent_path() / data, reading), path.parent_path() / data)
                      : make_task(make, reading.tokenizer, vocab);
  const std::string counted = make.empty() ? probes.name : "";
  probes.name = "task " + (name.empty() ? path.stem().string() : name) + counted;
  return probes;
}

}  // namespace

Probes read_task(const std::string& description, const std::string& tokenizer_json, int64_t vocab) {
  std::optional<Tokenizer> tokenizer;
  if (!tokenizer_json.empty()) tokenizer.emplace(tokenizer_json);
  const Reading reading{tokenizer ? &*tokenizer : nullptr, -1, -1, Unfit::refuse};
  const fs::path path(description);
  const std::string kind = path.extension().string();
  Probes probes;
  if (kind != ".toml" && kind != ".jsonl" && kind != ".csv") {
    probes = make_task(description, reading.tokenizer, vocab);
  } else {
    probes = kind == ".toml" ? read_toml(path, reading, vocab) : fitting(read_pairs(path, reading), path);
    if (probes.name.empty()) probes.name = "task " + path.stem().string();
  }
  if (probes.prompts.empty()) fail("{}: holds no pairs", description);
  try {
    check_probes(probes, vocab, probes.longest());
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("{}: {}", description, error.what()));
  }
  return probes;
}

}  // namespace varve
