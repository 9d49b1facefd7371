// Mistake: what is wrong in a text file, where, and how it is shown.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::detail {

/// A text that places point into.
struct SourceText {
  std::string path;
  std::string text;
};

/// A place in a text. Lines and columns (in characters) are counted from 1.
struct Place {
  std::shared_ptr<const SourceText> source;
  std::size_t line = 1;
  std::size_t column = 1;
  std::size_t width = 1;  ///< characters that the caret underlines
};

struct Mistake {
  Place place;
  std::string message;  ///< what, why, what to do
};

/// "path:line:column: error: message", the line and a caret under the place.
std::string render(const Mistake& mistake);

/// The mistakes found in one pass, in the order of their places.
class Mistakes {
 public:
  void add(const Place& place, std::string message) {
    found_.push_back({place, std::move(message)});
  }
  bool empty() const { return found_.empty(); }
  std::size_t size() const { return found_.size(); }
  /// By file in the order in which they were read, then by place; a mistake that was found twice
  /// stands once.
  std::vector<Mistake> sorted() const;

 private:
  std::vector<Mistake> found_;
};

}  // namespace millrace::detail
