// Compares the tensors of two files: names, types, shapes and every byte.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace varve {

// Both are lists of things with name and view, as formats hand them out.
template <class Tensors>
void expect_same_tensors(const Tensors& found, const Tensors& expected) {
  std::map<std::string, const typename Tensors::value_type*> named;
  for (const auto& tensor : expected) named[tensor.name] = &tensor;
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& tensor : found) {
    const auto match = named.find(tensor.name);
    if (match == named.end()) {
      ADD_FAILURE() << "there should be no tensor '" << tensor.name << "'";
      continue;
    }
    const auto &a = tensor.view, &b = match->second->view;
    EXPECT_EQ(a.type, b.type) << tensor.name;
    EXPECT_EQ(a.shape, b.shape) << tensor.name;
    const bool same = a.bytes.size() == b.bytes.size() &&
                      (a.bytes.empty() || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0);
    EXPECT_TRUE(same) << tensor.name << " has other bytes";
  }
}

}  // namespace varve
