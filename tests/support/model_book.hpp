// SPDX-License-Identifier: Apache-2.0
// What alert_book must equal, told the slow way: after whatever happens every alert is looked at
// against every silence, every other alert and every clock. No index, no timer, no part of the
// book.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/silence.hpp"

namespace tocsin::testing {

/// How an alert stands, in words: everything that must be equal after each step.
[[nodiscard]] std::string standing(const alert& of);
/// A change of an alert's state, severity, assignee, or a note: what must be equal, in words.
/// Changes of shields and of flapping, and those of a pending alert's severity, have none ("").
[[nodiscard]] std::string change_in_words(const alert& after);

/// An alert's id is its fingerprint here: what makes ids differ is no concern of the model.
///
/// Knows silences, inhibition, mute times of a routing tree, acknowledges, `for`, keep_firing_for,
/// close_after, flapping, severities and posted alerts. Knows neither incidents nor rules of
/// assignment.
class model_book {
 public:
  model_book(std::shared_ptr<const rule_set> rules, std::shared_ptr<const alert_policy> policy);

  void step(instant clock, std::vector<finding> findings);

  struct outcome {
    std::string code;  ///< of the whole; "": it was done
    /// Code of the refusal by alert id, "" where it was done. Of post_alerts: empty.
    std::map<fingerprint, std::string> alerts;
    std::vector<std::string> posted;  ///< of post_alerts: codes in the order of posting
    bool new_silence = false;         ///< put_silence made one
  };
  /// `made` is the id that the book gave a silence.
  [[nodiscard]] outcome operate(const operation& wanted, const std::string& made);

  /// By fingerprint.
  [[nodiscard]] std::vector<alert> active() const;
  [[nodiscard]] const std::map<std::string, silence>& silences() const { return silences_; }
  [[nodiscard]] instant clock() const { return now_; }
  /// change_in_words() of all since the last call, by time, then fingerprint, then order.
  [[nodiscard]] std::vector<std::string> take_changes();

 private:
  struct life {
    alert now;
    std::optional<std::uint32_t> rule;  ///< nothing: posted
    instant last_met{};                 ///< met or updated
    std::optional<instant> cleared_at;  ///< and kept firing since
    std::optional<instant> ends_at;     ///< posted
    bool times_out = false;
  };
  struct evaluations {
    std::vector<bool> all;
    instant last{};
    bool flapping = false;
  };
  struct change {
    instant at{};
    fingerprint print;
    std::string words;
  };

  [[nodiscard]] const rule_spec& spec_of(const life& of) const;
  [[nodiscard]] std::optional<instant> next_deadline(const life& of) const;
  void run_until(instant limit);
  void run_clocks(life& of);
  void look_at_everything();
  [[nodiscard]] alert_shields shields_of(const alert& of) const;
  [[nodiscard]] std::vector<std::string> inhibited_by(const alert& of) const;
  [[nodiscard]] std::vector<std::string> muted_by(const alert& of) const;

  void take(const finding& found);
  void begin(const finding& found);
  void go_on(life& of, const finding& found);
  void change_severity(life& of, severity to);
  void evaluate(const fingerprint& print, bool firing);
  void move(life& of, alert_state to, std::string cause, std::string actor, std::string note = "");

  void choose(const alert_selector& which, const std::vector<alert_state>& legal, outcome& into,
              std::vector<life*>& chosen);
  [[nodiscard]] outcome run(const acknowledge_alerts& wanted);
  [[nodiscard]] outcome run(const unacknowledge_alerts& wanted);
  [[nodiscard]] outcome run(const close_alerts& wanted);
  [[nodiscard]] outcome run(const note_on_alerts& wanted);
  [[nodiscard]] outcome run(const assign_alerts& wanted);
  [[nodiscard]] outcome run(const post_alerts& wanted);
  [[nodiscard]] std::string post(const posted_alert& wanted, const std::string& by);
  void post_again(life& of, const posted_alert& wanted, const posted_facts& facts);
  [[nodiscard]] outcome put(const silence& wanted, const std::string& made);
  [[nodiscard]] outcome expire(const std::string& id);

  std::shared_ptr<const rule_set> rules_;
  std::shared_ptr<const alert_policy> policy_;
  instant now_{};
  std::map<fingerprint, life> alive_;
  std::map<fingerprint, evaluations> evaluated_;
  std::map<std::string, silence> silences_;
  std::vector<change> changes_;
};

}  // namespace tocsin::testing
