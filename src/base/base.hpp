// The face of `base`: values that every layer above may use (status, time, hash, ring, text, log).
#pragma once

#include "base/check.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/status.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
