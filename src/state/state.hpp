// The face of `state`: where the values of keys live: stored keys and the keyed tables, one a key
// group.
#pragma once

#include "state/keyed_state.hpp"
#include "state/keyed_tables.hpp"
#include "state/stored_key.hpp"
