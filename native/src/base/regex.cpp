#include "base/regex.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

namespace sfkit {
namespace {

constexpr size_t kMaxSteps = 20000;
constexpr int kMaxDepth = 200;
constexpr uint32_t kMaxRepeats = 1000;

}  // namespace

// Compiles to steps while parsing. A part is a range of steps entered at its start and left at its
// end, so repetition copies parts.
class RegexParser {
 public:
  RegexParser(std::string_view text, Regex::Syntax syntax)
      : text_(text), is_posix_(syntax == Regex::Syntax::kPosix) {}

  Result<Regex> parse() {
    while (!is_posix_ && text_.substr(at_).starts_with("(?i)")) {
      ignore_case_ = true;
      at_ += 4;
    }
    auto parsed = alternatives(0);
    if (!parsed.is_ok()) return parsed.status();
    if (at_ < text_.size()) return fail("unmatched )");
    Regex& regex = regex_;
    regex.steps_ = std::move(parsed.value());
    regex.steps_.push_back({});
    const size_t size = regex.steps_.size();
    regex.now_.reserve(size);
    regex.then_.reserve(size);
    // A step can be queued twice before it is visited.
    regex.open_.reserve(2 * size + 1);
    regex.seen_.assign(size, 0);
    return std::move(regex_);
  }

 private:
  using Step = Regex::Step;
  using Kind = Regex::Kind;
  using Set = Regex::Set;
  // Jump targets are relative to the part's start.
  using Part = std::vector<Step>;

  Status fail(std::string message) const {
    return {ErrorCode::kInvalidArgument,
            "regular expression, character " + std::to_string(at_ + 1) + ": " + std::move(message)};
  }

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  static void append(Part& to, const Part& part) {
    const auto offset = static_cast<uint32_t>(to.size());
    for (Step step : part) {
      step.next += offset;
      step.other += offset;
      to.push_back(step);
    }
  }
  static Step split(size_t next, size_t other) {
    return {Kind::kSplit, 0, static_cast<uint32_t>(next), static_cast<uint32_t>(other)};
  }
  static Step jump(size_t next) { return {Kind::kJump, 0, static_cast<uint32_t>(next), 0}; }

  Status too_long() const { return fail("too long after repetitions are expanded"); }

  Result<Part> alternatives(int depth) {
    if (depth > kMaxDepth) return fail("groups are nested too deeply");
    auto first = sequence(depth);
    if (!first.is_ok()) return first;
    Part part = std::move(first.value());
    while (peek() == '|' && !at_end()) {
      ++at_;
      auto second = sequence(depth);
      if (!second.is_ok()) return second;
      Part both;
      both.push_back(split(1, part.size() + 2));
      append(both, part);
      both.push_back(jump(both.size() + 1 + second.value().size()));
      append(both, second.value());
      part = std::move(both);
      if (part.size() > kMaxSteps) return too_long();
    }
    return part;
  }

  Result<Part> sequence(int depth) {
    Part part;
    while (!at_end() && peek() != '|' && peek() != ')') {
      auto piece = repeated(depth);
      if (!piece.is_ok()) return piece;
      append(part, piece.value());
      if (part.size() > kMaxSteps) return too_long();
    }
    return part;
  }

  Result<Part> repeated(int depth) {
    auto parsed = atom(depth);
    if (!parsed.is_ok()) return parsed;
    Part part = std::move(parsed.value());
    while (!at_end()) {
      uint32_t minimum = 0;
      uint32_t maximum = UINT32_MAX;
      const char mark = peek();
      if (mark == '*') {
        ++at_;
      } else if (mark == '+') {
        ++at_;
        minimum = 1;
      } else if (mark == '?') {
        ++at_;
        maximum = 1;
      } else if (mark == '{' && has_bounds()) {
        if (Status status = bounds(minimum, maximum); !status.is_ok()) return status;
      } else {
        break;
      }
      // Greediness does not affect whether the whole text matches.
      if (peek() == '?') ++at_;
      auto result = repeat(part, minimum, maximum);
      if (!result.is_ok()) return result;
      part = std::move(result.value());
    }
    return part;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  // Whether the brace starts bounds; else it is literal.
  bool has_bounds() const {
    size_t at = at_ + 1;
    if (at >= text_.size() || !is_digit(text_[at])) return false;
    while (at < text_.size() && is_digit(text_[at])) ++at;
    if (at < text_.size() && text_[at] == ',') ++at;
    while (at < text_.size() && is_digit(text_[at])) ++at;
    return at < text_.size() && text_[at] == '}';
  }

  Status bounds(uint32_t& minimum, uint32_t& maximum) {
    ++at_;
    const auto number = [this] {
      uint32_t value = 0;
      for (; is_digit(peek()); ++at_)
        value = std::min(kMaxRepeats + 1, value * 10 + static_cast<uint32_t>(peek() - '0'));
      return value;
    };
    minimum = number();
    maximum = minimum;
    if (peek() == ',') {
      ++at_;
      maximum = is_digit(peek()) ? number() : UINT32_MAX;
    }
    ++at_;  // has_bounds() checked the closing brace
    const bool too_many = minimum > kMaxRepeats || (maximum != UINT32_MAX && maximum > kMaxRepeats);
    if (too_many) return fail("more than " + std::to_string(kMaxRepeats) + " repetitions");
    if (maximum < minimum) return fail("a repetition with its upper bound below the lower one");
    return Status::ok();
  }

  Result<Part> repeat(const Part& part, uint32_t minimum, uint32_t maximum) const {
    const uint64_t copies = uint64_t{minimum} + (maximum == UINT32_MAX ? 1 : maximum - minimum);
    if (copies * (part.size() + 2) > kMaxSteps) return too_long();
    Part result;
    for (uint32_t i = 0; i < minimum; ++i) append(result, part);
    if (maximum == UINT32_MAX) {
      Part loop;
      loop.push_back(split(1, part.size() + 2));
      append(loop, part);
      loop.push_back(jump(0));
      append(result, loop);
      return result;
    }
    Part optional;
    for (uint32_t i = minimum; i < maximum; ++i) {
      Part more;
      more.push_back(split(1, 1 + part.size() + optional.size()));
      append(more, part);
      append(more, optional);
      optional = std::move(more);
    }
    append(result, optional);
    return result;
  }

  Part one(const Set& set) {
    const auto found = std::find(regex_.sets_.begin(), regex_.sets_.end(), set);
    const auto index = static_cast<uint32_t>(found - regex_.sets_.begin());
    if (found == regex_.sets_.end()) regex_.sets_.push_back(set);
    return {{Kind::kSet, index, 1, 0}};
  }

  void add(Set& set, unsigned char character) const {
    set.set(character);
    if (ignore_case_) {
      set.set(static_cast<unsigned char>(std::tolower(character)));
      set.set(static_cast<unsigned char>(std::toupper(character)));
    }
  }

  Result<Part> atom(int depth) {
    const char character = peek();
    switch (character) {
      case '(': {
        ++at_;
        if (!is_posix_ && text_.substr(at_).starts_with("?:")) at_ += 2;
        if (peek() == '?') {
          return fail(
              is_posix_
                  ? "groups that start with ? are not supported"
                  : "of groups that start with ?, only (?:...) and an initial (?i) are supported");
        }
        auto part = alternatives(depth + 1);
        if (!part.is_ok()) return part;
        if (peek() != ')' || at_end()) return fail("a group is not closed: expected )");
        ++at_;
        return part;
      }
      case '[': return set();
      case '.': {
        ++at_;
        Set any;
        any.set();
        any.reset('\n');
        return one(any);
      }
      case '^': ++at_; return Part{{Kind::kBegin, 0, 1, 0}};
      case '$': ++at_; return Part{{Kind::kEnd, 0, 1, 0}};
      case '*':
      case '+':
      case '?': return fail(std::string(1, character) + " has nothing to repeat");
      case '\\': {
        Set set;
        if (Status status = escape(set); !status.is_ok()) return status;
        return one(set);
      }
      case '{':
        if (has_bounds()) return fail("a repetition has nothing to repeat");
        [[fallthrough]];
      default: {
        ++at_;
        Set set;
        add(set, static_cast<unsigned char>(character));
        return one(set);
      }
    }
  }

  static void add_class(Set& set, int (*is_in)(int), bool negated) {
    for (int c = 0; c < 256; ++c) {
      // ASCII only: other letters depend on the locale.
      const bool in = c < 128 && is_in(c) != 0;
      if (in != negated) set.set(static_cast<size_t>(c));
    }
  }

  // Reads one character or class after the backslash at at_.
  Status escape(Set& set) {
    ++at_;
    if (at_end()) return fail("a backslash at the end");
    const char character = text_[at_++];
    const auto word = [](int c) { return std::isalnum(c) != 0 || c == '_' ? 1 : 0; };
    if (is_posix_ && std::string_view("dDsSwW").find(character) != std::string_view::npos) {
      --at_;
      return fail(std::string("\\") + character +
                  " is not supported; write a class such as [[:digit:]]");
    }
    switch (character) {
      case 'd': add_class(set, std::isdigit, false); return Status::ok();
      case 'D': add_class(set, std::isdigit, true); return Status::ok();
      case 's': add_class(set, std::isspace, false); return Status::ok();
      case 'S': add_class(set, std::isspace, true); return Status::ok();
      case 'w': add_class(set, word, false); return Status::ok();
      case 'W': add_class(set, word, true); return Status::ok();
      case 'n': set.set('\n'); return Status::ok();
      case 't': set.set('\t'); return Status::ok();
      case 'r': set.set('\r'); return Status::ok();
      case 'x': {
        const auto digit = [this](size_t place) {
          const char c = place < text_.size() ? text_[place] : '\0';
          if (is_digit(c)) return c - '0';
          if (c >= 'a' && c <= 'f') return c - 'a' + 10;
          if (c >= 'A' && c <= 'F') return c - 'A' + 10;
          return -1;
        };
        if (digit(at_) < 0 || digit(at_ + 1) < 0) return fail("\\x needs two hexadecimal digits");
        add(set, static_cast<unsigned char>(digit(at_) * 16 + digit(at_ + 1)));
        at_ += 2;
        return Status::ok();
      }
      default:
        if (std::isalnum(static_cast<unsigned char>(character)) != 0) {
          --at_;
          return fail(std::string("\\") + character + " is not supported");
        }
        add(set, static_cast<unsigned char>(character));
        return Status::ok();
    }
  }

  Status named_class(Set& set) {
    struct Class {
      std::string_view name;
      int (*is_in)(int);
    };
    static constexpr Class kClasses[] = {
        {"alpha", std::isalpha}, {"digit", std::isdigit}, {"alnum", std::isalnum},
        {"upper", std::isupper}, {"lower", std::islower}, {"space", std::isspace},
        {"blank", std::isblank}, {"punct", std::ispunct}, {"print", std::isprint},
        {"graph", std::isgraph}, {"cntrl", std::iscntrl}, {"xdigit", std::isxdigit}};
    const size_t end = text_.find(":]", at_ + 2);
    const std::string_view name =
        end == std::string_view::npos ? "" : text_.substr(at_ + 2, end - at_ - 2);
    for (const Class& known : kClasses) {
      if (known.name != name) continue;
      add_class(set, known.is_in, false);
      at_ = end + 2;
      return Status::ok();
    }
    return fail("unknown character class");
  }

  Result<Part> set() {
    const size_t start = at_++;
    const bool negated = peek() == '^';
    if (negated) ++at_;
    Set set;
    for (bool first = true;; first = false) {
      if (at_end()) {
        at_ = start;
        return fail("a set is not closed: expected ]");
      }
      if (peek() == ']' && !first) break;
      if (text_.substr(at_).starts_with("[:")) {
        if (Status status = named_class(set); !status.is_ok()) return status;
        continue;
      }
      Set from;
      if (Status status = member(from); !status.is_ok()) return status;
      const bool range = peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (!range) {
        set |= from;
        continue;
      }
      ++at_;
      Set to;
      if (Status status = member(to); !status.is_ok()) return status;
      size_t low = 0;
      while (low < from.size() && !from.test(low)) ++low;
      size_t high = 0;
      while (high < to.size() && !to.test(high)) ++high;
      const bool single = from.count() <= 2 && to.count() <= 2;
      if (!single || low > high) return fail("a range with its end before its start");
      for (size_t c = low; c <= high; ++c) add(set, static_cast<unsigned char>(c));
      // If case is ignored, a bound can be two letters.
      if (ignore_case_) set |= from | to;
    }
    ++at_;
    return one(negated ? ~set : set);
  }

  Status member(Set& set) {
    if (peek() == '\\') return escape(set);
    add(set, static_cast<unsigned char>(text_[at_++]));
    return Status::ok();
  }

  std::string_view text_;
  const bool is_posix_;
  size_t at_ = 0;
  bool ignore_case_ = false;
  Regex regex_;
};

Result<Regex> Regex::compile(std::string_view expression, Syntax syntax) {
  return RegexParser(expression, syntax).parse();
}

void Regex::follow(uint32_t start, bool at_begin, bool at_end, std::vector<uint32_t>& to) {
  open_.push_back(start);
  while (!open_.empty()) {
    const uint32_t at = open_.back();
    open_.pop_back();
    if (seen_[at] == round_) continue;
    seen_[at] = round_;
    const Step& step = steps_[at];
    switch (step.kind) {
      case Kind::kSet:
      case Kind::kAccept: to.push_back(at); break;
      case Kind::kJump: open_.push_back(step.next); break;
      case Kind::kSplit:
        open_.push_back(step.other);
        open_.push_back(step.next);
        break;
      case Kind::kBegin:
        if (at_begin) open_.push_back(step.next);
        break;
      case Kind::kEnd:
        if (at_end) open_.push_back(step.next);
        break;
    }
  }
}

bool Regex::matches(std::string_view text) {
  now_.clear();
  ++round_;
  follow(0, true, text.empty(), now_);
  for (size_t i = 0; i < text.size() && !now_.empty(); ++i) {
    const auto character = static_cast<unsigned char>(text[i]);
    then_.clear();
    ++round_;
    for (const uint32_t at : now_) {
      const Step& step = steps_[at];
      if (step.kind == Kind::kSet && sets_[step.set].test(character)) {
        follow(step.next, false, i + 1 == text.size(), then_);
      }
    }
    std::swap(now_, then_);
  }
  const auto accept = static_cast<uint32_t>(steps_.size() - 1);
  return std::find(now_.begin(), now_.end(), accept) != now_.end();
}

}  // namespace sfkit
