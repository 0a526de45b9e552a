#include "wire/queue_json.h"

#include "wire/internal/fields.h"

namespace tidemill::wire {

namespace {

// One of two words.
template <class T>
Status read_choice(JsonValue value, std::string_view first, T if_first, std::string_view second,
                   T if_second, T& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  if (text != first && text != second) {
    return Error{ErrorCode::invalid,
                 "expected " + std::string(first) + " or " + std::string(second)};
  }
  out = text == first ? if_first : if_second;
  return Ok{};
}

}  // namespace

std::string to_json(const QueueConfig& config) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("name").text(config.name).key("retry");
  write_retry(w, config.retry);
  w.key("timeout_ms").number(config.attempt_timeout.whole_milliseconds());
  w.key("concurrency").count(config.concurrency);
  w.key("key_concurrency").count(config.key_concurrency);
  w.key("ageing_ms").number(config.ageing.whole_milliseconds());
  w.key("order").text(config.order == Order::fair ? "fair" : "fifo");
  w.key("durability").text(config.durability == Durability::durable ? "durable" : "relaxed");
  w.key("paused").boolean(config.paused).close('}');
  return out;
}

Result<QueueConfig> parse_queue_config(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  QueueConfig out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "name") return read(v, out.name);
    if (name == "retry") return read_retry(v, out.retry);
    if (name == "timeout_ms") return read_milliseconds(v, out.attempt_timeout);
    if (name == "concurrency") return read(v, out.concurrency);
    if (name == "key_concurrency") return read(v, out.key_concurrency);
    if (name == "ageing_ms") return read_milliseconds(v, out.ageing);
    if (name == "order") return read_choice(v, "fair", Order::fair, "fifo", Order::fifo, out.order);
    if (name == "durability") {
      return read_choice(v, "durable", Durability::durable, "relaxed", Durability::relaxed,
                         out.durability);
    }
    if (name == "paused") return read(v, out.paused);
    return unknown_field(name, {"name", "retry", "timeout_ms", "concurrency", "key_concurrency",
                                "ageing_ms", "order", "durability", "paused"});
  }));
  return out;
}

}  // namespace tidemill::wire
