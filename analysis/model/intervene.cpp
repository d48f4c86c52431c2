// Reading interventions from a command line, and the check that a model has what they name.
#include "analysis/model/intervene.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "analysis/model/forward.h"

namespace varve {
namespace {

const char* const form =
    "write SITE[INDEX]=WHAT, as in 'blocks.1.attn.z[head=3,pos=-1]=0'; WHAT is a number, +number, xNUMBER, "
    "zero, mean or prompt:N";

int64_t whole(const std::string& text, const std::string& all) {
  int64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || wrong != std::errc() || end != text.data() + text.size())
    fail_usage("patch '{}': '{}' is not a whole number; {}", all, text, form);
  return number;
}

double number_in(const std::string& text, const std::string& all) {
  double number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || wrong != std::errc() || end != text.data() + text.size())
    fail_usage("patch '{}': '{}' is not a number; {}", all, text, form);
  return number;
}

const SiteInfo& site_info(const std::vector<SiteInfo>& sites, const std::string& asked) {
  const std::string plain = plain_site(asked);
  std::vector<std::string> names;
  for (const SiteInfo& site : sites) {
    if (site.name == plain) return site;
    names.push_back(site.name);
  }
  fail_usage("this model has no site '{}' to change; did you mean '{}'?", asked, nearest(plain, names));
}

void read_index(const SiteInfo& site, const std::string& index, const std::string& all,
                Intervention& change) {
  std::vector<std::string> axes = {"prompt"};
  axes.insert(axes.end(), site.axes.begin(), site.axes.end());
  size_t place = 0;
  for (const std::string& part : split(index, ',')) {
    const size_t equals = part.find('=');
    if (equals != std::string::npos) {
      change.where[part.substr(0, equals)] = whole(part.substr(equals + 1), all);
      continue;
    }
    if (place == axes.size())
      fail_usage("patch '{}': {} has {} axes (prompt first)", all, site.name, axes.size());
    if (part != ":") change.where[axes[place]] = whole(part, all);
    ++place;
  }
}

void read_what(const std::string& what, const std::string& all, Intervention& change) {
  if (what == "zero") {
    change.change = Change::zero;
  } else if (what == "mean") {
    change.change = Change::mean;
  } else if (what.starts_with("prompt:")) {
    change.change = Change::resample;
    change.from_prompt = whole(what.substr(7), all);
  } else if (what.starts_with("+")) {
    change.change = Change::add;
    change.number = number_in(what.substr(1), all);
  } else if (what.starts_with("x")) {
    change.change = Change::scale;
    change.number = number_in(what.substr(1), all);
  } else {
    change.change = Change::set;
    change.number = number_in(what, all);
  }
}

}  // namespace

Intervention intervention_from(const ModelSpec& spec, const std::string& text) {
  const size_t open = text.find('[');
  const size_t close = open == std::string::npos ? std::string::npos : text.find(']', open);
  const size_t equals = text.find('=', close == std::string::npos ? 0 : close);
  const bool bracket = open != std::string::npos && open < equals;
  if (equals == std::string::npos || (bracket && close + 1 != equals))
    fail_usage("patch '{}': {}", text, form);
  Intervention change;
  change.site = plain_site(text.substr(0, bracket ? open : equals));
  const std::vector<SiteInfo> sites = sites_of(spec);
  const SiteInfo& site = site_info(sites, change.site);
  if (bracket && close > open + 1) read_index(site, text.substr(open + 1, close - open - 1), text, change);
  read_what(text.substr(equals + 1), text, change);
  check(spec, {change});
  return change;
}

void check(const ModelSpec& spec, const Interventions& changes) {
  const std::vector<SiteInfo> sites = sites_of(spec);
  for (const Intervention& change : changes) {
    const SiteInfo& site = site_info(sites, change.site);
    const bool weighted = site.name.ends_with("router.topk_weights");
    std::vector<std::string> known = site.axes;
    known.insert(known.end(), {"prompt", "neuron"});
    if (weighted) known.push_back("expert");
    for (const auto& [axis, index] : change.where) {
      if (std::find(known.begin(), known.end(), axis) == known.end())
        fail_usage("site {} has no axis '{}'; did you mean '{}'?", site.name, axis, nearest(axis, known));
      if (axis == "prompt" && index < 0)
        fail_usage("a change of {}: prompts count from 0, not {}", site.name, index);
      const std::string own = axis == "neuron" ? site.axes.back() : axis;
      if (own == "prompt" || own == "pos" || own == "query" || own == "key") continue;
      const int64_t extent = site_extent(spec, own, 1);
      if (index < -extent || index >= extent)
        fail_usage("a change of {} names {} {}, but there are {}", site.name, axis, index, extent);
    }
    if (change.change == Change::resample && change.from_prompt < 0)
      fail_usage("{} is to be resampled, but from which prompt? Give prompt:N", site.name);
    if (std::isnan(change.number)) fail_usage("a change of {} by a number that is none", site.name);
  }
}

}  // namespace varve
