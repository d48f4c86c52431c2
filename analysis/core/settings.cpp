// Settings as text: parsed, checked against what was declared, and printed back in one normal form.
#include "analysis/core/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace varve {
namespace {

// A text that is not of its kind; the setting's name is added where it is known.
struct Unreadable : Error {
  Unreadable(const std::string& text, const char* wanted_kind)
      : Error(Blame::usage, fmt::format("'{}' is not {}", text, wanted_kind)), wanted(wanted_kind) {}
  const char* wanted;
};

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

// Levenshtein distance, capitals ignored; two rows of the table are enough.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

template <class T>
bool parses(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stopped_at, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc{} && stopped_at == end;
}

void expect_in_range(const SettingInfo& info, double value, const std::string& text,
                     const std::string& whose) {
  // Written so that NaN is outside every range.
  if (value >= info.range.low && value <= info.range.high) return;
  fail_usage("{}: {} = '{}' is outside {} to {}", whose, info.name, text, info.range.low, info.range.high);
}

std::string normal_form(const SettingInfo& info, const std::string& text, const std::string& whose) {
  try {
    switch (info.kind) {
      case SettingKind::boolean: {
        bool value = false;
        settings_detail::read(text, value);
        return settings_detail::print(value);
      }
      case SettingKind::integer: {
        int64_t value = 0;
        settings_detail::read(text, value);
        expect_in_range(info, static_cast<double>(value), text, whose);
        return settings_detail::print(value);
      }
      case SettingKind::real: {
        double value = 0;
        settings_detail::read(text, value);
        expect_in_range(info, value, text, whose);
        return settings_detail::print(value);
      }
      case SettingKind::choice:
        if (std::ranges::find(info.choices, text) == info.choices.end())
          fail_usage("{}: {} = '{}' is not one of {}; did you mean '{}'?", whose, info.name, text,
                     fmt::join(info.choices, ", "), nearest(text, info.choices));
        return text;
      case SettingKind::text:
        return text;
    }
  } catch (const Unreadable& problem) {
    fail_usage("{}: {} = '{}' is not {}", whose, info.name, text, problem.wanted);
  }
  fail("{}: the setting '{}' has a kind that does not exist", whose, info.name);
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& names) {
  std::string best;
  size_t least = 0;
  for (const std::string& name : names) {
    const size_t distance = edit_distance(word, name);
    if (&name != &names.front() && distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
}

SettingValues normalise(const std::vector<SettingInfo>& declared, const SettingValues& given,
                        const std::string& whose) {
  std::vector<std::string> names;
  SettingValues values;
  for (const SettingInfo& info : declared) {
    names.push_back(info.name);
    values[info.name] = info.default_text;
  }
  for (const auto& [name, text] : given) {
    const auto info = std::ranges::find(declared, name, &SettingInfo::name);
    if (info == declared.end()) {
      if (names.empty()) fail_usage("{}: there is no setting '{}'; it has none", whose, name);
      fail_usage("{}: there is no setting '{}'; did you mean '{}'? It has {}.", whose, name,
                 nearest(name, names), fmt::join(names, ", "));
    }
    values[name] = normal_form(*info, text, whose);
  }
  return values;
}

namespace settings_detail {

std::string print(bool value) { return value ? "true" : "false"; }
std::string print(int64_t value) { return fmt::format("{}", value); }
// The shortest text that reads back as the same number; -0 and 0 are one setting.
std::string print(double value) { return fmt::format("{}", value == 0 ? 0.0 : value); }
std::string print(const std::string& value) { return value; }

void read(const std::string& text, bool& value) {
  if (text == "true" || text == "yes" || text == "on" || text == "1")
    value = true;
  else if (text == "false" || text == "no" || text == "off" || text == "0")
    value = false;
  else
    throw Unreadable(text, "true or false");
}

void read(const std::string& text, int64_t& value) {
  if (!parses(text, value)) throw Unreadable(text, "a whole number");
}

void read(const std::string& text, double& value) {
  if (!parses(text, value) || !std::isfinite(value)) throw Unreadable(text, "a number");
}

void read(const std::string& text, std::string& value) { value = text; }

}  // namespace settings_detail
}  // namespace varve
