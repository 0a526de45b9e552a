#include "client/internal/http_answer.h"

#include <utility>

#include "wire/blob_json.h"

namespace tidemill::client {

Result<net::HttpResponse> checked(Result<net::HttpResponse> response) {
  if (!response.ok()) return response;
  if (response->status >= 200 && response->status < 300) return response;
  if (auto told = wire::parse_error(response->body)) return std::move(*told);
  return Error{ErrorCode::io, "the server answered with status " +
                                  std::to_string(response->status) +
                                  ", and not as a Tidemill server does"};
}

}  // namespace tidemill::client
