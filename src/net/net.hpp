// The face of `net`: the HTTP and WebSocket server that the page stands on, without its library's
// types.
#pragma once

#include "net/http_server.hpp"
