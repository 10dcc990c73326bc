// SPDX-License-Identifier: Apache-2.0
// Applies enrichment steps. An event's labels are copied to the end of the batch's labels when the
// first step changes them, and change there, where `where` and templates see them as usual.
#include <algorithm>
#include <cassert>

#include "core/enrichment_program.hpp"
#include "core/packed_event.hpp"
#include "core/text_arena.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {
namespace {

/// The labels of one event while steps change them.
class label_draft {
 public:
  label_draft(event_batch& batch, event& of, const event_limits& limits)
      : batch_(batch), event_(of), limits_(limits) {}

  /// Null when there is none. Valid until the next change.
  [[nodiscard]] const label* find(std::string_view name) const noexcept {
    for (const label& one : batch_.labels_of(event_)) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }

  /// Sets a label, in the place of one of the same name. False when it does not fit.
  [[nodiscard]] bool set(const label& to) {
    if (to.type == label::kind::text && to.text.size() > limits_.value_bytes) return false;
    const label* const old = find(to.name);
    if (old == nullptr && event_.labels_count >= limits_.labels) return false;
    const auto at = old == nullptr ? event_.labels_count : index_of(*old);
    move_to_end();
    if (old == nullptr) {
      batch_.labels.push_back(to);
      ++event_.labels_count;
    } else {
      batch_.labels[event_.labels_begin + at] = to;
    }
    return true;
  }

  /// False when there is none of that name.
  bool drop(std::string_view name) {
    const label* const old = find(name);
    if (old == nullptr) return false;
    const auto at = index_of(*old);
    move_to_end();
    batch_.labels.erase(batch_.labels.begin() + event_.labels_begin + at);
    --event_.labels_count;
    return true;
  }

  /// The label keeps its place; one that is called `to` already goes. False when there is no
  /// `from`.
  bool rename(std::string_view from, std::string_view to) {
    if (find(from) == nullptr) return false;
    drop(to);
    const auto at = index_of(*find(from));
    move_to_end();
    batch_.labels[event_.labels_begin + at].name = to;
    return true;
  }

  [[nodiscard]] bool changed() const noexcept { return changed_; }

 private:
  [[nodiscard]] std::uint32_t index_of(const label& one) const noexcept {
    return static_cast<std::uint32_t>(&one - &batch_.labels[event_.labels_begin]);
  }

  void move_to_end() {
    changed_ = true;
    const std::uint32_t begin = event_.labels_begin;
    // Those of the last event, or of one moved before, are there already.
    if (begin + event_.labels_count == batch_.labels.size()) return;
    event_.labels_begin = static_cast<std::uint32_t>(batch_.labels.size());
    for (std::uint32_t i = 0; i < event_.labels_count; ++i) {
      const label copied = batch_.labels[begin + i];
      batch_.labels.push_back(copied);
    }
  }

  event_batch& batch_;
  event& event_;
  const event_limits& limits_;
  bool changed_ = false;
};

label text_label(std::string_view name, std::string_view text) {
  label made;
  made.name = name;
  made.text = text;
  made.type = label::kind::text;
  return made;
}

/// True when a piece of a UTF-8 text is UTF-8 itself. Only \C, a single byte, can cut a character.
bool cuts_no_character(std::string_view text, re2::StringPiece piece) {
  const auto is_middle = [&](const char* at) {
    return at != text.data() + text.size() && (static_cast<unsigned char>(*at) & 0xc0) == 0x80;
  };
  return !is_middle(piece.data()) && !is_middle(piece.data() + piece.size());
}

enum class outcome : std::uint8_t { matched, unmatched, skipped };

}  // namespace

struct enricher::work {
  explicit work(std::shared_ptr<const enrichment> given)
      : steps(std::move(given)), program(steps->compiled()) {
    std::size_t groups = 0;
    for (const compiled_step& step : program.steps) {
      counts.push_back({.step = step.name});
      if (const auto* extract = std::get_if<extract_step>(&step.what)) {
        groups = std::max(groups, static_cast<std::size_t>(extract->groups.back().first) + 1);
      }
    }
    pieces.resize(groups);
  }

  void apply(event_batch& to, std::size_t first, std::size_t last) {
    batch = &to;
    tables.clear();
    for (const lookup_request& lookup : program.lookups) {
      tables.push_back({lookup.slot->get(), false});
    }
    bool changed = false;
    for (event& one : to.events) {
      at_hand.event = static_cast<std::uint32_t>(&one - to.events.data());
      label_draft draft(to, one, program.limits);
      for (std::size_t i = first; i < last; ++i) apply(program.steps[i], one, draft, counts[i]);
      changed = changed || draft.changed();
    }
    at_hand.event = work_at_hand::no_event;
    // The new labels' names stand in the program.
    if (changed) to.owners.push_back(steps);
    if (arena) to.owners.push_back(std::exchange(arena, nullptr));
    for (const table_in_use& table : tables) {
      if (table.used) to.owners.push_back(table.table);
    }
    tables.clear();
  }

  void apply(const compiled_step& step, event& of, label_draft& draft, enrichment_counts& into) {
    left_out = 0;
    outcome what = outcome::skipped;
    if (!step.where || step.where->holds(event_scope(*batch, of))) {
      what = std::visit([&](const auto& how) { return run(how, of, draft); }, step.what);
    }
    into.labels_left_out += left_out;
    switch (what) {
      case outcome::matched:
        ++(left_out > 0 ? into.overflow : into.matched);
        break;
      case outcome::unmatched:
        ++into.unmatched;
        break;
      case outcome::skipped:
        ++into.skipped;
        break;
    }
  }

  void set(label_draft& draft, const label& to) {
    if (!draft.set(to)) ++left_out;
  }

  outcome run(const extract_step& how, const event& of, label_draft& draft) {
    std::string_view text = group_text(how.field, *batch, of, scratch);
    if (text.data() == nullptr) return outcome::unmatched;
    const int wanted = how.groups.back().first + 1;
    if (!how.pattern->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED,
                            pieces.data(), wanted)) {
      return outcome::unmatched;
    }
    const bool passing = text.data() == scratch.data();
    for (const auto& [number, name] : how.groups) {
      const re2::StringPiece piece = pieces[static_cast<std::size_t>(number)];
      if (piece.data() == nullptr) continue;  // an optional group that took no part
      if (!cuts_no_character(text, piece)) {
        ++left_out;
        continue;
      }
      const std::string_view found{piece.data(), piece.size()};
      set(draft, text_label(name, passing ? keep(found) : found));
    }
    return outcome::matched;
  }

  outcome run(const lookup_step& how, const event& of, label_draft& draft) {
    const std::string_view key = group_text(how.on, *batch, of, scratch);
    table_in_use& from = tables[how.table];
    if (key.data() == nullptr || !from.table) return outcome::unmatched;
    const auto row = from.table->find(key);
    if (!row) return outcome::unmatched;
    from.used = true;
    for (std::size_t column = 0; column < how.labels.size(); ++column) {
      const lookup_cell cell = from.table->at(*row, column);
      if (cell.type == label::kind::null) continue;
      set(draft, {how.labels[column], cell.text, cell.number, cell.type});
    }
    return outcome::matched;
  }

  static outcome run(const rename_step& how, const event& /*of*/, label_draft& draft) {
    bool any = false;
    for (const auto& [from, to] : how.labels) any = draft.rename(from, to) || any;
    return any ? outcome::matched : outcome::unmatched;
  }

  outcome run(const set_step& how, const event& of, label_draft& draft) {
    for (const auto& [name, text] : how.labels) {
      scratch.clear();
      text.render_to(event_scope(*batch, of), scratch);
      if (scratch.size() > program.limits.value_bytes) {
        ++left_out;
      } else {
        set(draft, text_label(name, keep(scratch)));
      }
    }
    return outcome::matched;
  }

  static outcome run(const drop_step& how, const event& /*of*/, label_draft& draft) {
    bool any = false;
    for (const std::string& name : how.labels) any = draft.drop(name) || any;
    return any ? outcome::matched : outcome::unmatched;
  }

  std::string_view keep(std::string_view text) {
    if (!arena) arena = std::make_shared<text_arena>();
    return arena->keep(text);
  }

  struct table_in_use {
    std::shared_ptr<const lookup_table> table;
    bool used = false;  ///< labels of the batch point into it
  };

  std::shared_ptr<const enrichment> steps;
  const enrichment::program& program;
  std::vector<enrichment_counts> counts;

  // Of the batch at hand.
  event_batch* batch = nullptr;
  std::vector<table_in_use> tables;
  std::shared_ptr<text_arena> arena;  ///< null until a text is made
  std::uint64_t left_out = 0;         ///< labels, by the step at hand
  std::string scratch;
  std::vector<re2::StringPiece> pieces;
};

enricher::enricher(std::shared_ptr<const enrichment> steps)
    : work_(std::make_unique<work>(std::move(steps))) {}

enricher::~enricher() = default;
enricher::enricher(enricher&&) noexcept = default;

void enricher::apply(event_batch& batch) {
  if (!work_->program.steps.empty()) work_->apply(batch, 0, work_->program.steps.size());
}

void enricher::apply_step(event_batch& batch, std::size_t step) {
  assert(step < work_->program.steps.size());
  work_->apply(batch, step, step + 1);
}

const std::vector<enrichment_counts>& enricher::counts() const noexcept {
  return work_->counts;
}

}  // namespace tocsin
