// How names become files of the store, and which files count.
#include <algorithm>
#include <optional>

#include "analysis/core/error.h"
#include "analysis/store/published_file.h"
#include "analysis/store/store_inner.h"

namespace varve {

namespace fs = std::filesystem;

namespace {

bool plain(char letter) {
  const bool word = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                    (letter >= '0' && letter <= '9');
  return word || letter == '.' || letter == '_' || letter == '-';
}

std::vector<fs::path> listed(const fs::path& folder, bool (*wanted)(const fs::directory_entry&)) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (!is_temporary(entry->path()) && wanted(*entry)) all.push_back(entry->path());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

void require_file_name(const std::string& name, const std::string& what) {
  const bool good =
      !name.empty() && name.size() <= 200 && name[0] != '.' && std::all_of(name.begin(), name.end(), plain);
  if (!good)
    fail_usage("'{}' cannot be the name of {}: use letters, digits, '-', '_' and '.', not starting with '.'",
               name, what);
}

std::string as_file_name(const std::string& text) {
  std::string name;
  for (const char letter : text)
    name += plain(letter) && !(name.empty() && letter == '.')
                ? std::string(1, letter)
                : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  return name.empty() ? "%" : name;
}

std::string from_file_name(const std::string& name) {
  std::string text;
  for (size_t at = 0; at < name.size(); ++at) {
    const std::string code = name[at] == '%' ? name.substr(at + 1, 2) : "";
    const bool whole = code.size() == 2 && code.find_first_not_of("0123456789ABCDEF") == std::string::npos;
    if (name == "%") return "";
    text += whole ? static_cast<char>(std::stoi(code, nullptr, 16)) : name[at];
    if (whole) at += 2;
  }
  return text;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  return listed(folder, [](const fs::directory_entry& entry) {
    std::error_code error;
    return entry.path().extension() == ".h5" && entry.is_regular_file(error);
  });
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  return listed(folder, [](const fs::directory_entry& entry) {
    std::error_code error;
    return entry.is_directory(error);
  });
}

}  // namespace varve
