#include "base/json.h"

#include <charconv>
#include <optional>

namespace sfkit::json {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Value> document() {
    Value value;
    skip_space();
    if (!read_value(&value, 0) || !read_end()) return error();
    return value;
  }

  template <typename Visit>
  Status members(Visit&& visit) {
    skip_space();
    std::string name;
    const auto member = [&] {
      name.clear();
      if (!read_name(&name)) return false;
      const size_t from = at_;
      if (!read_value(nullptr, 1)) return false;
      visit(std::string_view(name), text_.substr(from, at_ - from));
      return true;
    };
    if (peek() != '{') {
      expected_ = "an object";
      return error();
    }
    return read_members(member) && read_end() ? Status() : error();
  }

  template <typename Visit>
  Status items(Visit&& visit) {
    skip_space();
    const auto item = [&] {
      const size_t from = at_;
      if (!read_value(nullptr, 1)) return false;
      visit(text_.substr(from, at_ - from));
      return true;
    };
    if (peek() != '[') {
      expected_ = "an array";
      return error();
    }
    return read_items(item) && read_end() ? Status() : error();
  }

 private:
  Status error() const {
    std::string message =
        "bad JSON at byte " + std::to_string(at_) + ": expected " + expected_ + ", found ";
    if (at_ >= text_.size()) {
      message += "the end";
    } else {
      static constexpr char kHex[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(text_[at_]);
      message += "byte 0x";
      message += kHex[byte >> 4];
      message += kHex[byte & 15];
    }
    return {ErrorCode::kBadFormat, std::move(message)};
  }

  bool fail(const char* expected) {
    expected_ = expected;
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool accept(char wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool read_end() {
    skip_space();
    return at_ == text_.size() || fail("the end of the text");
  }

  // Here and below: a null output pointer means that the value is checked but not stored.
  bool read_value(Value* value, int depth) {
    if (depth > kMaxDepth) return fail("less nesting");
    if (value != nullptr && ++values_ > kMaxValues) return fail("fewer values");
    switch (peek()) {
      case '{': return read_object(value, depth);
      case '[': return read_array(value, depth);
      case '"':
        if (value == nullptr) return read_string(nullptr);
        value->kind_ = Value::Kind::kString;
        return read_string(&value->text_);
      case 't': return read_word("true", value, Value::Kind::kBool, true);
      case 'f': return read_word("false", value, Value::Kind::kBool, false);
      case 'n': return read_word("null", value, Value::Kind::kNull, false);
      default: return read_number(value);
    }
  }

  bool read_word(std::string_view word, Value* value, Value::Kind kind, bool boolean) {
    if (text_.substr(at_, word.size()) != word) return fail("a value");
    at_ += word.size();
    if (value == nullptr) return true;
    value->kind_ = kind;
    value->boolean_ = boolean;
    return true;
  }

  bool read_object(Value* value, int depth) {
    if (value == nullptr) {
      return read_members([&] { return read_name(nullptr) && read_value(nullptr, depth + 1); });
    }
    value->kind_ = Value::Kind::kObject;
    return read_members([&] {
      Value::Member& member = value->members_.emplace_back();
      return read_name(&member.first) && read_value(&member.second, depth + 1);
    });
  }

  // Reads the member name and the colon.
  bool read_name(std::string* name) {
    if (peek() != '"') return fail("a member name");
    if (!read_string(name)) return false;
    skip_space();
    if (!accept(':')) return fail("':'");
    skip_space();
    return true;
  }

  template <typename ReadMember>
  bool read_members(ReadMember&& read_member) {
    ++at_;
    skip_space();
    if (accept('}')) return true;
    while (true) {
      skip_space();
      if (!read_member()) return false;
      skip_space();
      if (accept('}')) return true;
      if (!accept(',')) return fail("',' or '}'");
    }
  }

  bool read_array(Value* value, int depth) {
    if (value != nullptr) value->kind_ = Value::Kind::kArray;
    return read_items([&] {
      return read_value(value == nullptr ? nullptr : &value->items_.emplace_back(), depth + 1);
    });
  }

  template <typename ReadItem>
  bool read_items(ReadItem&& read_item) {
    ++at_;
    skip_space();
    if (accept(']')) return true;
    while (true) {
      skip_space();
      if (!read_item()) return false;
      skip_space();
      if (accept(']')) return true;
      if (!accept(',')) return fail("',' or ']'");
    }
  }

  bool read_string(std::string* out) {
    ++at_;
    while (true) {
      const size_t from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      if (out != nullptr) out->append(text_.substr(from, at_ - from));
      if (at_ >= text_.size()) return fail("the end of a string");
      if (accept('"')) return true;
      if (text_[at_] != '\\') return fail("no control character in a string");
      ++at_;
      if (!read_escape(out)) return false;
    }
  }

  bool read_escape(std::string* out) {
    const char letter = peek();
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (letter == 'u') {
      ++at_;
      return read_unicode_escape(out);
    }
    const size_t place = at_ < text_.size() ? kLetters.find(letter) : std::string_view::npos;
    if (place == std::string_view::npos) return fail("an escape sequence");
    ++at_;
    if (out != nullptr) *out += kMeanings[place];
    return true;
  }

  std::optional<uint32_t> read_hex4() {
    const std::string_view digits = text_.substr(at_, 4);
    uint32_t code = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || problem != std::errc() || end != digits.data() + 4)
      return std::nullopt;
    at_ += 4;
    return code;
  }

  bool read_unicode_escape(std::string* out) {
    const auto first = read_hex4();
    if (!first) return fail("four hex digits");
    uint32_t code = *first;
    if (code >= 0xD800 && code <= 0xDBFF && text_.substr(at_, 2) == "\\u") {
      const size_t before = at_;
      at_ += 2;
      const auto second = read_hex4();
      if (!second) return fail("four hex digits");
      if (*second >= 0xDC00 && *second <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
      } else {
        at_ = before;
      }
    }
    if (code >= 0xD800 && code <= 0xDFFF) code = 0xFFFD;
    if (out != nullptr) append_utf8(*out, code);
    return true;
  }

  static void append_utf8(std::string& out, uint32_t code) {
    const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    }
  }

  static bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

  bool read_digits() {
    if (!is_digit(peek())) return fail("a digit");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool read_number(Value* value) {
    const size_t from = at_;
    bool integral = true;
    accept('-');
    if (!is_digit(peek())) return fail("a value");
    if (!accept('0') && !read_digits()) return false;
    if (accept('.')) {
      integral = false;
      if (!read_digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      integral = false;
      ++at_;
      if (!accept('+')) accept('-');
      if (!read_digits()) return false;
    }
    if (value == nullptr) return true;
    const char* const begin = text_.data() + from;
    const char* const end = text_.data() + at_;
    value->kind_ = Value::Kind::kNumber;
    // Out of range leaves the value at 0. No caller needs such numbers.
    std::from_chars(begin, end, value->number_);
    if (integral) value->integral_ = std::from_chars(begin, end, value->integer_).ec == std::errc();
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t values_ = 0;
  const char* expected_ = "a value";
};

const Value* Value::find(std::string_view key) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->first == key) return &member->second;
  }
  return nullptr;
}

Result<Value> parse(std::string_view text) {
  return Parser(text).document();
}

Status each_member(
    std::string_view text,
    const std::function<void(std::string_view name, std::string_view value)>& visit) {
  return Parser(text).members(visit);
}

Status each_item(std::string_view text, const std::function<void(std::string_view value)>& visit) {
  return Parser(text).items(visit);
}

}  // namespace sfkit::json
