// Every promise of the store checked: seals, digests, tables, links.
#include <set>
#include <unordered_map>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/published_file.h"
#include "analysis/store/series_file.h"
#include "analysis/store/store_inner.h"
#include "analysis/store/tensor_bytes.h"

namespace varve {

namespace fs = std::filesystem;

namespace {

class Inspection {
 public:
  Inspection(fs::path store, Task& task) : store_(std::move(store)), task_(task), shelf_(store_) {}

  std::vector<StoreFinding> run() {
    count_bytes();
    inspect_weights();
    inspect_series();
    inspect_results();
    inspect_logs();
    look_for_leftovers();
    task_.step(total_, total_);
    return std::move(findings_);
  }

 private:
  void found(std::string what, bool broken = true) { findings_.push_back({std::move(what), broken}); }

  // Runs a check; its Error becomes a finding.
  template <class Check>
  bool sound(Check check) {
    try {
      check();
      return true;
    } catch (const Error& error) {
      found(error.what());
      return false;
    }
  }

  void advance(int64_t bytes) {
    done_ = std::min(total_, done_ + bytes);
    task_.step(done_, total_);
  }

  static int64_t size_of_file(const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    return error ? 0 : static_cast<int64_t>(size);
  }

  void count_bytes() {
    for (const fs::path& file : files_in(store_ / "weights")) total_ += size_of_file(file);
    for (const fs::path& folder : folders_in(store_ / "results"))
      for (const fs::path& file : files_in(folder)) total_ += size_of_file(file);
  }

  void inspect_weights() {
    for (const fs::path& file : files_in(store_ / "weights")) {
      task_.doing(file.filename().string());
      sound([&] { inspect_weights_file(file); });
    }
  }

  void inspect_weights_file(const fs::path& file) {
    const WeightsIndex index = read_weights_index(file);
    check_body(file, index.seal, index.stretches());
    const MappedFile mapped(file);
    std::vector<std::string> digests;
    for (const WeightsEntry& entry : index.entries) {
      digests.push_back(entry.digest);
      held_[entry.digest] = entry;
      files_of_[file.filename().string()].push_back(entry.digest);
      if (!entry.base.empty()) {
        sound([&] { inspect_difference(file, entry); });
        continue;
      }
      const TensorView view{
          entry.type, entry.shape,
          mapped.bytes().subspan(static_cast<size_t>(entry.offset), static_cast<size_t>(entry.bytes)), true};
      const std::string digest = tensor_digest(view, [this](int64_t bytes) { advance(bytes); });
      if (digest != entry.digest)
        found(fmt::format("{}: tensor '{}' has digest {}, recorded as {}: its bytes changed", file.string(),
                          entry.name, digest, entry.digest));
    }
    if (weights_name(digests) != file.stem().string())
      found(fmt::format("{}: its name does not fit the tensors in it", file.string()));
  }

  void inspect_difference(const fs::path& file, const WeightsEntry& entry) {
    TensorRecord record;
    record.name = entry.name;
    record.type = entry.type;
    record.shape = entry.shape;
    record.digest = entry.digest;
    bases_.insert(entry.base);
    const std::string digest = tensor_digest(shelf_.view(record), [this](int64_t) { advance(0); });
    advance(entry.bytes);
    if (digest != entry.digest)
      fail("{}: tensor '{}' unpacks to digest {}, recorded as {}: its bytes changed", file.string(),
           entry.name, digest, entry.digest);
  }

  void inspect_series() {
    task_.doing("series.h5");
    SeriesRecord series;
    if (!sound([&] { series = read_series(store_ / "series.h5"); })) return;
    std::set<std::string> used, links;
    for (const CheckpointRecord& checkpoint : series.checkpoints)
      for (const TensorRecord& tensor : checkpoint.tensors) {
        if (!tensor.link_path.empty()) {
          const std::string mark =
              fmt::format("{} {} {}", tensor.link_path, tensor.link_offset, tensor.digest);
          if (links.insert(mark).second) sound([&] { inspect_link(tensor); });
          continue;
        }
        if (used.insert(tensor.digest).second) inspect_copied(checkpoint, tensor);
      }
    for (const auto& [file, digests] : files_of_) {
      bool wanted = false;
      for (const std::string& digest : digests)
        wanted = wanted || used.contains(digest) || bases_.contains(digest);
      if (!wanted)
        found(fmt::format("weights/{}: no checkpoint uses it, perhaps an import was interrupted", file),
              false);
    }
  }

  void inspect_copied(const CheckpointRecord& checkpoint, const TensorRecord& tensor) {
    const auto place = held_.find(tensor.digest);
    if (place == held_.end())
      found(fmt::format("series.h5: no weights file holds the tensor '{}' of {} (digest {})", tensor.name,
                        checkpoint.label.empty() ? fmt::format("step {}", checkpoint.step) : checkpoint.label,
                        tensor.digest));
    else if (place->second.type != tensor.type || place->second.shape != tensor.shape)
      found(fmt::format("series.h5: tensor '{}' has another type or shape than in its weights file",
                        tensor.name));
  }

  void inspect_link(const TensorRecord& tensor) {
    const fs::path source = link_target(store_, tensor);
    task_.doing(source.filename().string());
    check_link_size(source, tensor);
    // Tensors of one source mostly follow each other, so one mapping is kept.
    if (linked_.path() != source) linked_ = MappedFile(source);
    const int64_t bytes = bytes_needed(tensor.type, tensor.shape, source.string());
    if (static_cast<int64_t>(linked_.bytes().size()) < tensor.link_offset + bytes)
      fail_changed(source, tensor, "it now ends before the tensor does");
    const TensorView view{
        tensor.type, tensor.shape,
        linked_.bytes().subspan(static_cast<size_t>(tensor.link_offset), static_cast<size_t>(bytes)), true};
    const std::string digest = tensor_digest(view, [this](int64_t) { advance(0); });
    if (digest != tensor.digest) fail_changed(source, tensor, "its bytes differ");
  }

  void inspect_results() {
    for (const fs::path& folder : folders_in(store_ / "results"))
      for (const fs::path& file : files_in(folder)) {
        task_.doing(folder.filename().string());
        sound([&] { inspect_result(file, folder.filename().string()); });
        advance(size_of_file(file));
      }
  }

  void inspect_result(const fs::path& file, const std::string& analysis) {
    const Dataset data = read_dataset(file);
    const auto key = data.provenance.find("key"), made_by = data.provenance.find("analysis");
    if (key != data.provenance.end() && key->second != file.stem().string())
      found(fmt::format("{}: it says its key is {}", file.string(), key->second));
    if (made_by != data.provenance.end() && made_by->second != analysis)
      found(fmt::format("{}: it says it is a result of {}", file.string(), made_by->second));
  }

  void inspect_logs() {
    for (const fs::path& file : files_in(store_ / "logs")) sound([&] { read_dataset(file); });
  }

  void look_for_leftovers() {
    std::vector<fs::path> folders{store_, store_ / "weights", store_ / "logs"};
    for (const fs::path& folder : folders_in(store_ / "results")) folders.push_back(folder);
    for (const fs::path& folder : folders) {
      std::error_code error;
      for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (is_temporary(entry->path()))
          found(fmt::format("{}: left by a process that writes now or was killed; ignored",
                            entry->path().string()),
                false);
    }
  }

  fs::path store_;
  Task& task_;
  WeightsShelf shelf_;
  std::set<std::string> bases_;  // digests that differences need
  int64_t total_ = 1, done_ = 0;
  std::vector<StoreFinding> findings_;
  std::unordered_map<std::string, WeightsEntry> held_;
  std::map<std::string, std::vector<std::string>> files_of_;
  MappedFile linked_;
};

}  // namespace

std::vector<StoreFinding> RunStore::verify(Task& task) const {
  return Inspection(inner_->folder, task).run();
}

}  // namespace varve
