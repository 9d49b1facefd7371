// A topology in YAML inside a program: here its test, without threads or files of the machine.
#include <cctype>
#include <cstdio>
#include <string>

#include <millrace/test_driver.hpp>
#include <millrace/yaml.hpp>

using namespace millrace;

constexpr const char* kText = R"(
name: clicks
spouts:
  - {id: clicks, type: csv, with: {path: clicks.csv, fields: {page: text, at: timestamp},
     event_time: {field: at, out_of_order: 5s}}}
bolts:
  - {id: shouted, type: shout}
  - {id: counts, type: count, with: {window: "${window}"}}
  - {id: written, type: write_csv, with: {path: counts.csv}}
streams:
  - {from: clicks, to: shouted}
  - {from: shouted, to: counts, grouping: {type: fields, args: [page]}}
  - {from: counts, to: written}
)";

struct Click {
  std::string page;
  Timestamp at;
};

int main(int argc, char** argv) {
  YamlOptions options;
  options.path = "clicks.yaml";  // what messages call it
  options.properties["window"] = argc > 1 ? argv[1] : "tumbling(10min)";
  options.components.bolt<Click>("shout", "pages in capitals", {},
                                 [](const Stream<Click>& clicks, const Parameters&) {
                                   return clicks.map([](Click click) {
                                     for (char& letter : click.page)
                                       letter = static_cast<char>(std::toupper(letter));
                                     return click;
                                   });
                                 });
  Result<Topology> topology = topology_from_yaml(kText, options);
  if (!topology) {
    std::fprintf(stderr, "%s\n", topology.error().to_string().c_str());
    return 78;
  }
  TestDriver driver(*topology);
  auto rows = driver.output<RowRef>("counts");
  driver.put_file("clicks.csv",
                  "page,at\n"
                  "home,2026-01-05T12:00:01Z\n"
                  "cart,2026-01-05T12:01:00Z\n"
                  "home,2026-01-05T12:09:59Z\n");
  driver.run();
  std::printf("%zu rows\n%s", rows.size(), driver.file("counts.csv")->c_str());
  return 0;
}
