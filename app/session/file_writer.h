// Writes one file again and again without making anybody wait: of several texts only the newest is written.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace varve {

// Each write is atomic, so that a kill at any moment leaves the last whole text.
class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path file);
  ~FileWriter();  // after what was asked for last is written
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string text);  // nothing happens where it is what was asked for last
  void wait();                   // until all is written, or could not be
  std::string problem() const;   // of the last write; empty where it went well

 private:
  void loop();
  std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::optional<std::string> next_;
  std::string newest_, problem_;
  bool is_busy_ = false, is_closing_ = false;
  std::thread thread_;
};

}  // namespace varve
