// The face of `metrics`: exact counters with one writer, latency histograms, and the report that
// page and summary show.
#pragma once

#include "metrics/counter.hpp"
#include "metrics/heavy_hitters.hpp"
#include "metrics/histogram.hpp"
#include "metrics/history.hpp"
#include "metrics/insights.hpp"
#include "metrics/report.hpp"
#include "metrics/user_metrics.hpp"
