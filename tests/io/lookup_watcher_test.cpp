// SPDX-License-Identifier: Apache-2.0
// Tables follow their files: what changed is loaded, what is broken is not.
#include "io/lookup_watcher.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace tocsin {
namespace {

class lookup_watching : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "tocsin-watch-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    write("host,owner\nweb-1,ann\n");
    lookup_spec spec;
    spec.file = {"hosts.csv", 1, 1};
    spec.path = folder_ / "hosts.csv";
    spec.on.text = "resource_id";
    spec.labels.push_back({{"owner", 0, 0}, {"owner", 0, 0}});
    diagnostics found;
    steps_ = enrichment::compile({{"t.yaml", 1, {}, spec}}, {}, found);
    ASSERT_TRUE(steps_);
    watcher_ = lookup_watcher::load(steps_, found);
    ASSERT_TRUE(watcher_);
  }
  void TearDown() override {
    watcher_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// A new file, renamed into place.
  void write(const std::string& text) const {
    std::ofstream(folder_ / "new", std::ios::binary) << text;
    std::filesystem::rename(folder_ / "new", folder_ / "hosts.csv");
  }
  void look() {
    watcher_->look([this](const lookup_news& each) { news_.push_back(each); });
  }
  [[nodiscard]] std::string owner() const {
    const auto table = steps_->lookups()[0].slot->get();
    const auto row = table->find("web-1");
    return row ? std::string(table->at(*row, 0).text) : "";
  }
  [[nodiscard]] lookup_status status() const { return watcher_->status()[0]; }

  std::filesystem::path folder_;
  std::shared_ptr<const enrichment> steps_;
  std::shared_ptr<lookup_watcher> watcher_;
  std::vector<lookup_news> news_;
};

TEST_F(lookup_watching, a_file_that_stays_is_read_once) {
  look();
  look();
  look();
  EXPECT_TRUE(news_.empty());
  EXPECT_EQ(owner(), "ann");
  EXPECT_EQ(status().step, "1-lookup");
  EXPECT_EQ(status().file, "hosts.csv");
  EXPECT_EQ(status().rows, 1U);
  EXPECT_EQ(status().loaded, 1U);
  EXPECT_EQ(status().failed, 0U);
  EXPECT_FALSE(status().stale);
}

TEST_F(lookup_watching, a_changed_file_is_loaded_when_two_looks_saw_it_the_same) {
  write("host,owner\nweb-1,bob\nweb-2,eve\n");
  look();
  EXPECT_EQ(owner(), "ann") << "it may still be being written";
  look();
  EXPECT_EQ(owner(), "bob");
  look();
  ASSERT_EQ(news_.size(), 1U);
  EXPECT_TRUE(news_[0].found.empty());
  EXPECT_EQ(news_[0].now.rows, 2U);
  EXPECT_EQ(status().loaded, 2U);
}

TEST_F(lookup_watching, a_file_that_goes_on_changing_waits) {
  write("host,owner\nweb-1,bob\n");
  look();
  write("host,owner\nweb-1,eve\n");
  look();
  EXPECT_EQ(owner(), "ann");
  look();
  EXPECT_EQ(owner(), "eve");
  EXPECT_EQ(status().loaded, 2U);
}

TEST_F(lookup_watching, a_file_appended_to_in_place_is_a_change) {
  std::ofstream(folder_ / "hosts.csv", std::ios::app) << "web-2,eve\n";
  look();
  look();
  EXPECT_EQ(status().rows, 2U);
}

TEST_F(lookup_watching, a_broken_file_leaves_the_table_and_is_told_once) {
  write("host,owner\nweb-1\n");
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(owner(), "ann");
  ASSERT_EQ(news_.size(), 1U);
  ASSERT_EQ(news_[0].found.size(), 1U);
  EXPECT_EQ(news_[0].found[0].line, 2);
  EXPECT_EQ(status().failed, 1U);
  EXPECT_EQ(status().loaded, 1U);
  EXPECT_EQ(status().rows, 1U);
  EXPECT_TRUE(status().stale);
  write("host,owner\nweb-1,bob\n");
  look();
  look();
  EXPECT_EQ(owner(), "bob");
  EXPECT_FALSE(status().stale);
  EXPECT_EQ(status().failed, 1U);
}

TEST_F(lookup_watching, a_file_that_went_is_told_once_and_may_come_back) {
  std::filesystem::rename(folder_ / "hosts.csv", folder_ / "away");
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(owner(), "ann");
  ASSERT_EQ(news_.size(), 1U);
  EXPECT_TRUE(status().stale);
  std::filesystem::rename(folder_ / "away", folder_ / "hosts.csv");
  look();
  look();
  EXPECT_FALSE(status().stale);
  EXPECT_EQ(status().loaded, 2U);
}

TEST_F(lookup_watching, the_thread_looks_by_itself_and_ends_at_stop) {
  std::promise<lookup_news> told;
  watcher_->watch([&told](const lookup_news& news) { told.set_value(news); }, duration{1});
  write("host,owner\nweb-1,bob\n");
  EXPECT_TRUE(told.get_future().get().found.empty());
  EXPECT_EQ(owner(), "bob");
  watcher_->stop();
  watcher_->stop();
}

TEST_F(lookup_watching, a_table_with_an_error_is_no_start) {
  write("host\n");
  diagnostics found;
  EXPECT_EQ(lookup_watcher::load(steps_, found), nullptr);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].file, folder_ / "hosts.csv");
}

}  // namespace
}  // namespace tocsin
