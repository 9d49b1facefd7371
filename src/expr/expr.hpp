// The face of `expr`: expressions over the fields of a row, written as text.
#pragma once

#include "expr/predicate.hpp"
