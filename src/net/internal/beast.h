#pragma once
// The HTTP library, in the order of includes that g++ 12 needs, and short names for its parts.
// Private to net/; any thread.
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace tidemill::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace tidemill::net
