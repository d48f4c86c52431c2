// varve plot: a result as a picture, the same one the desktop exports.
#include "viz/view.h"

#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/console/describe.h"
#include "app/console/json_text.h"
#include "app/console/probe_options.h"
#include "app/console/result_option.h"
#include "app/session/difference.h"
#include "app/verbs/verb.h"
#include "viz/pick.h"

namespace varve {
namespace {

struct Request {
  std::string result, against, steps, view, theme = "light", size;
  std::filesystem::path output;
  std::vector<std::string> settings, selections;
  double scale = 1;
};

struct PictureSize {
  double width = 0, height = 0;
};

PictureSize parse_size(const std::string& text) {
  const std::vector<std::string> parts = split(text, 'x');
  PictureSize size;
  for (size_t i = 0; i < parts.size() && parts.size() == 2; ++i) {
    int pixels = 0;
    const char* const end = parts[i].data() + parts[i].size();
    const auto [stopped, problem] = std::from_chars(parts[i].data(), end, pixels);
    if (problem != std::errc() || stopped != end || pixels < 32 || pixels > 16384) break;
    (i == 0 ? size.width : size.height) = pixels;
  }
  if (size.width == 0 || size.height == 0)
    fail_usage("--size '{}' is no WxH of 32 to 16384 pixels, as in 900x560", text);
  return size;
}

// "layer=3" as a place; "step=1000" as the place of that tick where the axis has number ticks.
Selection parse_selection(const std::vector<std::string>& lists, const Dataset& data) {
  std::vector<std::string> words;
  for (const std::string& list : lists)
    for (const std::string& word : split(list, ',')) words.push_back(word);
  Selection selection;
  for (const auto& [axis, value] : settings_of(words)) {
    if (places_along(data, axis) == 0 && !data.has_axis(axis))
      fail_usage("--select {}: the result has no such axis; it has {}", axis, fmt::join(data.axes(), ", "));
    int64_t number = 0;
    const auto [stopped, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (problem != std::errc() || stopped != value.data() + value.size())
      fail_usage("--select {}={}: a whole number is needed", axis, value);
    const int64_t extent = places_along(data, axis);
    int64_t place = number < 0 && data.has_axis(axis) ? extent + number : number;
    if (const Array* ticks = data.coord(axis); axis == "step" && ticks && ticks->dtype() == Dtype::i64) {
      const auto steps = ticks->as<int64_t>();
      place = std::find(steps.begin(), steps.end(), number) - steps.begin();
      if (place == extent)
        fail_usage("--select step={}: the result has steps {}", number, fmt::join(steps, ", "));
    }
    if (place < 0 || place >= extent)
      fail_usage("--select {}={}: there are 0 to {}", axis, number, extent - 1);
    selection.at[axis] = place;
  }
  return selection;
}

const View& chosen_view(const std::string& name, const Dataset& data, const std::string& result) {
  if (!name.empty()) {
    const View& view = views().get(name);
    if (view.fit(data) <= 0) {
      const View* const best = best_view(data);
      fail_usage("view {} cannot show {}; {}", name, result,
                 best ? "view " + best->name + " can" : std::string("no view can"));
    }
    return view;
  }
  const View* const best = best_view(data);
  if (!best) fail("{}: no view can show this result; varve export gives its numbers", result);
  return *best;
}

// "16000,512": the steps of the result and of what it is set against, for words and ticks.
std::pair<int64_t, int64_t> parse_pair(const std::string& text) {
  std::pair<int64_t, int64_t> steps{1, 0};
  if (text.empty()) return steps;
  const char* const end = text.data() + text.size();
  const auto now = std::from_chars(text.data(), end, steps.first);
  const bool has_two = now.ec == std::errc() && now.ptr != end && *now.ptr == ',';
  const auto then = has_two ? std::from_chars(now.ptr + 1, end, steps.second) : now;
  if (!has_two || then.ec != std::errc() || then.ptr != end)
    fail_usage("--steps '{}' is no pair of steps, of RESULT and of --against, as in 16000,512", text);
  return steps;
}

// The result as the view draws it against another, or against one of its own steps.
Dataset set_against(const Request& request, const Dataset& data, const View& view, SettingValues& options) {
  constexpr std::string_view own_step = "step=";
  if (request.against.rfind(own_step, 0) != 0) {
    const auto [now, then] = parse_pair(request.steps);
    Compared compared = compare(view, data, now, open_result(request.against), then);
    options.merge(compared.options);
    return std::move(compared.data);
  }
  const auto place = parse_selection({request.against}, data).index("step");
  if (marks_what_is_shared(view)) {
    options.emplace("before", std::to_string(*place));
    return data;
  }
  options.merge(options_of_difference(view));
  return difference_to(data, *place);
}

int plot(const Request& request, Console& console) {
  const PictureKind kind = picture_kind(request.output.string());
  if (request.theme != "light" && request.theme != "dark")
    fail_usage("--theme '{}' is not known; there are light and dark", request.theme);
  if (!(request.scale >= 0.25 && request.scale <= 8)) fail_usage("--scale is 0.25 to 8");
  Dataset data = open_result(request.result);
  const View& view = chosen_view(request.view, data, request.result);
  SettingValues given = settings_of(request.settings);
  if (!request.against.empty()) data = set_against(request, data, view, given);
  const SettingValues options = normalise(view.options, given, "view " + view.name);
  const Theme& theme = request.theme == "dark" ? Theme::dark() : Theme::light();
  const Selection selection = parse_selection(request.selections, data);
  const PictureSize size =
      request.size.empty()
          ? PictureSize{view.width, picture_height(view, data, options, selection, view.width)}
          : parse_size(request.size);
  const std::string picture =
      picture_of(view, data, options, selection, kind, theme, size.width, size.height, request.scale);
  write_file_atomically(request.output, picture);
  if (console.json)
    console.print(json_text(Json{{"output", request.output.string()},
                                 {"view", view.name},
                                 {"options", options},
                                 {"width", size.width},
                                 {"height", size.height},
                                 {"bytes", picture.size()}}));
  else
    console.print(fmt::format("{}: {} of {}", request.output.string(), view.name, request.result));
  return 0;
}

// The options of the view named on the line, or the views there are.
std::string more_help(const std::string& named) {
  std::string text;
  if (const View* view = views().find(named)) {
    text = fmt::format("{}: {}\n\n{}\n\nOptions (--set key=value):\n", view->name, view->summary, view->help);
    for (const SettingInfo& option : view->options) text += describe(option) + "\n";
    return text;
  }
  text = "Views ('varve plot --view NAME --help' shows the options of one):\n";
  for (const View& view : views().items()) text += fmt::format("  {:<20} {}\n", view.name, view.summary);
  return text;
}

}  // namespace

void add_plot(VerbCatalog& catalog) {
  catalog.add(
      {"plot", "draw a result as svg, pdf or png",
       "varve plot pythia-70m.varve:3f9a1c --select step=1000 -o lens.svg", [](CLI::App& command) {
         auto request = std::make_shared<Request>();
         command.add_option("RESULT", request->result, "a result file, or STORE:KEY")->required();
         command
             .add_option("--against", request->against,
                         "draw the result minus this one, or a graph of what both share; step=N: minus its "
                         "own step N")
             ->type_name("RESULT|step=N");
         command.add_option("--steps", request->steps, "the steps of RESULT and --against, for words (1,0)")
             ->type_name("N,M");
         command.add_option("--view", request->view, "which view; the best fitting one by default")
             ->type_name("NAME");
         add_repeated(command, "--set", request->settings, "an option of the view; may be repeated")
             ->type_name("option=value");
         add_repeated(command, "--select", request->selections, "what to show, as in step=1000,layer=3")
             ->type_name("axis=index,...");
         command.add_option("--theme", request->theme, "light (default) or dark")->type_name("NAME");
         command.add_option("--size", request->size, "width and height in pixels")->type_name("WxH");
         command.add_option("--scale", request->scale, "device pixels a pixel, for png (1)")->type_name("S");
         command.add_option("-o,--output", request->output, "the picture; its ending says which kind")
             ->required()
             ->type_name("FIG.svg|pdf|png");
         command.footer([request] { return more_help(request->view); });
         return [request](Console& console) { return plot(*request, console); };
       }});
}

}  // namespace varve
