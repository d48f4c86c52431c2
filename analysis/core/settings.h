// Settings are declared once, as a struct with each(visit); help, command line, forms and provenance come
// from that.
//   struct Params {
//     int64_t top_k = 5; std::string norm = "layer";
//     template <class Visit> void each(Visit&& visit) {
//       visit("top_k", top_k, "how many tokens to keep at each place", Range{1, 1000});
//       visit("norm", norm, "which statistics the final norm uses", Choices{"layer", "final", "none"});
//     }
//   };
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "analysis/core/error.h"

namespace varve {

enum class SettingKind { boolean, integer, real, text, choice };

struct Range {
  double low = -1e300, high = 1e300;
};
struct Choices {
  std::vector<std::string> names;
  template <class... Names>
  explicit Choices(Names... all) : names{all...} {}
};

struct SettingInfo {
  std::string name;
  SettingKind kind = SettingKind::text;
  std::string default_text;
  std::string help;
  Range range;                       // integer and real
  std::vector<std::string> choices;  // choice
};

// name -> text, as written after --set or in a recipe. Sorted, so that equal settings hash equally.
using SettingValues = std::map<std::string, std::string>;

// Each value parsed and printed back in its normal form, defaults filled in. An undeclared name is an Error
// (usage) that names the nearest declared one; a value of the wrong kind, outside its range or choices
// likewise.
SettingValues normalise(const std::vector<SettingInfo>& declared, const SettingValues& given,
                        const std::string& whose);

// Nearest of `names` by edit distance, for "did you mean".
std::string nearest(const std::string& word, const std::vector<std::string>& names);

namespace settings_detail {
std::string print(bool value);
std::string print(int64_t value);
std::string print(double value);
std::string print(const std::string& value);
void read(const std::string& text, bool& value);
void read(const std::string& text, int64_t& value);
void read(const std::string& text, double& value);
void read(const std::string& text, std::string& value);

template <class T>
SettingInfo describe(const char* name, const T& value, const char* help) {
  SettingInfo info;
  info.name = name;
  info.help = help;
  info.default_text = print(value);
  if constexpr (std::is_same_v<T, bool>) info.kind = SettingKind::boolean;
  if constexpr (std::is_same_v<T, int64_t>) info.kind = SettingKind::integer;
  if constexpr (std::is_same_v<T, double>) info.kind = SettingKind::real;
  return info;
}
struct Describe {
  std::vector<SettingInfo>& all;
  template <class T>
  void operator()(const char* name, T& value, const char* help) {
    all.push_back(describe(name, value, help));
  }
  template <class T>
  void operator()(const char* name, T& value, const char* help, Range range) {
    all.push_back(describe(name, value, help));
    all.back().range = range;
  }
  void operator()(const char* name, std::string& value, const char* help, const Choices& choices) {
    all.push_back(describe(name, value, help));
    all.back().kind = SettingKind::choice;
    all.back().choices = choices.names;
  }
};
}  // namespace settings_detail

template <class Params>
std::vector<SettingInfo> declared_settings() {
  std::vector<SettingInfo> all;
  Params params;
  params.each(settings_detail::Describe{all});
  return all;
}

// Throws as normalise does.
template <class Params>
Params read_settings(const SettingValues& given, const std::string& whose) {
  Params params;
  const SettingValues values = normalise(declared_settings<Params>(), given, whose);
  params.each(
      [&values](const char* name, auto& value, auto&&...) { settings_detail::read(values.at(name), value); });
  return params;
}

}  // namespace varve
