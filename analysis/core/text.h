// Small text helpers that every room needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

bool glob_match(std::string_view pattern,
                std::string_view name);  // * any run of characters (dots too), ? one
std::vector<std::string> split(std::string_view text, char separator);
// "0,1,2,4:512:x2,1000:143000:1000,first,last" against the steps there are; sorted, distinct. `a:b:s` and
// `a:b:xK` select those steps of the stretch that exist; a single number that does not exist is an Error
// naming the nearest.
std::vector<int64_t> parse_steps(const std::string& list, const std::vector<int64_t>& existing);
int64_t parse_bytes(const std::string& size);  // "2G", "512M", "1.5GiB"; powers of ten, KiB MiB GiB of two
std::string show_bytes(int64_t bytes);         // "1.2 GB"
std::string show_seconds(double seconds);      // "4 min 10 s", "1.8 s"
std::string show_count(int64_t count);         // "32,491"
std::string show_step(int64_t step);           // "512", "1k", "16k", "1.5M"
std::string show_number(double value,
                        int digits = 3);  // 3 significant digits, trailing zeros kept; NaN "NaN"
bool is_utf8(std::string_view text);
std::string read_file(const std::filesystem::path& path,
                      int64_t limit_bytes);  // throws Error, also over the limit
// Written beside it under a temporary name, flushed, fsync'ed, renamed, folder fsync'ed. Throws Error.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace varve
