// varve export: a result in a form other programs read.
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/circuits/graph_export.h"
#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "app/console/dataset_csv.h"
#include "app/console/dataset_json.h"
#include "app/console/probe_options.h"
#include "app/console/result_option.h"
#include "app/verbs/verb.h"
#include "loaders/npy.h"

namespace varve {
namespace {

struct Request {
  std::string result, form;
  std::filesystem::path output;
  std::vector<std::string> arrays;
};

// Arrays under their own names, ticks as coord_<axis>.
std::string to_npz(const Dataset& data) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [name, array] : data.arrays()) members.emplace_back(name + ".npy", npy_bytes(array));
  for (const auto& [axis, ticks] : data.coords())
    members.emplace_back("coord_" + axis + ".npy", npy_bytes(ticks));
  return zip_bytes(members);
}

// A circuit's edges.
std::string graph_text(const Dataset& data, const std::string& form) {
  if (form == "edges-csv") return edges_csv(data);
  return form == "eap-json" ? eap_graph_json(data) : attribution_graph_json(data);
}

int export_result(const Request& request, Console& console) {
  const std::vector<std::string> forms = {
      "csv", "json", "npz", "netcdf", "edges-csv", "eap-json", "attribution-graph"};
  if (std::find(forms.begin(), forms.end(), request.form) == forms.end())
    fail_usage("--to '{}' is not known; did you mean '{}'? There are {}", request.form,
               nearest(request.form, forms), fmt::join(forms, ", "));
  const bool binary = request.form == "npz" || request.form == "netcdf";
  if (binary && request.output.empty()) fail_usage("--to {} needs -o FILE", request.form);
  if (!request.arrays.empty() && request.form != "csv") fail_usage("--array is for --to csv");
  const Dataset data = open_result(request.result);
  if (request.form == "netcdf") {
    write_dataset(request.output, data);
  } else {
    const std::string content = request.form == "csv"    ? to_csv(data, request.arrays)
                                : request.form == "json" ? json_text(to_json(data)) + "\n"
                                : request.form == "npz"  ? to_npz(data)
                                                         : graph_text(data, request.form);
    if (request.output.empty()) {
      console.print(content);
      return 0;
    }
    write_file_atomically(request.output, content);
  }
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(request.output));
  if (console.json)
    console.print(
        json_text(Json{{"output", request.output.string()}, {"to", request.form}, {"bytes", bytes}}));
  else
    console.print(fmt::format("{}: {}", request.output.string(), show_bytes(bytes)));
  return 0;
}

}  // namespace

void add_export(VerbCatalog& catalog) {
  catalog.add({"export", "write a result as csv, json, npz or netcdf, or a circuit as a graph",
               "varve export pythia-70m.varve:3f9a1c --to csv -o lens.csv", [](CLI::App& command) {
                 auto request = std::make_shared<Request>();
                 command.add_option("RESULT", request->result, "a result file, or STORE:KEY")->required();
                 command
                     .add_option("--to", request->form,
                                 "csv, json, npz, netcdf; of circuits edges-csv, eap-json, attribution-graph")
                     ->required()
                     ->type_name("FORM");
                 command
                     .add_option("-o,--output", request->output,
                                 "the file to write; csv and json go to stdout without")
                     ->type_name("FILE");
                 add_repeated(command, "--array", request->arrays, "only arrays whose names match; csv only")
                     ->type_name("GLOB");
                 return [request](Console& console) { return export_result(*request, console); };
               }});
}

}  // namespace varve
