// PageServer: routes between the newest report, the page's files and the HTTP server.
#include "service/service.hpp"

#include <algorithm>
#include <mutex>

#include "base/text.hpp"
#include "net/http_server.hpp"
#include "service/embedded.hpp"
#include "service/history_json.hpp"
#include "service/metrics_text.hpp"
#include "service/report_json.hpp"
#include "service/table_answers.hpp"

namespace millrace::detail {

namespace {

constexpr std::uint16_t kPortsMoved = 20;
constexpr const char* kActivatePath = "/api/v1/activate";
constexpr const char* kDeactivatePath = "/api/v1/deactivate";
constexpr const char* kRescalePath = "/api/v1/rescale";
constexpr const char* kCheckpointPath = "/api/v1/checkpoint";
constexpr const char* kLettersPath = "/api/v1/dead-letters";
constexpr const char* kReplayPath = "/api/v1/dead-letters/replay";
constexpr std::string_view kLetterPath = "/api/v1/dead-letters/";
constexpr const char* kTablesPath = "/api/v1/tables";
constexpr std::string_view kTablePath = "/api/v1/tables/";
constexpr std::string_view kViewsPath = "/api/v1/views/";
constexpr std::string_view kHistoryPath = "/api/v1/history/components/";

/// The page needs its own files and its own feed, nothing else; no other page may frame it.
const std::vector<std::pair<std::string, std::string>>& security_headers() {
  static const std::vector<std::pair<std::string, std::string>> kHeaders = {
      {"Content-Security-Policy",
       "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
  };
  return kHeaders;
}

std::string content_type(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  if (name.ends_with(".woff2")) return "font/woff2";
  if (name.ends_with(".txt")) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

HttpResponse none_yet() {
  return http_error(503, "there is no report yet: the topology is starting");
}

HttpResponse json(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  return response;
}

HttpResponse not_rescaled() {
  return http_error(405, "the numbers of tasks of this run cannot be changed");
}

HttpResponse no_checkpoints() { return http_error(405, "this run has nobody to ask for one"); }

HttpResponse no_letters() { return http_error(405, "this run has nobody to ask for dead letters"); }

/// What the run says to a request that changes how it runs.
HttpResponse said(PageAnswer answer) {
  if (answer.status >= 400) return http_error(answer.status, answer.text);
  HttpResponse response = json(std::move(answer.text));
  response.status = answer.status;
  return response;
}

/// Answers from the newest report. `publish` may be called by any thread, the rest by the server's.
class Routes final : public HttpContent {
 public:
  explicit Routes(PageOptions options) : asked_(std::move(options)) {}

  void publish(std::shared_ptr<const Report> report) {
    // Held for a few floats a component, and by the server for a copy of one list of them.
    const std::lock_guard<std::mutex> lock(mutex_);
    history_.add(*report);
    latest_.swap(report);
  }

  HttpResponse get(std::string_view path, const PageQuery& query) override {
    if (path == "/api/v1/report") return report();
    if (path.starts_with(kViewsPath)) return view(path.substr(kViewsPath.size()));
    if (path == "/api/v1/tasks") return tasks();
    if (path == "/api/v1/history") return json(history_text());
    if (path.starts_with(kHistoryPath)) return history_of(path.substr(kHistoryPath.size()));
    if (path == kRescalePath) return asked_.rescales ? json(asked_.rescales()) : not_rescaled();
    if (path == kCheckpointPath)
      return asked_.checkpoints ? json(asked_.checkpoints()) : no_checkpoints();
    if (path == kLettersPath) return asked_.letters ? json(asked_.letters()) : no_letters();
    if (path.starts_with(kLetterPath)) {
      return asked_.letter ? said(asked_.letter(path.substr(kLetterPath.size()))) : no_letters();
    }
    if (path == kTablesPath) return json(tables_json(asked_.tables));
    if (path.starts_with(kTablePath))
      return said(answer_table(asked_.tables, path.substr(kTablePath.size()), query));
    if (path == "/healthz") return health();
    if (path == "/metrics") return metrics();
    return file(path);
  }

  HttpResponse post(std::string_view path, const PageQuery& query) override {
    if (path == kRescalePath) return asked_.rescale ? said(asked_.rescale(query)) : not_rescaled();
    if (path == kCheckpointPath)
      return asked_.checkpoint ? said(asked_.checkpoint()) : no_checkpoints();
    if (path == kReplayPath) {
      return asked_.replay_letters ? said(asked_.replay_letters(query)) : no_letters();
    }
    if (!asked_.set_active) {
      return http_error(405, "this run cannot be paused: its sources read as long as it lasts");
    }
    const bool active = path == kActivatePath;
    asked_.set_active(active);
    return json(active ? "{\"active\":true}\n" : "{\"active\":false}\n");
  }

  std::shared_ptr<const std::string> live_text() override {
    const auto report = latest();
    if (report != text_of_) {
      text_ = report ? std::make_shared<const std::string>(to_json(*report)) : nullptr;
      text_of_ = report;
    }
    return text_;
  }

 private:
  std::shared_ptr<const Report> latest() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return latest_;
  }

  HttpResponse report() {
    const auto text = live_text();
    return text ? json(*text) : none_yet();
  }

  HttpResponse tasks() {
    const auto report = latest();
    return report ? json(tasks_json(*report)) : none_yet();
  }

  std::string history_text() {
    std::unique_lock<std::mutex> lock(mutex_);
    const HistoryReport history = history_.topology();
    lock.unlock();
    return to_json(history);
  }

  HttpResponse history_of(std::string_view component) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto history = history_.component(component);
    lock.unlock();
    if (history) return json(to_json(*history, component));
    return http_error(404, "there is no history of a component \"" + std::string(component) +
                               "\"; /api/v1/report lists the components, and the first " +
                               std::to_string(History::kComponents) + " have one");
  }

  HttpResponse view(std::string_view name) {
    const auto report = latest();
    if (!report) return none_yet();
    const auto& views = report->views;
    const auto found =
        std::find_if(views.begin(), views.end(), [&](const auto& v) { return v.name == name; });
    if (found == views.end()) {
      return http_error(
          404, "there is no view \"" + std::string(name) + "\"; /api/v1/report lists the views");
    }
    return json(to_json(*found));
  }

  HttpResponse health() {
    const auto report = latest();
    HttpResponse response;
    if (report && report->state == "failed") response.status = 503;
    response.body = "{\"state\":";
    append_json_string(response.body, report ? report->state : "starting");
    response.body += "}\n";
    return response;
  }

  HttpResponse metrics() {
    const auto report = latest();
    if (!report) return none_yet();
    HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = to_prometheus(*report);
    return response;
  }

  std::string page(std::string_view html);

  HttpResponse file(std::string_view path) {
    const std::string_view name = path == "/" ? "index.html" : path.substr(1);
    for (const EmbeddedFile& file : page_files()) {
      if (file.name != name) continue;
      HttpResponse response;
      response.content_type = content_type(name);
      response.cache_control = "no-cache";  // another version of the program may serve here next
      if (name == "index.html") {
        response.cache_control = "no-store";
        response.body = page(file.bytes);
      } else {
        response.body = file.bytes;
      }
      return response;
    }
    return http_error(404, "there is nothing at " + std::string(path) + "; the page is at /");
  }

  const PageOptions asked_;  ///< who takes what is asked
  std::mutex mutex_;
  std::shared_ptr<const Report> latest_;
  History history_;
  std::shared_ptr<const Report> text_of_;  ///< the report that `text_` shows
  std::shared_ptr<const std::string> text_;
};

/// The page carries the newest report and the history, so that its first paint shows them and a
/// reload loses nothing. As a data block it is no script for the Content-Security-Policy; `<` is
/// escaped, so that no text of a record can end it.
std::string Routes::page(std::string_view html) {
  const auto report = live_text();
  const std::string data =
      "{\"report\":" + (report ? *report : "null") + ",\"history\":" + history_text() + "}";
  const std::size_t end = std::min(html.rfind("</body>"), html.size());
  std::string body(html.substr(0, end));
  body.reserve(html.size() + data.size() + 128);
  body += "<script type=\"application/json\" id=\"millrace-first\">";
  for (const char c : data) {
    if (c == '<') {
      body += "\\u003c";
    } else {
      body += c;
    }
  }
  body += "</script>\n";
  body += html.substr(end);
  return body;
}

}  // namespace

struct PageServer::Impl {
  explicit Impl(PageOptions& options) : routes(options) {}
  Routes routes;
  std::unique_ptr<HttpServer> http;  // last: it calls the routes
};

Result<std::unique_ptr<PageServer>> PageServer::start(PageOptions options, Log log) {
  auto impl = std::make_unique<Impl>(options);
  HttpOptions http;
  http.host = std::move(options.host);
  http.port = options.port;
  http.ports_tried = options.port_may_move ? kPortsMoved + 1 : 1;
  http.clients_max = static_cast<std::size_t>(std::max(options.clients_max, 1));
  http.live_path = "/api/v1/live";
  http.post_paths = {kActivatePath, kDeactivatePath, kRescalePath, kCheckpointPath, kReplayPath};
  http.headers = security_headers();
  http.header_timeout = options.header_timeout;
  http.stall_timeout = options.stall_timeout;
  auto server = HttpServer::start(std::move(http), impl->routes, log);
  if (!server) return server.error();
  impl->http = std::move(*server);
  log(LogLevel::info, "page.listening", "address=" + impl->http->address());
  return std::unique_ptr<PageServer>(new PageServer(std::move(impl)));
}

PageServer::PageServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PageServer::~PageServer() { stop(); }

void PageServer::publish(std::shared_ptr<const Report> report) {
  impl_->routes.publish(std::move(report));
  impl_->http->notify_live();
}

std::string PageServer::address() const { return impl_->http->address(); }

std::uint16_t PageServer::port() const { return impl_->http->port(); }

void PageServer::stop() { impl_->http->stop(); }

}  // namespace millrace::detail
