// Expects an Error whose message says certain words.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "analysis/core/error.h"

namespace varve {

inline void expect_error(const std::function<void()>& work, const std::vector<std::string>& words) {
  try {
    work();
    ADD_FAILURE() << "no Error was thrown; expected one that says '" << (words.empty() ? "" : words.front())
                  << "'";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const std::string& word : words)
      EXPECT_NE(message.find(word), std::string::npos) << "'" << word << "' is not in: " << message;
  }
}

}  // namespace varve
