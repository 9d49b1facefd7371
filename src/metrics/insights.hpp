// Insights: what is wrong now and why a view is empty, in words, from reports alone.
#pragma once

#include <string>
#include <vector>

#include "metrics/report.hpp"

namespace millrace::detail {

/// What is wrong now, worst first, at most 20: each says what is so and what to do. Kinds:
///
///   failed           the topology ended with an error
///   stuck            a component has not come back from one call for a second or more
///   busy             a full queue before a component, and who waits for it
///   held_time        the partition that holds event time while others are ahead
///   aligned          a source that waits for others, behind it in event time
///   dead_letters     components that gave records up since `before`
///   replays          components that failed at records since `before`, which are played again
///   old_message      a message that has been on its way for long
///   late             components whose records came too late since `before`
///   hot_key          a key that loads one task
///   skew             a task that takes far more than its share, with no key to name
///   slow_step        a call that took more than 20 ms
///   memory           memory near its budget
///   partial_matches  a pattern of which 100,000 or more partial matches are kept
///   paused           the sources do not read because they were told so
///
/// `before` is the report about a second earlier; an empty one makes only what needs no comparison.
/// Pure. Cost: linear in components, edges and tasks.
std::vector<Insight> find_troubles(const Report& before, const Report& now);

/// Why `view` has had no row: a sentence or two with what to do; empty once it had one.
std::string why_empty(const Report& report, const ViewReport& view);

/// Fills `insights` and the views' `why_empty` of `now`.
void add_insights(const Report& before, Report& now);

}  // namespace millrace::detail
