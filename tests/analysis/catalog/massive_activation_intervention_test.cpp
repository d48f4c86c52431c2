// Taking massive activations away: a planted one matters, its mean does not, and the control says what chance
// does.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/run.h"
#include "loaders/import.h"
#include "tests/support/expect_error.h"
#include "tests/support/planted_model.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class Intervention : public testing::Test {
 protected:
  Dataset run(float size, const SettingValues& settings) {
    write_model(temp_.path() / "model", planted::model(size));
    import_series({.source = temp_.path() / "model", .store = temp_.path() / "s.varve"}, task_);
    store_ = RunStore::open(temp_.path() / "s.varve");
    RunRequest request;
    request.analysis = "massive-activation-intervention";
    request.settings = settings;
    request.probes =
        Probes{{{0, 3, 4, planted::token, 5}, {1, planted::token, 2, 3}, {2, 6, planted::token, 9}}, "test"};
    report_ = run_analysis(store_, request, task_);
    return report_.result;
  }
  double loss(const Dataset& result, int64_t change) const { return result["loss"].number(change); }
  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
  RunReport report_;
};

TEST_F(Intervention, APlantedActivationIsFoundAndItsLossMattersButItsMeanDoesNot) {
  const Dataset result = run(2000, {{"count", "1"}});
  const double none = loss(result, 0), zero = loss(result, 1), mean = loss(result, 2);
  EXPECT_EQ(result["changed_layer"].number(0), planted::layer);
  const Dataset cell = store_->result("massive-activation-intervention", report_.cell_keys.at(0)).value();
  EXPECT_EQ(cell["changed_pos"].number(0), 3);
  EXPECT_EQ(cell["changed_pos"].number(1), 1);
  EXPECT_EQ(cell["changed_dim"].number(2), planted::dim);
  EXPECT_GT(std::abs(zero - none), 1e-3);
  EXPECT_NEAR(mean, none, 1e-4);  // the token is the same, so is its activation
  EXPECT_NEAR(result["perplexity"].number(1), std::exp(zero), 1e-9);
  EXPECT_NEAR(result["increase"].number(1), zero - none, 1e-9);
  EXPECT_EQ(result["increase"].number(0), 0);
  ASSERT_EQ(result.checks.size(), 1U);
  EXPECT_TRUE(result.checks[0].passed) << result.checks[0].residual;
}

TEST_F(Intervention, TheSameSeedDrawsTheSameControl) {
  const Dataset one = run(2000, {{"seed", "5"}});
  const Dataset again = run(2000, {{"seed", "5"}});
  EXPECT_TRUE(one.same_values(again));
  const Dataset other = run(2000, {{"seed", "6"}});
  EXPECT_EQ(loss(one, 1), loss(other, 1));
}

TEST_F(Intervention, ALayerThatIsNotThereIsRefused) {
  expect_error([&] { run(0, {{"layer", "3"}}); }, {"layer is 3", "0 to 2"});
}

}  // namespace
}  // namespace varve
