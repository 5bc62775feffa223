#include "rules/matcher.h"

#include "base/escape.h"
#include "base/numbers.h"
#include "fields/event_name.h"
#include "rules/event_codes.h"
#include "rules/finding_json.h"

namespace sfkit::rules {
namespace {

// Outputs are truncated, so that long arguments of a process do not make findings of megabytes.
constexpr size_t kMaxOutput = size_t{64} << 10;

void cut(std::string& text, size_t max_size) {
  if (text.size() <= max_size) return;
  while (max_size > 0 && (static_cast<unsigned char>(text[max_size]) & 0xc0) == 0x80) --max_size;
  text.resize(max_size);
  text += "…";
}

void append_quoted_number(std::string& out, uint64_t number) {
  out += '"';
  append_number(out, number);
  out += '"';
}

}  // namespace

RuleMatcher::RuleMatcher(const Compilation& rules, const MatchOptions& options)
    : options_(options), may_match_(scap::kEventCount) {
  for (uint32_t i = 0; i < rules.rules.size(); ++i) {
    const CompiledRule& rule = rules.rules[i];
    if (!rule.is_taken || !rule.can_match) continue;
    filters_.add(*rule.filter);
    rules_.push_back({i, rule.output, 0, 0});
  }
  for (uint16_t code = 0; code < scap::kEventCount; ++code)
    may_match_[code] = is_seen_by_rules(code) && filters_.may_pass(code);
}

void RuleMatcher::match(fields::FieldReader& reader, std::string& out) {
  filters_.each_passing(reader, [&](uint32_t number) {
    Rule& rule = rules_[number];
    ++rule.matches;
    if (!options_.fold || is_new(rule, number, reader)) {
      const size_t before = out.size();
      append_finding(rule, reader, out);
      folded_bytes_ += out.size() - before + key_.size();
    }
    return options_.all_matching;
  });
}

bool RuleMatcher::is_new(Rule& rule, uint32_t number, fields::FieldReader& reader) {
  key_.clear();
  append_number(key_, number);
  rule.output.append_key(key_, evaluator_, reader);
  const uint64_t now = reader.context().event->ts;
  if (const auto found = by_key_.find(key_); found != by_key_.end()) {
    Folded& folded = folded_[found->second];
    ++folded.count;
    folded.last = now;
    return false;
  }
  if (folded_.size() >= options_.max_distinct || folded_bytes_ >= options_.max_bytes) {
    ++rule.left_out;
    return false;
  }
  by_key_.emplace(key_, static_cast<uint32_t>(folded_.size()));
  folded_.push_back({1, now});
  return true;
}

void RuleMatcher::append_finding(const Rule& rule, fields::FieldReader& reader, std::string& out) {
  const state::Context& context = reader.context();
  out += "{\"rule\":";
  append_number(out, rule.index);
  out += ",\"ts\":";
  append_quoted_number(out, context.event->ts);
  if (context.thread != nullptr) {
    out += ",\"pid\":";
    append_number(out, context.thread->pid);
  }
  out += ",\"tid\":";
  append_number(out, context.event->tid);
  out += ",\"eventType\":";
  append_json_string(out, fields::event_name(context.event->code));
  out += ",\"eventNumber\":";
  append_number(out, context.event->number);
  text_.clear();
  rule.output.append_text(text_, evaluator_, reader);
  cut(text_, kMaxOutput);
  out += ",\"output\":";
  append_json_string(out, text_);
  out += ",\"fields\":";
  rule.output.append_fields(out, evaluator_, reader);
  append_subject(out, reader, reader.engine());
  out += "}\n";
}

void RuleMatcher::append_totals(std::string& out) const {
  out += "{\"rules\":[";
  bool first = true;
  for (const Rule& rule : rules_) {
    if (rule.matches == 0) continue;
    out += first ? "[" : ",[";
    first = false;
    append_number(out, rule.index);
    out += ',';
    append_number(out, rule.matches);
    out += ',';
    append_number(out, rule.left_out);
    out += ']';
  }
  out += "],\"folded\":[";
  first = true;
  for (size_t i = 0; i < folded_.size(); ++i) {
    if (folded_[i].count == 1) continue;
    out += first ? "[" : ",[";
    first = false;
    append_number(out, i);
    out += ',';
    append_number(out, folded_[i].count);
    out += ',';
    append_quoted_number(out, folded_[i].last);
    out += ']';
  }
  out += "]}\n";
}

}  // namespace sfkit::rules
