// Pieces of an image behind each other in mapped files.
#include "runtime/image_spool.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace millrace::detail {

void SpooledBytes::add(std::shared_ptr<const ScratchPages> pages, std::size_t at,
                       std::size_t bytes) {
  pieces_.push_back({std::move(pages), at, bytes});
  size_ += bytes;
}

void SpooledBytes::add(std::string bytes) {
  size_ += bytes.size();
  pieces_.push_back({nullptr, 0, bytes.size(), std::move(bytes)});
}

Result<std::string> SpooledBytes::read() const {
  std::string all;
  all.reserve(size_);
  for (const Piece& piece : pieces_)
    all.append(piece.pages ? piece.pages->data() + piece.at : piece.here.data(), piece.bytes);
  return all;
}

void ImageSpool::take(std::vector<StatePart>& parts) {
  std::size_t to = known_;
  for (std::size_t from = known_; from < parts.size(); ++from) {
    StatePart& piece = parts[from];
    if (piece.owner == PartOwner::key_group && !piece.stored) {
      std::string bytes = std::exchange(piece.bytes, {});
      const auto [at, is_new] = taken_.try_emplace({piece.name, piece.number}, Taken{to, nullptr});
      append(is_new ? piece : parts[at->second.at], at->second, std::move(bytes));
      if (!is_new) continue;
    }
    if (to != from) parts[to] = std::move(piece);
    ++to;
  }
  parts.resize(to);
  known_ = to;
}

void ImageSpool::append(StatePart& whole, Taken& taken, std::string bytes) {
  if (taken.bytes == nullptr && (is_full_ || whole.bytes.size() + bytes.size() < kLargeBytes)) {
    whole.bytes += bytes;
    return;
  }
  if (taken.bytes == nullptr) {
    taken.bytes = std::make_shared<SpooledBytes>();
    whole.stored = taken.bytes;
    bytes.insert(0, std::exchange(whole.bytes, {}));
  }
  if (!put(*taken.bytes, bytes)) taken.bytes->add(std::move(bytes));
}

bool ImageSpool::put(SpooledBytes& to, std::string_view bytes) {
  if (is_full_) return false;
  if (!pages_ || pages_->bytes() - used_ < bytes.size()) {
    auto pages = ScratchPages::make(folder_, std::max(kPagesBytes, bytes.size()));
    is_full_ = !pages;
    if (is_full_) return false;
    std::error_code ignored;  // the file has no name
    std::filesystem::remove(folder_, ignored);
    pages_ = std::make_shared<ScratchPages>(std::move(*pages));
    used_ = 0;
  }
  std::memcpy(pages_->data() + used_, bytes.data(), bytes.size());
  to.add(pages_, used_, bytes.size());
  used_ += bytes.size();
  return true;
}

}  // namespace millrace::detail
