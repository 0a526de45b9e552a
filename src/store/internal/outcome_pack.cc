#include "store/internal/outcome_pack.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "model/codec.h"

namespace tidemill::store {

namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kOutcomes = 0, kRestCancelled = 1;
constexpr uint8_t kInline = 1, kBlob = 2, kError = 4, kLog = 8;

int64_t minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

Error corrupt(std::string_view what) { return {ErrorCode::corrupt, std::string(what)}; }

// Neighbouring indexes were spawned together and handed out soon after each other.
void pack_trace(ByteWriter& w, const Trace& t, const Trace& before) {
  w.svarint(minus(t.spawned.ns, before.spawned.ns));
  w.svarint(minus(t.ready.ns, before.ready.ns));
  w.svarint(minus(t.dispatched.ns, before.dispatched.ns));
  w.svarint(minus(t.reported.ns, t.dispatched.ns));
  w.svarint(t.inputs_ready.ns);
  w.svarint(minus(t.started.ns, t.inputs_ready.ns));
  w.svarint(minus(t.finished.ns, t.started.ns));
  w.svarint(minus(t.sent.ns, t.finished.ns));
  w.svarint(t.cpu.ns);
  w.varint(t.bytes_in);
  w.varint(t.bytes_out);
  w.varint(t.calls);
}

Trace unpack_trace(ByteReader& r, const Trace& before) {
  Trace t;
  t.spawned.ns = plus(before.spawned.ns, r.svarint());
  t.ready.ns = plus(before.ready.ns, r.svarint());
  t.dispatched.ns = plus(before.dispatched.ns, r.svarint());
  t.reported.ns = plus(t.dispatched.ns, r.svarint());
  t.inputs_ready.ns = r.svarint();
  t.started.ns = plus(t.inputs_ready.ns, r.svarint());
  t.finished.ns = plus(t.started.ns, r.svarint());
  t.sent.ns = plus(t.finished.ns, r.svarint());
  t.cpu.ns = r.svarint();
  t.bytes_in = r.varint();
  t.bytes_out = r.varint();
  t.calls = static_cast<uint32_t>(r.varint());
  return t;
}

uint8_t body_of(const IndexOutcome& o) {
  uint8_t flags = 0;
  if (!o.result.inline_json.empty()) flags |= kInline;
  if (o.result.blob != ResultRef{}) flags |= kBlob;
  if (o.error != TaskError{}) flags |= kError;
  if (!o.log.empty()) flags |= kLog;
  return flags;
}

void pack_body(ByteWriter& w, const IndexOutcome& o, uint8_t flags) {
  w.u8(flags);
  if (flags & kInline) w.bytes(o.result.inline_json);
  if (flags & kBlob) w.bytes(encode(o.result.blob));
  if (flags & kError) w.bytes(encode(o.error));
  if (flags & kLog) w.bytes(o.log);
}

Status unpack_body(ByteReader& r, IndexOutcome& o) {
  const uint8_t flags = r.u8();
  if (flags & kInline) o.result.inline_json = r.bytes();
  if (flags & kBlob) {
    TIDEMILL_TRY(o.result.blob, decode<ResultRef>(r.bytes()));
  }
  if (flags & kError) {
    TIDEMILL_TRY(o.error, decode<TaskError>(r.bytes()));
  }
  if (flags & kLog) o.log = r.bytes();
  return Ok{};
}

void extend(std::vector<Run>& runs, const IndexOutcome& o) {
  if (!runs.empty()) {
    Run& last = runs.back();
    const bool next = last.first + last.count == o.index;
    if (next && last.outcome == o.outcome && last.attempt == o.attempt) {
      ++last.count;
      return;
    }
    TIDEMILL_ASSERT(last.first + last.count <= o.index);
  }
  runs.push_back({o.index, 1, o.outcome, o.attempt});
}

}  // namespace

std::string pack_heads(const Heads& heads) {
  ByteWriter w;
  w.u8(kVersion);
  w.u8(heads.rest_cancelled ? kRestCancelled : kOutcomes);
  w.varint(heads.runs.size());
  uint64_t end = 0;
  for (const Run& run : heads.runs) {
    w.varint(run.first - end);
    w.varint(run.count);
    w.u8(static_cast<uint8_t>(run.outcome));
    w.varint(run.attempt);
    end = run.first + run.count;
  }
  return w.take();
}

Result<Heads> unpack_heads(std::string_view bytes) {
  ByteReader r(bytes);
  Heads heads;
  if (r.u8() != kVersion) return corrupt("heads of an unknown version");
  const uint8_t kind = r.u8();
  heads.rest_cancelled = kind == kRestCancelled;
  const uint64_t count = r.varint();
  if (r.failed() || kind > kRestCancelled || count > r.left()) return corrupt("heads");
  heads.runs.resize(count);
  uint64_t end = 0;
  for (Run& run : heads.runs) {
    run.first = end + r.varint();
    run.count = r.varint();
    const uint8_t outcome = r.u8();
    run.attempt = static_cast<uint32_t>(r.varint());
    end = run.first + run.count;
    if (outcome > static_cast<uint8_t>(Outcome::cancelled) || end < run.first ||
        end > limits::kArrayCountMax) {
      return corrupt("heads");
    }
    run.outcome = static_cast<Outcome>(outcome);
  }
  if (!r.finished()) return corrupt("heads");
  return heads;
}

PackedOutcomes pack_outcomes(std::span<const IndexOutcome* const> outcomes) {
  TIDEMILL_ASSERT(!outcomes.empty());
  PackedOutcomes out;
  out.first = outcomes.front()->index;
  out.last = outcomes.back()->index;
  Heads heads;
  ByteWriter traces, bodies;
  Trace before;
  uint8_t any_body = 0;
  for (const IndexOutcome* o : outcomes) {
    extend(heads.runs, *o);
    out.done += o->outcome == Outcome::done ? 1 : 0;
    out.failed += o->outcome == Outcome::failed ? 1 : 0;
    out.cancelled += o->outcome == Outcome::cancelled ? 1 : 0;
    pack_trace(traces, o->trace, before);
    before = o->trace;
    const uint8_t flags = body_of(*o);
    any_body |= flags;
    pack_body(bodies, *o, flags);
  }
  out.heads = pack_heads(heads);
  out.traces = traces.take();
  if (any_body != 0) out.bodies = bodies.take();
  return out;
}

Result<std::vector<IndexOutcome>> unpack_outcomes(const Heads& heads, std::string_view traces,
                                                  std::string_view bodies) {
  ByteReader t(traces), b(bodies);
  const bool has_bodies = !bodies.empty();
  std::vector<IndexOutcome> out;
  Trace before;
  for (const Run& run : heads.runs) {
    for (uint64_t i = 0; i < run.count; ++i) {
      IndexOutcome o{.index = run.first + i, .attempt = run.attempt, .outcome = run.outcome};
      o.trace = before = unpack_trace(t, before);
      if (t.failed()) return corrupt("traces end early");
      if (has_bodies) TIDEMILL_CHECK(unpack_body(b, o));
      if (b.failed()) return corrupt("bodies end early");
      out.push_back(std::move(o));
    }
  }
  if (!t.finished() || !b.finished()) return corrupt("bytes follow the last outcome");
  return out;
}

}  // namespace tidemill::store
