// The face of `record`: what a record is (schema, values, JSON) and what carries it (batches).
#pragma once

#include "record/arena.hpp"
#include "record/batch.hpp"
#include "record/batch_type.hpp"
#include "record/field_value.hpp"
#include "record/record_json.hpp"
#include "record/schema.hpp"
