// Notes, provenance, checks and events of a Dataset as JSON attributes; names and text made fit for HDF5.
#include "analysis/store/dataset_parts.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/core/text.h"

namespace varve::h5 {

using nlohmann::json;

namespace {

// Sentences may quote tokens that are no UTF-8; such bytes are shown as the replacement character.
std::string print(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// JSON has no NaN and no infinity.
json number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double number(const json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (value.is_string()) return (value == "-inf" ? -1 : 1) * std::numeric_limits<double>::infinity();
  return value.get<double>();
}

// Runs `read` over the parsed text; whatever JSON finds wrong becomes one Error.
template <class Value, class Read>
Value parse(const std::string& text, const std::string& what, Read read) {
  if (text.empty()) return {};
  try {
    return read(json::parse(text));
  } catch (const json::exception&) {
    fail("{}: a description in it cannot be read", what);
  }
}

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

}  // namespace

std::string LinkNames::claim(const std::string& name) {
  std::string link = needs_escapes(name) ? escape(name) : name;
  for (char& letter : link)
    if (letter == '/') letter = '_';
  if (link.empty() || link == ".") link = "_";
  while (!taken_.insert(link).second) link += "_";
  return link;
}

bool needs_escapes(const std::string& text) { return text.find('\0') != std::string::npos || !is_utf8(text); }

std::string escape(const std::string& text) {
  const bool valid = is_utf8(text);
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '\\')
      out += "\\\\";
    else if (byte == 0 || (byte >= 0x80 && !valid))
      out += fmt::format("\\x{:02x}", byte);
    else
      out += letter;
  }
  return out;
}

std::string unescape(const std::string& text, const std::string& what) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == '\\') {
      out += '\\';
      at += 1;
    } else {
      const bool whole = at + 3 < text.size() && text[at + 1] == 'x';
      const int high = whole ? hex_digit(text[at + 2]) : -1, low = whole ? hex_digit(text[at + 3]) : -1;
      if (high < 0 || low < 0) fail("{}: a text in it has a broken escape", what);
      out += static_cast<char>(high * 16 + low);
      at += 3;
    }
  }
  return out;
}

void describe_dataset(hid_t dataset, const std::string& name, const std::vector<std::string>& axes, Role role,
                      bool escaped) {
  json about{{"name", name}, {"axes", axes}, {"role", role == Role::ticks ? "ticks" : "values"}};
  if (escaped) about["escaped"] = true;
  write_attribute(dataset, "varve", print(about));
}

std::string print_notes(const std::vector<std::string>& notes) { return print(json(notes)); }

std::string print_provenance(const std::map<std::string, std::string>& provenance) {
  return print(json(provenance));
}

std::string print_checks(const std::vector<Check>& checks) {
  json all = json::array();
  for (const Check& check : checks)
    all.push_back({{"name", check.name},
                   {"residual", number(check.residual)},
                   {"limit", number(check.limit)},
                   {"n", check.n},
                   {"passed", check.passed},
                   {"detail", check.detail}});
  return print(all);
}

std::string print_events(const std::vector<Event>& events) {
  json all = json::array();
  for (const Event& event : events)
    all.push_back({{"step", event.step}, {"label", event.label}, {"rule", event.rule}});
  return print(all);
}

std::vector<std::string> read_notes(const std::string& text, const std::string& what) {
  return parse<std::vector<std::string>>(
      text, what, [](const json& value) { return value.get<std::vector<std::string>>(); });
}

std::map<std::string, std::string> read_provenance(const std::string& text, const std::string& what) {
  return parse<std::map<std::string, std::string>>(
      text, what, [](const json& value) { return value.get<std::map<std::string, std::string>>(); });
}

std::vector<Check> read_checks(const std::string& text, const std::string& what) {
  return parse<std::vector<Check>>(text, what, [](const json& value) {
    std::vector<Check> checks;
    for (const json& entry : value)
      checks.push_back({entry.at("name").get<std::string>(), number(entry.at("residual")),
                        number(entry.at("limit")), entry.at("n").get<int64_t>(),
                        entry.at("passed").get<bool>(), entry.at("detail").get<std::string>()});
    return checks;
  });
}

std::vector<Event> read_events(const std::string& text, const std::string& what) {
  return parse<std::vector<Event>>(text, what, [](const json& value) {
    std::vector<Event> events;
    for (const json& entry : value)
      events.push_back({entry.at("step").get<int64_t>(), entry.at("label").get<std::string>(),
                        entry.at("rule").get<std::string>()});
    return events;
  });
}

std::string print_summary(const std::string& title, const std::map<std::string, std::string>& provenance,
                          size_t table_bytes) {
  return print({{"title", title}, {"provenance", provenance}, {"table", table_bytes}});
}

Summary read_summary(const std::string& note, const std::string& what) {
  return parse<Summary>(note, what, [](const json& value) {
    const json table = value.value("table", json(0));
    return Summary{table.is_number_integer() ? table.get<int64_t>() : 0, value.at("title").get<std::string>(),
                   value.at("provenance").get<std::map<std::string, std::string>>()};
  });
}

}  // namespace varve::h5
