// varve doctor: what this build is and how well it fits this machine.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/core/pool.h"
#include "analysis/core/text.h"
#include "analysis/model/kernels.h"
#include "app/console/json_text.h"
#include "app/verbs/verb.h"
#include "viz/draw/canvas.h"

namespace varve {
namespace {

struct Line {
  std::string name, value;
  std::string warning;  // empty: fine
};

// "name : value" of the first processor.
std::string processor_field(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(name, 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "";
}

std::string processor_features() {
  std::istringstream words(processor_field("flags"));
  std::set<std::string> flags;
  for (std::string word; words >> word;) flags.insert(word);
  std::string text;
  for (const char* const name : {"avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16"})
    if (flags.count(name) > 0) text += (text.empty() ? "" : " ") + std::string(name);
  return text.empty() ? "none of avx2 fma avx512f avx512_bf16 amx_bf16" : text;
}

Line kernel_line() {
  Line line{"matrix kernel", blas_kernel(), ""};
  if (const char* const dropped = std::getenv("VARVE_KERNEL_DROPPED"))
    line.value += fmt::format(" (an inherited OPENBLAS_CORETYPE={} was dropped by starting again)", dropped);
  if (blas_slowed_by_environment())
    line.warning =
        "OPENBLAS_CORETYPE pins a kernel older than this processor; it can halve the speed. Unset it";
  return line;
}

// Products with weights have kernels of our own in f32 and bf16; VARVE_KERNEL names another one.
Line product_line() {
  return {"weight products",
          fmt::format("f32 {}, bf16 {}, f64 {}", gemm_kernel_name(Compute::f32),
                      gemm_kernel_name(Compute::bf16), gemm_kernel_name(Compute::f64)),
          ""};
}

Line memory_line() {
  const auto page = static_cast<int64_t>(sysconf(_SC_PAGESIZE));
  return {"memory",
          fmt::format("{} in all, {} free", show_bytes(static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * page),
                      show_bytes(static_cast<int64_t>(sysconf(_SC_AVPHYS_PAGES)) * page)),
          ""};
}

// A mono face gives every letter one width, a text face does not: seen without asking where fonts lie.
Line font_line() {
  const auto canvas = make_picture(PictureKind::svg, 64, 64, 1, Color{});
  const auto width = [&canvas](const char* text, Face face) {
    return canvas->text_width(text, Font{8, face});
  };
  const bool mono = width("i", Face::mono) > 0 && width("i", Face::mono) == width("W", Face::mono);
  const bool sans = width("i", Face::sans) > 0 && width("i", Face::sans) < width("W", Face::sans);
  Line line{"fonts", fmt::format("text {}, mono {}", sans ? "found" : "missing", mono ? "found" : "missing"),
            ""};
  if (!sans || !mono)
    line.warning = "pictures need DejaVu Sans and DejaVu Sans Mono (package fonts-dejavu-core)";
  return line;
}

int doctor(Console& console) {
  const std::vector<Line> lines = {
      {"varve", VARVE_VERSION, ""},
      {"built with", fmt::format("C++ {}, compiler {}", __cplusplus, __VERSION__), ""},
      {"processor", processor_field("model name"), ""},
      {"features", processor_features(), ""},
      {"processors here", std::to_string(sysconf(_SC_NPROCESSORS_ONLN)), ""},
      {"threads in use", std::to_string(threads()), ""},
      kernel_line(),
      product_line(),
      memory_line(),
      font_line(),
      {"graphics", "not needed by this program", ""},
      {"Python", "not needed by this program", ""},
  };
  Json list = Json::array();
  std::string text;
  bool fine = true;
  for (const Line& line : lines) {
    fine = fine && line.warning.empty();
    list.push_back({{"name", line.name}, {"value", line.value}, {"warning", line.warning}});
    text += fmt::format("{:<16} {}\n", line.name, line.value);
    if (!line.warning.empty()) text += fmt::format("{:<16} warning: {}\n", "", line.warning);
  }
  console.print(console.json ? json_text(Json{{"ok", fine}, {"kernel", blas_kernel()}, {"lines", list}})
                             : text);
  return 0;
}

}  // namespace

void add_doctor(VerbCatalog& catalog) {
  catalog.add({"doctor", "tell what this build is and how it fits this machine", "varve doctor",
               [](CLI::App&) { return [](Console& console) { return doctor(console); }; }});
}

}  // namespace varve
