#pragma once
// The HTTP library, in the order of includes that g++ 12 needs, and short names for its parts.
// Private to net/; any thread.
// ThreadSanitizer does not know fences; a mutex hands over what they are for.
#if defined(__SANITIZE_THREAD__)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <utility>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

#include "base/time.h"

namespace tidemill::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

inline std::chrono::nanoseconds time_of(Duration d) { return std::chrono::nanoseconds(d.ns); }
using boost::system::error_code;

}  // namespace tidemill::net
