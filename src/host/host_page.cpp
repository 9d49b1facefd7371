// Where the page listens, and how people find it.
#include "host/host_page.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "host/restore_progress.hpp"

namespace millrace::detail {
namespace {

constexpr std::int64_t kRestoreTextMs = 2000;

Result<PageOptions> page_options(const HostOptions& options) {
  PageOptions page;
  if (!options.ui) {
    page.port_may_move = true;
    return page;
  }
  const std::string& text = *options.ui;
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  int number = -1;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number < 0 || number > 65535) {
    return Status(
        Code::option_invalid,
        fmt::format(
            "--ui {}: give HOST:PORT with a port of 0 to 65535, such as 127.0.0.1:8080, or off",
            text));
  }
  page.host = text.substr(0, colon);
  if (page.host.size() > 2 && page.host.front() == '[')
    page.host = page.host.substr(1, page.host.size() - 2);
  page.port = static_cast<std::uint16_t>(number);
  return page;
}

}  // namespace

ServedTables served_tables(const Graph& graph) {
  ServedTables tables;
  for (const Node& node : graph.nodes()) {
    if (!node.make_sink) continue;
    const std::unique_ptr<Sink> sink = node.make_sink();
    if (const auto* const served = dynamic_cast<const ServedSink*>(sink.get()))
      tables.push_back(served->table());
  }
  return tables;
}

Result<PageOptions> HostPage::options_of(const HostOptions& options, const Asked& asked) {
  Result<PageOptions> page = page_options(options);
  if (!page) return page.error();
  page->set_active = [this](bool active) { active_wanted_.store(active); };
  page->tables = asked.tables;
  if (Rescaling* const rescaling = asked.rescaling) {
    page->rescale = [rescaling](const PageQuery& query) { return rescaling->ask(query); };
    page->rescales = [rescaling] { return rescaling->to_json(); };
  }
  if (EpochRequests* const epochs = asked.epochs) {
    page->checkpoint = [epochs] { return epochs->ask(); };
    page->checkpoints = [epochs] { return epochs->to_json(); };
  }
  if (LetterRequests* const letters = asked.letters) {
    page->replay_letters = [letters](const PageQuery& query) { return letters->ask(query); };
    page->letters = [letters] { return letters->to_json(); };
    page->letter = [letters](std::string_view offset) { return letters->one(offset); };
  }
  return page;
}

Status HostPage::start(const HostOptions& options, const Asked& asked, const Log& log) {
  if (started_) return *started_;
  started_ = Status();
  if (options.ui == "off") return {};
  auto page = options_of(options, asked);
  auto server = page ? PageServer::start(std::move(*page), log) : page.error();
  if (server) {
    page_ = std::move(*server);
  } else {
    started_ = server.error();
  }
  return *started_;
}

void HostPage::tell_restoring(std::shared_ptr<const Report> report) {
  if (told_ms_ == 0 || report->uptime_ms - told_ms_ >= kRestoreTextMs) {
    told_ms_ = report->uptime_ms;
    std::fprintf(stderr, "%s: %s%s\n", report->topology.c_str(), to_text(*report->restore).c_str(),
                 page_ ? ("; the page is at " + page_->address()).c_str() : "");
  }
  if (page_) page_->publish(std::move(report));
}

Result<std::string> find_page_address(const HostOptions& options) {
  HostPage page;
  if (Status status = page.start(options, {}, Log()); !status) return status;
  return page.address();
}

std::string HostPage::address() const {
  if (!page_) return "off";
  return page_->address().substr(std::string_view("http://").size());
}

void HostPage::say_where(const std::string& topology) const {
  if (!page_) return;
  std::fprintf(stderr, "%s: the page is at %s\n", topology.c_str(), page_->address().c_str());
  const char* display = std::getenv("DISPLAY");
  const char* wayland = std::getenv("WAYLAND_DISPLAY");
  if ((display && *display) || (wayland && *wayland)) return;
  std::fprintf(stderr,
               "  from another machine: ssh -L %u:localhost:%u THIS-MACHINE, then open "
               "http://localhost:%u\n",
               page_->port(), page_->port(), page_->port());
}

}  // namespace millrace::detail
