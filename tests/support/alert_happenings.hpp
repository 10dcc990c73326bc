// SPDX-License-Identifier: Apache-2.0
// Random things that happen to an alert book: findings, operators, posted alerts, silences, time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/window_scenario.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/silence.hpp"

namespace tocsin::testing {

/// Where in a second the clocks of each kind fall. Apart, no two kinds ever coincide, so that what
/// a step shows does not hang on which of them is taken first.
struct clock_places {
  duration step_end{};
  duration timed_finding{};
  duration pending_for{};
  duration keep_firing_for{};
  duration close_after{};
  duration until{};
  duration ends_at{};
  duration resolve_timeout{};
  duration silence_start{};
  duration silence_end{};
};
inline constexpr clock_places apart{duration{50},  duration{20},  duration{100}, duration{200},
                                    duration{300}, duration{400}, duration{500}, duration{600},
                                    duration{700}, duration{800}};
/// All on full seconds.
inline constexpr clock_places together{};

inline constexpr instant beginning = from_unix_ms(1'790'000'000'000);

/// Rules with `for`, keep_firing_for and close_after; compiled once for each of the two.
[[nodiscard]] const std::shared_ptr<const rule_set>& happening_rules(const clock_places& places);

enum class deed : std::uint8_t {
  find,
  post,
  acknowledge,
  unacknowledge,
  close,
  note,
  assign,
  silence,
  edit_silence,
  expire_silence,
  wait,
};

/// One thing that happens: all of it comes from its seed and from how things stand then, so that a
/// sequence without it still makes sense.
struct happening {
  deed what = deed::wait;
  std::uint64_t seed = 0;
};

struct sequence {
  std::uint64_t policy_seed = 0;
  bool narrow = false;  ///< all about one rule's key and one posted alert
  std::vector<happening> happenings;
};

[[nodiscard]] sequence make_sequence(std::uint64_t seed);
/// Routes with mute times, inhibition, flapping: some of it.
[[nodiscard]] std::shared_ptr<const alert_policy> make_policy(const sequence& of,
                                                              const clock_places& places);

/// Makes what happens of a seed and of how things stand.
class happening_maker {
 public:
  happening_maker(std::uint64_t seed, bool narrow, const clock_places& places, instant clock)
      : choose_(seed), narrow_(narrow), places_(places), clock_(clock) {}

  /// Findings of a step that ends at `until`, in log order.
  std::vector<finding> findings(instant until, std::uint64_t& position);

  operation post();

  alert_selector selector(const std::vector<transition>& active,
                          const std::vector<fingerprint>& ended);

  operation operate(deed what, const alert_selector& which);

  operation put_silence(const std::map<std::string, silence>& known, bool edit);

  operation expire(const std::map<std::string, silence>& known);

  /// Of a happening mostly none, sometimes seconds, seldom minutes.
  duration passing();

 private:
  static const std::vector<std::string>& people();
  static const std::vector<std::string>& hosts();
  static const std::vector<std::string>& severities();

  instant in_seconds(long long low, long long high);

  finding one_finding();

  posted_alert one_posted();

  label_matchers matchers();

  chooser choose_;
  bool narrow_;
  clock_places places_;
  instant clock_;
};

}  // namespace tocsin::testing
