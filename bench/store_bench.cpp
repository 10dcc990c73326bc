// SPDX-License-Identifier: Apache-2.0
// What the alert store costs with real files: commits, updates, the start, queries, full text. The
// folder is the system's temporary one (TMPDIR chooses the disk).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/sqlite_store.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

constexpr std::uint64_t step_alerts = 1000;
constexpr std::uint64_t rules = 200;

/// A store with `alerts` in it, of which all are active or none.
class filled_store {
 public:
  enum class place { file, temporary };

  explicit filled_store(std::uint64_t alerts, bool active = true, place where = place::file) {
    auto opened = open_sqlite_store(where == place::file ? folder_.path() : "");
    if (!opened) throw std::runtime_error{opened.failure().message};
    store_ = std::move(*opened);
    while (made_ < alerts) commit({step(active)});
  }

  /// The next step_alerts new alerts, which may end at once.
  book_changes step(bool active = true) {
    for (std::uint64_t i = 0; i < step_alerts; ++i) {
      ++made_;
      const auto begun = maker_.begin(testing::sample_alert(made_, made_ % rules));
      if (active) {
        last_.push_back(begun);
        continue;
      }
      maker_.move(begun, alert_state::resolved, begun->at + std::chrono::minutes{made_ % 50},
                  "rule", "condition cleared");
    }
    return maker_.take();
  }

  /// One more event for each of the last step_alerts active alerts.
  book_changes updates() {
    for (std::size_t i = last_.size() - step_alerts; i < last_.size(); ++i)
      last_[i] = maker_.update(last_[i], [](alert& of) { ++of.proof.event_count; });
    return maker_.take();
  }

  void commit(const std::vector<book_changes>& changes) {
    if (const auto failure = store_->commit(changes)) throw std::runtime_error{failure->message};
  }

  /// Everything that was committed must be there.
  void verify(benchmark::State& state) {
    const auto loaded = store_->load();
    if (!loaded || loaded->seq != maker_.seq()) state.SkipWithError("not what was committed");
  }

  void index_all() {
    for (;;) {
      const auto more = store_->maintain(instant{});
      if (!more) throw std::runtime_error{more.failure().message};
      if (!*more) return;
    }
  }

  alert_store& operator*() { return *store_; }
  alert_store* operator->() { return store_.get(); }
  [[nodiscard]] std::uint64_t made() const { return made_; }

 private:
  testing::scratch_folder folder_;
  std::unique_ptr<alert_store> store_;
  testing::change_maker maker_;
  std::vector<transition> last_;
  std::uint64_t made_ = 0;
};

void report(benchmark::State& state, filled_store& store) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(step_alerts));
  store.verify(state);
}

/// 1,000 new alerts a commit, into a store that holds as many as the argument says.
void commit_new_alerts(benchmark::State& state) {
  filled_store store{static_cast<std::uint64_t>(state.range(0)), false};
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<book_changes> changes{store.step()};
    state.ResumeTiming();
    store.commit(changes);
  }
  report(state, store);
}
BENCHMARK(commit_new_alerts)->Arg(0)->Arg(300'000)->Iterations(100)->Unit(benchmark::kMillisecond);

/// With the argument 1 they end at once: two transitions each. Its bytes have no write-ahead log
/// beside them.
void commit_new_alerts_to_a_temporary_store(benchmark::State& state) {
  filled_store store{0, true, filled_store::place::temporary};
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<book_changes> changes{store.step(state.range(0) == 0)};
    state.ResumeTiming();
    store.commit(changes);
  }
  report(state, store);
  const auto per_alert = [&] {
    return static_cast<double>(store->bytes()) / static_cast<double>(store.made());
  };
  state.counters["bytes/alert"] = per_alert();
  store.index_all();
  state.counters["bytes/alert with text"] = per_alert();
}
BENCHMARK(commit_new_alerts_to_a_temporary_store)
    ->Arg(0)
    ->Arg(1)
    ->Iterations(100)
    ->Unit(benchmark::kMillisecond);

void commit_updates(benchmark::State& state) {
  filled_store store{100'000};
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<book_changes> changes{store.updates()};
    state.ResumeTiming();
    store.commit(changes);
  }
  report(state, store);
}
BENCHMARK(commit_updates)->Iterations(100)->Unit(benchmark::kMillisecond);

void load_active_alerts(benchmark::State& state) {
  filled_store store{static_cast<std::uint64_t>(state.range(0))};
  for (auto _ : state) {
    const auto loaded = store->load();
    if (!loaded || loaded->alerts.size() != store.made()) state.SkipWithError("not all are there");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(load_active_alerts)->Arg(100'000)->Iterations(3)->Unit(benchmark::kMillisecond);

void index_full_text(benchmark::State& state) {
  filled_store store{0};
  for (auto _ : state) {
    state.PauseTiming();
    for (int i = 0; i < 5; ++i) store.commit({store.step()});
    state.ResumeTiming();
    store.index_all();
  }
  state.SetItemsProcessed(state.iterations() * 5 * static_cast<std::int64_t>(step_alerts));
}
BENCHMARK(index_full_text)->Iterations(10)->Unit(benchmark::kMillisecond);

/// A page of 100 of 200,000 past alerts.
void ask_history(benchmark::State& state, const history_query& query, bool indexed) {
  static filled_store store{200'000, false};
  if (indexed) store.index_all();
  for (auto _ : state) {
    const auto page = store->history(query);
    if (!page || page->alerts.empty()) state.SkipWithError("nothing was found");
  }
}

history_query with_text(std::string text) {
  history_query query;
  query.text = std::move(text);
  return query;
}

history_query with_rule() {
  history_query query;
  query.rule = "rule-7";
  return query;
}

history_query with_matcher() {
  history_query query;
  query.matchers = *parse_label_matchers(R"({team="web"})");
  return query;
}

BENCHMARK_CAPTURE(ask_history, newest, history_query{}, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask_history, by_rule, with_rule(), false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask_history, by_matcher, with_matcher(), false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask_history, rare_word, with_text("199777"), true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ask_history, word_of_all, with_text("checkout"), true)
    ->Unit(benchmark::kMillisecond);

void ask_statistics(benchmark::State& state) {
  static filled_store store{200'000, false};
  for (auto _ : state) {
    const auto seen = store->statistics(testing::sample_noon - std::chrono::days{1},
                                        testing::sample_noon + std::chrono::days{30});
    if (!seen || seen->total != store.made()) state.SkipWithError("not all are counted");
  }
}
BENCHMARK(ask_statistics)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tocsin

BENCHMARK_MAIN();
