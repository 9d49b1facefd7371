// A spout and a bolt in C++ that a topology in YAML names.
#include <millrace/components.hpp>

using namespace millrace;
using namespace std::chrono_literals;

struct Sale {
  Timestamp at;
  std::string shop;
  double amount = 0;
};
struct Judged {
  std::string shop;
  double amount = 0;
  std::string size;
};

/// Sales of two shops, one each second.
auto sales(const Parameters& with) {
  constexpr std::int64_t kStart = 1'700'000'000'000'000;
  return generate(with.integer("count"), [](std::uint64_t index) {
    const auto second = static_cast<std::int64_t>(index);
    return Sale{{kStart + second * 1'000'000}, index % 2 ? "north" : "south", 10.0 * (second % 7)};
  });
}

/// Says of each sale whether it is large.
Stream<Judged> judge(const Stream<Sale>& sales, const Parameters& with) {
  return sales.map([large = with.number("large"), word = with.text("word")](const Sale& sale) {
    return Judged{sale.shop, sale.amount, sale.amount >= large ? word : "small"};
  });
}

int main(int argc, char** argv) {
  Components own;
  own.spout("sales", "sales of two shops", {{"count", std::int64_t{100}, "how many"}}, sales);
  own.bolt<Sale>("judge", "says whether a sale is large",
                 {{"large", 50.0, "from this amount on"}, {"word", "large", "what it is called"}},
                 judge);
  return run_files(own, argc, argv);
}
