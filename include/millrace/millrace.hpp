// All of Millrace for a user's program: sources, verbs, spouts, bolts, windows, views and run().
#pragma once

#include "millrace/history_then.hpp"
#include "millrace/journal_ends.hpp"
#include "millrace/run.hpp"
#include "millrace/topology.hpp"
