// PageServer: routes between the newest report, the page's files and the HTTP server.
#include "service/service.hpp"

#include <algorithm>
#include <mutex>

#include "base/text.hpp"
#include "net/http_server.hpp"
#include "service/embedded.hpp"
#include "service/metrics_text.hpp"
#include "service/report_json.hpp"

namespace millrace::detail {

namespace {

constexpr std::uint16_t kPortsMoved = 20;
constexpr std::string_view kViewsPath = "/api/v1/views/";

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
  if (name.ends_with(".txt")) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

/// Answers from the newest report. `publish` may be called by any thread, the rest by the server's.
class Routes final : public HttpContent {
 public:
  void publish(std::shared_ptr<const Report> report) {
    const std::lock_guard<std::mutex> lock(mutex_);  // held for a swap of pointers
    latest_.swap(report);
  }

  HttpResponse get(std::string_view path) override {
    if (path == "/api/v1/report") return report();
    if (path.starts_with(kViewsPath)) return view(path.substr(kViewsPath.size()));
    if (path == "/healthz") return health();
    if (path == "/metrics") return metrics();
    return file(path);
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

  static HttpResponse none_yet() {
    return http_error(503, "there is no report yet: the topology is starting");
  }

  HttpResponse report() {
    const auto text = live_text();
    if (!text) return none_yet();
    HttpResponse response;
    response.body = *text;
    return response;
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
    HttpResponse response;
    response.body = to_json(*found);
    return response;
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

  static HttpResponse file(std::string_view path) {
    const std::string_view name = path == "/" ? "index.html" : path.substr(1);
    for (const EmbeddedFile& file : page_files()) {
      if (file.name != name) continue;
      HttpResponse response;
      response.content_type = content_type(name);
      response.cache_control = "no-cache";  // another version of the program may serve here next
      response.body = file.bytes;
      return response;
    }
    return http_error(404, "there is nothing at " + std::string(path) + "; the page is at /");
  }

  std::mutex mutex_;
  std::shared_ptr<const Report> latest_;
  std::shared_ptr<const Report> text_of_;  ///< the report that `text_` shows
  std::shared_ptr<const std::string> text_;
};

}  // namespace

struct PageServer::Impl {
  Routes routes;
  std::unique_ptr<HttpServer> http;  // last: it calls the routes
};

Result<std::unique_ptr<PageServer>> PageServer::start(PageOptions options, Log log) {
  auto impl = std::make_unique<Impl>();
  HttpOptions http;
  http.host = std::move(options.host);
  http.port = options.port;
  http.ports_tried = options.port_may_move ? kPortsMoved + 1 : 1;
  http.clients_max = static_cast<std::size_t>(std::max(options.clients_max, 1));
  http.live_path = "/api/v1/live";
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
