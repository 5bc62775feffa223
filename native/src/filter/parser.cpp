#include <algorithm>
#include <charconv>
#include <utility>

#include "base/nearest.h"
#include "filter/syntax.h"

namespace sfkit::filter {
namespace {

struct OperatorName {
  std::string_view name;
  Operator op;
};

// Longer names come before their prefixes in both tables.
constexpr OperatorName kSymbols[] = {
    {"==", Operator::kEqual},          {"!=", Operator::kNotEqual}, {"<=", Operator::kLessOrEqual},
    {">=", Operator::kGreaterOrEqual}, {"=", Operator::kEqual},     {"<", Operator::kLess},
    {">", Operator::kGreater}};

constexpr OperatorName kWords[] = {{"contains", Operator::kContains},
                                   {"icontains", Operator::kIcontains},
                                   {"bcontains", Operator::kBcontains},
                                   {"startswith", Operator::kStartswith},
                                   {"bstartswith", Operator::kBstartswith},
                                   {"endswith", Operator::kEndswith},
                                   {"glob", Operator::kGlob},
                                   {"iglob", Operator::kIglob},
                                   {"regex", Operator::kRegex},
                                   {"intersects", Operator::kIntersects},
                                   {"in", Operator::kIn},
                                   {"pmatch", Operator::kPmatch},
                                   {"exists", Operator::kExists}};

struct TransformerName {
  std::string_view name;
  Transformer transformer;
};

constexpr TransformerName kTransformers[] = {
    {"tolower", Transformer::kTolower}, {"toupper", Transformer::kToupper},
    {"b64", Transformer::kB64},         {"basename", Transformer::kBasename},
    {"len", Transformer::kLen},         {"val", Transformer::kVal}};

struct FunctionName {
  std::string_view name;
  Function function;
};

constexpr FunctionName kFunctions[] = {
    {"join", Function::kJoin}, {"concat", Function::kConcat}, {"getopt", Function::kGetopt}};

struct ModifierName {
  std::string_view name;
  Modifier modifier;
};
constexpr ModifierName kModifiers[] = {
    {"oneof", Modifier::kOneof}, {"anyof", Modifier::kAnyof}, {"allof", Modifier::kAllof}};

// Limits of nesting parentheses and 'not'. Generated rules nest deeper than typed ones.
constexpr int kMaxDepth = 100;
constexpr int kMaxRuleDepth = 1000;
constexpr size_t kMaxTransformers = 10;
constexpr int kMaxCalls = 10;  // nested calls
constexpr size_t kMaxFilterSize = size_t{1} << 20;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}
// Characters that end an unquoted field argument.
bool ends_argument(char c) {
  return is_blank(c) || c == '\v' || c == '\f' || c == '[' || c == ']' || c == '"' || c == '\'';
}
// Characters that end an unquoted value.
bool ends_value(char c) {
  return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=' || c == '"' || c == '\'';
}

class Parser {
 public:
  Parser(std::string_view text, Dialect dialect, Problem& problem)
      : text_(text), is_rule_(dialect == Dialect::kRules), problem_(problem) {}

  std::unique_ptr<Node> parse() {
    auto tree = whole();
    return tree.is_ok() ? std::move(tree.value()) : nullptr;
  }

  std::optional<Operand> parse_operand(size_t& used) {
    Operand operand;
    if (!is_letter(peek()) || !this->operand(operand, true, 0).is_ok()) return std::nullopt;
    used = at_;
    return operand;
  }

 private:
  using Tree = Result<std::unique_ptr<Node>>;

  Tree whole() {
    const std::string name = is_rule_ ? "the condition" : "the filter";
    if (text_.size() > kMaxFilterSize) return fail(0, name + " is longer than 1 MiB");
    skip();
    if (at_end()) return fail(at_, name + " is empty");
    auto node = any_of(0);
    if (!node.is_ok()) return node;
    skip();
    if (at_end()) return node;
    if (peek() == ')') return fail(at_, "unmatched )");
    return fail(at_, "'and', 'or' or the end is expected here" + other_spelling());
  }

  // Keeps the first error; later ones are only consequences.
  Status fail(size_t at, std::string message) {
    if (problem_.message.empty()) {
      problem_.at = at;
      problem_.message = std::move(message);
    }
    return {ErrorCode::kInvalidArgument, {}};
  }
  bool at_end() const { return at_ >= text_.size(); }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip() {
    while (!at_end() && is_blank(peek())) ++at_;
  }
  std::string_view word() const {
    size_t size = 0;
    while (is_word(peek(size))) ++size;
    return text_.substr(at_, size);
  }
  bool take_keyword(std::string_view keyword) {
    skip();
    if (word() != keyword || peek(keyword.size()) == '.') return false;
    at_ += keyword.size();
    return true;
  }

  // Suggests the spelling for habits from other languages.
  std::string other_spelling() const {
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view name : {"&&", "AND", "And"}) {
      if (rest.starts_with(name)) return "; write 'and'";
    }
    for (const std::string_view name : {"||", "OR", "Or"}) {
      if (rest.starts_with(name)) return "; write 'or'";
    }
    if (rest.starts_with('#'))
      return is_rule_ ? "; a condition has no comments" : "; a filter has no comments";
    return "; a value with blanks needs quotes";
  }

  // Wraps several children in a node of the kind; a single child stays as it is.
  static std::unique_ptr<Node> join(Node::Kind kind, std::vector<std::unique_ptr<Node>> children) {
    if (children.size() == 1) return std::move(children.front());
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->children = std::move(children);
    return node;
  }

  Tree any_of(int depth) {
    std::vector<std::unique_ptr<Node>> children;
    // In Falco, a parenthesis that touches 'or' ends that alternative at its closing parenthesis.
    bool touches = false;
    do {
      auto child = touches ? group(depth) : all_of(depth);
      if (!child.is_ok()) return child;
      children.push_back(std::move(child.value()));
      if (!take_keyword("or")) return join(Node::Kind::kOr, std::move(children));
      touches = is_rule_ && is_ahead('(');
    } while (true);
  }

  Tree all_of(int depth) {
    std::vector<std::unique_ptr<Node>> children;
    do {
      auto child = term(depth);
      if (!child.is_ok()) return child;
      children.push_back(std::move(child.value()));
    } while (take_keyword("and"));
    return join(Node::Kind::kAnd, std::move(children));
  }

  Tree term(int depth) {
    skip();
    const int limit = is_rule_ ? kMaxRuleDepth : kMaxDepth;
    if (depth > limit) {
      return fail(at_,
                  "parentheses and 'not' are nested more than " + std::to_string(limit) + " deep");
    }
    if (take_keyword("not")) {
      auto child = term(depth + 1);
      if (!child.is_ok()) return child;
      return negated(std::move(child.value()));
    }
    if (is_ahead('(')) return group(depth);
    return check();
  }

  static std::unique_ptr<Node> negated(std::unique_ptr<Node> node) {
    if (node->kind == Node::Kind::kNot) return std::move(node->children.front());
    auto made = std::make_unique<Node>();
    made->kind = Node::Kind::kNot;
    made->children.push_back(std::move(node));
    return made;
  }

  bool is_ahead(char c) const { return !at_end() && peek() == c; }

  // The content of the parentheses that start here.
  Tree group(int depth) {
    const size_t open = at_++;
    auto node = any_of(depth + 1);
    if (!node.is_ok()) return node;
    skip();
    if (is_ahead(')')) {
      ++at_;
      return node;
    }
    if (at_end()) return fail(open, "the parenthesis is not closed");
    return fail(at_, "'and', 'or' or ')' is expected here");
  }

  Tree check() {
    auto node = std::make_unique<Node>();
    Check& check = node->check;
    if (at_end()) return fail(at_, "a condition is expected here, as in proc.name = nginx");
    if (peek() == '!') return fail(at_, "a field is expected here; write 'not'");
    if (!is_letter(peek())) {
      return fail(at_, is_rule_ ? "a field or a macro is expected here"
                                : "a field is expected here, as in proc.name");
    }
    if (is_rule_ && field_name().empty() && !is_function_ahead()) {
      node->kind = Node::Kind::kMacro;
      node->at = at_;
      node->macro = word();
      at_ += node->macro.size();
      return node;
    }
    if (Status status = operand(check.left, true, 0); !status.is_ok()) return status;
    skip();
    check.op_at = at_;
    if (Status status = take_operator(check); !status.is_ok()) return status;
    if (check.op == Operator::kExists) return node;
    skip();
    if (is_rule_ && at_end()) return fail(at_, "a value is missing");
    check.modifier = take_modifier(check.op);
    if (check.modifier != Modifier::kNone) {
      if (Status status = list(check); !status.is_ok()) return status;
      return node;
    }
    Status status = Status::ok();
    if (is_function_ahead()) {
      check.right.emplace();
      status = operand(*check.right, false, 0);
    } else if (takes_list(check.op) && is_ahead('(')) {
      status = list(check);
    } else if (is_rule_ && takes_list(check.op)) {
      status = list_name(check);
    } else if (is_rule_ && is_ordered(check.op)) {
      status = number(check.values.emplace_back());
    } else {
      if (check.op == Operator::kIn || check.op == Operator::kIntersects) {
        if (peek() != '"' && peek() != '\'') {
          return fail(
              at_,
              "'" + std::string(name_of(check.op)) +
                  "' takes values in parentheses, as in (a, b); named lists are for rules only");
        }
      }
      status = value(check.values.emplace_back());
    }
    if (!status.is_ok()) return status;
    return node;
  }

  static bool takes_list(Operator op) {
    return op == Operator::kIn || op == Operator::kIntersects || op == Operator::kPmatch;
  }
  static bool is_ordered(Operator op) {
    return op >= Operator::kLess && op <= Operator::kGreaterOrEqual;
  }

  // A name after a list operator: list names were already replaced by their items, so it is a
  // value.
  Status list_name(Check& check) {
    const std::string_view name = word();
    if (name.empty() || !is_letter(name.front())) {
      return fail(at_, "'" + std::string(name_of(check.op)) +
                           "' takes values in parentheses, as in (a, b)");
    }
    check.values.push_back({std::string(name), at_});
    at_ += name.size();
    return Status::ok();
  }

  // Digits with a sign, a fraction and an exponent, or 0x and hexadecimal digits.
  Status number(Literal& literal) {
    const auto is_digit = [this](size_t at) { return peek(at) >= '0' && peek(at) <= '9'; };
    const auto digits = [&is_digit](size_t at) {
      while (is_digit(at)) ++at;
      return at;
    };
    size_t size = peek() == '+' || peek() == '-' ? 1 : 0;
    if (!is_digit(size)) return fail(at_, "a number is expected here");
    const bool is_hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    if (is_hex && is_word(peek(2)) && peek(2) != '_') {
      size = 2;
      while (is_word(peek(size)) && peek(size) != '_') ++size;
    } else {
      size = digits(size);
      if (peek(size) == '.') size = digits(size + 1);
      const bool has_exponent = (peek(size) == 'e' || peek(size) == 'E') &&
                                (peek(size + 1) == '+' || peek(size + 1) == '-') &&
                                is_digit(size + 2);
      if (has_exponent) size = digits(size + 2);
    }
    literal = {std::string(text_.substr(at_, size)), at_};
    at_ += size;
    return Status::ok();
  }

  // A modifier between operator and list; without a list after it, the word is a value.
  Modifier take_modifier(Operator op) {
    if (takes_list(op) || is_ordered(op)) return Modifier::kNone;
    const auto* known = std::ranges::find(kModifiers, word(), &ModifierName::name);
    if (known == std::end(kModifiers)) return Modifier::kNone;
    size_t ahead = known->name.size();
    while (is_blank(peek(ahead))) ++ahead;
    if (peek(ahead) != '(') return Modifier::kNone;
    at_ += ahead;
    return known->modifier;
  }

  bool is_function_ahead() const {
    const std::string_view name = word();
    return !name.empty() && peek(name.size()) == '(' && is_function_name(name);
  }

  Status unknown_transformer(std::string_view name) {
    std::vector<std::string_view> names;
    for (const TransformerName& entry : kTransformers) names.push_back(entry.name);
    for (const FunctionName& entry : kFunctions) names.push_back(entry.name);
    std::string message = "unknown transformer '" + std::string(name) + "'";
    const std::string_view likely = nearest(name, names);
    message +=
        likely.empty()
            ? "; there are tolower, toupper, b64, basename, len, join, concat, getopt and val"
            : "; did you mean '" + std::string(likely) + "'?";
    return fail(at_, message);
  }

  // A field or a call, possibly inside transformers.
  Status operand(Operand& operand, bool left, int depth) {
    if (depth > kMaxCalls) return fail(at_, "more than 10 calls are nested");
    const size_t start = at_;
    std::vector<Transformer> outside;
    size_t open = 0;
    for (;;) {
      const std::string_view name = word();
      if (name.empty() || peek(name.size()) != '(') break;
      const auto* function = std::ranges::find(kFunctions, name, &FunctionName::name);
      const bool is_inside_val =
          is_rule_ && !outside.empty() && outside.front() == Transformer::kVal;
      if (is_inside_val) return fail(at_, "val() takes a field");
      if (function != std::end(kFunctions)) {
        operand.at = at_;
        at_ += name.size() + 1;
        if (Status status = call(function->function, operand, depth + 1); !status.is_ok())
          return status;
        break;
      }
      const auto* known = std::ranges::find(kTransformers, name, &TransformerName::name);
      if (known == std::end(kTransformers)) return unknown_transformer(name);
      if (known->transformer == Transformer::kVal && (left || !outside.empty())) {
        return fail(at_, "val() stands alone on the right side of an operator");
      }
      if (outside.size() == kMaxTransformers)
        return fail(at_, "more than 10 transformers are nested");
      outside.push_back(known->transformer);
      at_ += name.size() + 1;
      ++open;
      skip();
    }
    operand.transformers.assign(outside.rbegin(), outside.rend());
    if (operand.call == nullptr) {
      if (Status status = field(operand, start, left && outside.empty()); !status.is_ok())
        return status;
    }
    for (; open > 0; --open) {
      skip();
      if (peek() != ')' || at_end()) return fail(at_, "')' is missing after the field");
      ++at_;
    }
    return Status::ok();
  }

  // At least two dotted parts of letters, digits and underscores, each starting with a letter.
  std::string_view field_name() const {
    size_t size = word().size();
    size_t parts = 1;
    while (peek(size) == '.' && is_letter(peek(size + 1))) {
      ++size;
      while (is_word(peek(size))) ++size;
      ++parts;
    }
    return parts > 1 && is_letter(peek()) ? text_.substr(at_, size) : std::string_view();
  }

  // A field of a rule; it is resolved after macro expansion.
  Status rule_field(Operand& operand) {
    const std::string_view name = field_name();
    if (name.empty()) return fail(at_, "a field is expected here, as in proc.name");
    operand.field.name = name;
    at_ += name.size();
    if (!is_ahead('[')) return Status::ok();
    const size_t open = at_++;
    Literal argument;
    if (is_ahead('"') || is_ahead('\'')) {
      if (Status status = value(argument); !status.is_ok()) return status;
    } else {
      size_t size = 0;
      while (at_ + size < text_.size() && !ends_argument(peek(size))) ++size;
      argument.text = text_.substr(at_, size);
      at_ += size;
    }
    if (argument.text.empty()) return fail(open, "an argument is expected between the brackets");
    if (!is_ahead(']')) return fail(open, "the bracket is not closed");
    ++at_;
    operand.field.name += '[' + argument.text + ']';
    operand.field.argument = std::move(argument.text);
    return Status::ok();
  }

  Status field(Operand& operand, size_t start, bool may_be_macro) {
    operand.at = at_;
    if (is_rule_) return rule_field(operand);
    size_t used = 0;
    if (may_be_macro) {
      const std::string_view name = word();
      const char next = peek(name.size());
      if (next != '.' && next != '[') {
        return fail(start, "'" + std::string(name) +
                               "' is not a field; macros are for rules only, and fields have two "
                               "parts, as in proc.name");
      }
    }
    auto parsed = fields::parse_field(text_.substr(at_), used);
    if (!parsed.is_ok()) return fail(at_, parsed.status().message());
    operand.field = std::move(parsed.value());
    at_ += used;
    return Status::ok();
  }

  // Parses arguments, the closing parenthesis and the selected option of getopt; the opening
  // parenthesis was consumed.
  Status call(Function function, Operand& operand, int depth) {
    auto made = std::make_shared<Call>();
    made->function = function;
    if (Status status = arguments(made->arguments, depth); !status.is_ok()) return status;
    if (function == Function::kGetopt && peek() == '[' && !at_end()) {
      const size_t open = at_++;
      Literal option;
      if (peek() == '"' || peek() == '\'') {
        if (Status status = value(option); !status.is_ok()) return status;
      } else if (!at_end()) {
        option.text = text_.substr(at_++, 1);
      }
      if (option.text.size() != 1 || peek() != ']' || at_end()) {
        return fail(open, "getopt() takes one option in brackets, as in [t]");
      }
      ++at_;
      made->option = option.text.front();
    }
    operand.call = std::move(made);
    return Status::ok();
  }

  // Parses arguments up to the closing parenthesis, and consumes it.
  Status arguments(std::vector<Argument>& into, int depth) {
    const size_t open = at_ - 1;
    skip();
    if (peek() == ')' && !at_end()) {
      ++at_;
      return Status::ok();
    }
    for (;;) {
      skip();
      if (at_end()) return fail(open, "the parenthesis is not closed");
      if (Status status = argument(into.emplace_back(), depth); !status.is_ok()) return status;
      skip();
      if (at_end()) return fail(open, "the parenthesis is not closed");
      if (peek() == ')') {
        ++at_;
        return Status::ok();
      }
      if (peek() != ',') return fail(at_, "',' or ')' is expected here");
      ++at_;
    }
  }

  Status argument(Argument& made, int depth) {
    if (depth > kMaxCalls) return fail(at_, "more than 10 calls are nested");
    made.at = at_;
    if (peek() == '(') {
      made.kind = Argument::Kind::kList;
      ++at_;
      return arguments(made.items, depth + 1);
    }
    const bool is_quoted = peek() == '"' || peek() == '\'';
    const std::string_view name = word();
    const char next = peek(name.size());
    if (is_quoted || name.empty() || !is_letter(name.front()) || (next != '.' && next != '(')) {
      if (!is_rule_ || is_quoted) return value(made.text);
      if (peek() == '+' || peek() == '-' || !name.empty()) {
        if (name.empty() || !is_letter(name.front())) return number(made.text);
      }
      return fail(at_, "a field, a call, a number, a list or text in quotes is expected here");
    }
    made.kind = Argument::Kind::kOperand;
    return operand(made.operand, false, depth);
  }

  Status take_operator(Check& check) {
    if (at_end()) return fail(at_, "an operator is missing after the field, as in = or exists");
    for (const OperatorName& symbol : kSymbols) {
      if (!text_.substr(at_).starts_with(symbol.name)) continue;
      check.op = symbol.op;
      at_ += symbol.name.size();
      return Status::ok();
    }
    const std::string_view name = word();
    for (const OperatorName& known : kWords) {
      // The reference accepts an operator as the prefix of a word if it needs no blank after it.
      const bool needs_blank = known.op != Operator::kExists && !takes_list(known.op);
      if (is_rule_
              ? !name.starts_with(known.name) || (needs_blank && !is_blank(peek(known.name.size())))
              : known.name != name) {
        continue;
      }
      check.op = known.op;
      at_ += known.name.size();
      return Status::ok();
    }
    if (name.empty()) return fail(at_, "an operator is expected here, as in = or contains");
    if (name == "and" || name == "or")
      return fail(at_, "an operator is missing before '" + std::string(name) + "'");
    std::vector<std::string_view> names;
    for (const OperatorName& entry : kWords) names.push_back(entry.name);
    std::string message = "unknown operator '" + std::string(name) + "'";
    if (const std::string_view likely = nearest(name, names); !likely.empty()) {
      message += "; did you mean '" + std::string(likely) + "'?";
    }
    return fail(at_, message);
  }

  Status list(Check& check) {
    check.is_list = true;
    std::vector<Literal>& values = check.values;
    const size_t open = at_++;
    skip();
    if (peek() == ')') {
      ++at_;
      return Status::ok();
    }
    for (;;) {
      skip();
      if (at_end()) return fail(open, "the list is not closed");
      if (Status status = value(values.emplace_back()); !status.is_ok()) return status;
      skip();
      if (at_end()) return fail(open, "the list is not closed");
      if (peek() == ')') {
        ++at_;
        return Status::ok();
      }
      if (peek() != ',') return fail(at_, "',' or ')' is expected here");
      ++at_;
    }
  }

  Status value(Literal& literal) {
    literal.at = at_;
    if (at_end()) return fail(at_, "a value is missing");
    const char quote = peek();
    if (quote != '"' && quote != '\'') {
      size_t size = 0;
      while (at_ + size < text_.size() && !ends_value(peek(size))) ++size;
      if (size == 0)
        return fail(at_,
                    "a value is expected here; put it in quotes if it holds blanks or ( ) , =");
      literal.text = text_.substr(at_, size);
      at_ += size;
      return Status::ok();
    }
    const size_t end = is_rule_ ? closing(quote) : 0;
    if (is_rule_ && end == text_.size()) {
      return fail(literal.at,
                  "the quote is not closed; a quote after a backslash does not close it");
    }
    for (++at_; !at_end(); ++at_) {
      if (is_rule_ ? at_ == end : peek() == quote) {
        ++at_;
        return Status::ok();
      }
      if (peek() != '\\' || at_ + 1 >= text_.size()) {
        literal.text += peek();
        continue;
      }
      if (Status status = escape(literal.text, quote); !status.is_ok()) return status;
    }
    return fail(literal.at, "the quote is not closed");
  }

  // The end of the quoted text as Falco finds it: the first quote not preceded by a backslash, even
  // if that backslash is itself escaped.
  size_t closing(char quote) const {
    size_t at = at_ + 1;
    while (at < text_.size() && (text_[at] != quote || text_[at - 1] == '\\')) ++at;
    return at;
  }

  // Decodes an escape; at_ ends on its last character. Accepts Falco's escapes; any other is
  // probably a mistake.
  Status escape(std::string& text, char quote) {
    const size_t start = at_++;
    const char escaped = peek();
    if (escaped == quote) {
      text += quote;
      return Status::ok();
    }
    switch (escaped) {
      case '\\':
      case '/': text += escaped; return Status::ok();
      // Old rules use a backslash and a blank for a backslash.
      case ' ': text += '\\'; return Status::ok();
      case 'b': text += '\b'; return Status::ok();
      case 'f': text += '\f'; return Status::ok();
      case 'n': text += '\n'; return Status::ok();
      case 'r': text += '\r'; return Status::ok();
      case 't': text += '\t'; return Status::ok();
      case 'x': {
        if (is_rule_) break;
        uint8_t byte = 0;
        const char* const digits = text_.data() + at_ + 1;
        const bool fits = at_ + 2 < text_.size() &&
                          std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        if (!fits) return fail(start, "two hexadecimal digits are expected after \\x");
        text += static_cast<char>(byte);
        at_ += 2;
        return Status::ok();
      }
      default: break;
    }
    return fail(start, "in quotes, a backslash must start one of \\\\ \\" + std::string(1, quote) +
                           " \\/ \\b \\f \\n \\r \\t" + (is_rule_ ? "" : " \\xHH") +
                           "; write \\\\ for a backslash");
  }

  std::string_view text_;
  const bool is_rule_;
  Problem& problem_;
  size_t at_ = 0;
};

constexpr size_t kContext = 60;  // characters shown before and after an error's position

}  // namespace

std::string_view name_of(Operator op) {
  for (const OperatorName& word : kWords) {
    if (word.op == op) return word.name;
  }
  for (const OperatorName& symbol : kSymbols) {
    if (symbol.op == op && symbol.name != "==") return symbol.name;
  }
  return {};
}

std::string_view name_of(Modifier modifier) {
  return std::ranges::find(kModifiers, modifier, &ModifierName::modifier)->name;
}

std::string_view name_of(Function function) {
  return std::ranges::find(kFunctions, function, &FunctionName::function)->name;
}

bool is_function_name(std::string_view name) {
  return std::ranges::find(kTransformers, name, &TransformerName::name) !=
             std::end(kTransformers) ||
         std::ranges::find(kFunctions, name, &FunctionName::name) != std::end(kFunctions);
}

std::string_view name_of(Transformer transformer) {
  return std::ranges::find(kTransformers, transformer, &TransformerName::transformer)->name;
}

Status error_at(std::string_view filter, size_t at, const std::string& message) {
  const auto is_begin = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  at = std::min(at, filter.size());
  size_t from = at > kContext ? at - kContext : 0;
  while (from < at && !is_begin(filter[from])) ++from;
  size_t to = std::min(filter.size(), at + kContext);
  while (to < filter.size() && !is_begin(filter[to])) ++to;
  std::string shown = from > 0 ? "..." : "";
  std::string mark(shown.size(), ' ');
  for (size_t i = from; i < to; ++i) {
    shown += static_cast<unsigned char>(filter[i]) < 0x20 ? ' ' : filter[i];
    if (i < at && is_begin(filter[i])) mark += ' ';
  }
  if (to < filter.size()) shown += "...";
  size_t character = 1;
  for (size_t i = 0; i < at; ++i) character += is_begin(filter[i]) ? 1 : 0;
  return {ErrorCode::kInvalidArgument, "filter, character " + std::to_string(character) + ": " +
                                           message + "\n  " + shown + "\n  " + mark + "^"};
}

std::unique_ptr<Node> parse(std::string_view text, Dialect dialect, Problem& problem) {
  return Parser(text, dialect, problem).parse();
}

std::optional<Operand> parse_operand(std::string_view text, size_t& used) {
  Problem ignored;
  return Parser(text, Dialect::kRules, ignored).parse_operand(used);
}

}  // namespace sfkit::filter
