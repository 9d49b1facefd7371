// The bolt notify by name: a cool-down, a wait and a cap for the rows of each key.
#include "catalog/notice_entries.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/row_keys.hpp"
#include "millrace/notices.hpp"
#include "operator/row_notices.hpp"

namespace millrace::detail {
namespace {

const std::vector<ColumnInfo>& told_fields() {
  static const std::vector<ColumnInfo> kFields = {{kHeldColumn, ColumnType::integer},
                                                  {kSinceColumn, ColumnType::timestamp}};
  return kFields;
}

/// The rows are notices: their last fields are those that a notice ends with.
bool are_notices(const RowSchema& schema) {
  const auto& fields = schema.fields();
  const auto& told = told_fields();
  if (fields.size() < told.size()) return false;
  for (std::size_t at = 0; at < told.size(); ++at) {
    const ColumnInfo& field = fields[fields.size() - told.size() + at];
    const bool same = field.name == told[at].name && field.type == told[at].type;
    if (!same || field.optional) return false;
  }
  return true;
}

/// Null: a mistake.
RowSchemaPtr notice_schema(const Making& making) {
  std::vector<ColumnInfo> fields = making.input->schema->fields();
  if (!are_notices(*making.input->schema))
    fields.insert(fields.end(), told_fields().begin(), told_fields().end());
  if (const std::string twice = repeated_field(fields); !twice.empty()) {
    making.mistakes.add(making.text.place, twice);
    return nullptr;
  }
  return std::make_shared<const RowSchema>(std::move(fields));
}

std::optional<NotifyOptions> options_of(const Making& making) {
  const Settings& settings = making.settings;
  NotifyOptions options;
  options.cool_down = settings.duration("cool_down");
  options.group_wait = settings.duration("group_wait");
  if (settings.has("cap"))
    options.cap.notices = static_cast<std::uint32_t>(settings.integer("cap"));
  if (settings.has("per")) options.cap.per = settings.duration("per");
  if (const Status valid = validate(options); !valid) {
    making.mistakes.add(making.text.place, valid.message());
    return std::nullopt;
  }
  return options;
}

MadeStreams make_notify(const Making& making) {
  const auto options = options_of(making);
  const RowSchemaPtr schema = notice_schema(making);
  if (!options || !schema) return MadeStreams::none();
  const NoticeForm<RowRef> form{schema, are_notices(*making.input->schema)};
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool) {
    const OrderedStream<RowRef> ordered = keyed.restore_order();
    const Stream<RowRef> notices =
        notified(static_cast<const Stream<RowRef>&>(ordered), keyed, *options, form);
    const RowStream rows = row_stream(notices.declaration(), notices.from(), schema);
    MadeStreams made = MadeStreams::of(row_stream(making.finished(rows.rows), schema));
    made.streams.emplace("late", row_stream(ordered.late(), making.input->schema));
    made.made_by = {ordered.from().front().node};
    return made;
  });
}

}  // namespace

void add_notice_entries(Entries& entries) {
  Entry entry{"notify",
              EntryRole::verb,
              "few of many rows of each key, in the order of event time: the latest of those that "
              "were held back, with how many more there were (held) and since when; rows that come "
              "too late go to the stream late",
              {{.name = "cool_down",
                .type = ParamType::duration,
                .standard = "1us",
                .doc = "so long none follows another; what comes is held back"},
               {.name = "group_wait",
                .type = ParamType::duration,
                .standard = "0s",
                .doc = "so long the first row of a quiet key waits for others"},
               {.name = "cap",
                .type = ParamType::integer,
                .doc = "at most so many rows of a key in any span `per`",
                .least = 1,
                .most = 1e6},
               {.name = "per", .type = ParamType::duration, .doc = "the span of cap"}},
              make_notify};
  entry.keyed = Keyed::needed;
  entries.emplace("notify", std::move(entry));
}

}  // namespace millrace::detail
