// The face of `topology`: the declared graph, its validation, explain, and the plan of what runs.
#pragma once

#include "topology/plan.hpp"
#include "topology/topology_graph.hpp"
