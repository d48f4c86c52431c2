// A repository in the Hugging Face cache: revisions are small files that name a commit, a commit is a folder
// of links.
//   models--org--name/refs/REVISION           text: the commit; a revision with slashes lies in folders
//   models--org--name/snapshots/COMMIT/FILE   link -> ../../blobs/DIGEST, perhaps a link again
#include <algorithm>
#include <cctype>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/series_parts.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

struct Revision {
  std::string name, commit;
};

std::vector<Revision> revisions_in(const fs::path& refs, std::vector<std::string>& notes) {
  constexpr int64_t ref_limit = 4096;
  std::vector<Revision> revisions;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(refs)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(refs).generic_string();
    std::string commit = read_file(entry.path(), ref_limit);
    while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back()))) commit.pop_back();
    // The commit becomes part of a path, so it may be letters and digits and nothing else.
    const bool plain = !commit.empty() && std::all_of(commit.begin(), commit.end(), [](unsigned char letter) {
      return std::isalnum(letter) != 0;
    });
    if (plain) {
      revisions.push_back({name, commit});
    } else {
      notes.push_back(fmt::format("refs/{} does not hold a commit; left out", name));
    }
  }
  std::sort(revisions.begin(), revisions.end(),
            [](const Revision& a, const Revision& b) { return a.name < b.name; });
  return revisions;
}

// A revision with slashes is known by its last part: "olmo/step1000" is a step, too.
std::optional<RevisionName> named_step(const std::string& revision) {
  std::optional<RevisionName> name = parse_revision(revision);
  if (!name && revision.find('/') != std::string::npos) {
    name = parse_revision(revision.substr(revision.rfind('/') + 1));
    if (name && name->branch == "main") name->branch = revision.substr(0, revision.rfind('/'));
  }
  return name && name->step >= 0 ? name : std::nullopt;
}

}  // namespace

bool is_hub_cache(const fs::path& folder) {
  return fs::is_directory(folder / "refs") && fs::is_directory(folder / "snapshots");
}

SeriesSource read_hub_cache(const fs::path& folder) {
  SeriesSource series;
  series.kind = "Hugging Face cache";
  series.name = folder.filename().string();
  if (series.name.starts_with("models--")) {
    series.name = series.name.substr(8);
    if (const size_t bar = series.name.find("--"); bar != std::string::npos) series.name.replace(bar, 2, "/");
  }
  std::map<std::string, std::string> step_of_commit;  // commit -> revision
  std::vector<Revision> stepless;
  for (const Revision& revision : revisions_in(folder / "refs", series.notes)) {
    const fs::path snapshot = folder / "snapshots" / revision.commit;
    const std::optional<RevisionName> name = named_step(revision.name);
    if (!fs::exists(snapshot / "config.json")) {
      series.notes.push_back(fmt::format(
          "revision '{}': its snapshot {} has no config.json, so it was not (or not wholly) downloaded; "
          "left out",
          revision.name, revision.commit));
    } else if (!name) {
      stepless.push_back(revision);
    } else {
      CheckpointSource checkpoint = checkpoint_in(snapshot, revision.name);
      checkpoint.step = name->step;
      checkpoint.tokens = name->tokens;
      checkpoint.branch = name->branch;
      series.checkpoints.push_back(std::move(checkpoint));
      step_of_commit.emplace(revision.commit, revision.name);
    }
  }
  const bool steps_known = !series.checkpoints.empty();
  for (const Revision& revision : stepless) {
    if (const auto step = step_of_commit.find(revision.commit); step != step_of_commit.end()) {
      series.notes.push_back(fmt::format("revision '{}' is {}", revision.name, step->second));
    } else if (!steps_known && (stepless.size() == 1 || revision.name == "main")) {
      CheckpointSource only = checkpoint_in(folder / "snapshots" / revision.commit, revision.name);
      only.step = 0;
      series.notes.push_back(fmt::format("revision '{}' names no step; taken as step 0", revision.name));
      series.checkpoints.push_back(std::move(only));
    } else {
      series.notes.push_back(
          fmt::format("revision '{}' names no step; left out. A series.toml can give it one", revision.name));
    }
  }
  if (series.checkpoints.empty())
    fail("{}: no revision in refs/ is a downloaded checkpoint with a step in its name{}{}", folder.string(),
         series.notes.empty() ? "" : ": ", fmt::join(series.notes, "; "));
  return series;
}

}  // namespace varve
