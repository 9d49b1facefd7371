// The face of `connector`: where records come from and go to: files, lines, generators, vectors, text, views.
#pragma once

#include "connector/line_reader.hpp"
#include "connector/open_input.hpp"
