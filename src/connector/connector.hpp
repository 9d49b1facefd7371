// The face of `connector`: where records come from and go to: files, lines, generators, vectors,
// text, views.
#pragma once

#include "connector/csv_source.hpp"
#include "connector/generator_source.hpp"
#include "connector/gzip_reader.hpp"
#include "connector/json_source.hpp"
#include "connector/line_source.hpp"
#include "connector/merged_source.hpp"
#include "connector/open_input.hpp"
#include "connector/text_sink.hpp"
#include "connector/vector_source.hpp"
#include "connector/view.hpp"
#include "connector/zstd_reader.hpp"
