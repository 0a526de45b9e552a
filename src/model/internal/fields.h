#pragma once
// The list of fields of every record, in the order of its bytes. A new field is appended at the end
// of its record and raises the record's version in codec.cc; bytes of the version before end
// without it, and stay readable for ever. Used inside codec.cc only; any thread.
#include "model/change.h"
#include "model/internal/field_io.h"
#include "model/records.h"

namespace tidemill::codec {

template <class Io>
void fields(Io& io, Of<Io, ResultRef>& v) {
  bool task = static_cast<bool>(v.task), array = static_cast<bool>(v.array);
  bool blob = v.blob != Sha256{}, size = v.size != 0;
  io.choice(v.place, ResultRef::Place::blob);
  io.flags(task, array, blob, size);
  if (task) io.number(v.task.raw);
  if (array) io.number(v.array.raw);
  if (blob) io.hash(v.blob);
  if (size) io.number(v.size);
}

template <class Io>
void fields(Io& io, Of<Io, ResultValue>& v) {
  io.text(v.inline_json);
  fields(io, v.blob);
}

template <class Io>
void fields(Io& io, Of<Io, TaskError>& v) {
  bool some = !(v == TaskError{});
  io.flags(some, v.retryable);
  if (!some) return;
  io.text(v.kind);
  io.text(v.message);
}

template <class Io>
void fields(Io& io, Of<Io, Trace>& v) {
  io.signed_number(v.spawned.ns);
  io.from(v.ready.ns, v.spawned.ns);
  io.from(v.dispatched.ns, v.ready.ns);
  io.from(v.reported.ns, v.dispatched.ns);
  io.signed_number(v.inputs_ready.ns);
  io.from(v.started.ns, v.inputs_ready.ns);
  io.from(v.finished.ns, v.started.ns);
  io.from(v.sent.ns, v.finished.ns);
  io.signed_number(v.cpu.ns);
  io.number(v.bytes_in);
  io.number(v.bytes_out);
  io.number(v.calls);
}

template <class Io>
void fields(Io& io, Of<Io, RetryPolicy>& v) {
  bool custom = !(v == RetryPolicy{});
  io.flags(custom);
  if (!custom) return;
  io.number(v.max_attempts);
  io.number(v.max_crashes);
  io.choice(v.backoff, Backoff::exponential);
  io.signed_number(v.delay.ns);
  io.signed_number(v.delay_cap.ns);
  io.number(v.jitter_percent);
  io.list(v.fatal_kinds, [](auto& each, auto& kind) { each.text(kind); });
}

template <class Io>
void fields(Io& io, Of<Io, QueueConfig>& v) {
  io.text(v.name);
  fields(io, v.retry);
  io.signed_number(v.attempt_timeout.ns);
  io.number(v.concurrency);
  io.number(v.key_concurrency);
  io.signed_number(v.ageing.ns);
  io.choice(v.order, Order::fifo);
  io.choice(v.durability, Durability::relaxed);
  io.flags(v.paused);
}

template <class Io>
void fields(Io& io, Of<Io, StepRef>& v) {
  io.number(v.execution.raw);
  io.number(v.step);
  io.number(v.epoch);
}

template <class Io>
void fields(Io& io, Of<Io, WorkSpec>& v) {
  io.text(v.queue);
  io.text(v.kind);
  io.shared(v.input);
  io.signed_number(v.priority);
  io.flags(v.needs_slot);
  fields(io, v.retry);
  io.signed_number(v.attempt_timeout.ns);
  fields(io, v.step);
  io.number(v.barrier.raw);
}

template <class Io>
void fields(Io& io, Of<Io, std::shared_ptr<const ChildResult>>& v) {
  bool some = v != nullptr;
  io.flags(some);
  if (!some) return;
  const auto whole = [&io](auto& child) {
    io.flags(child.failed);
    fields(io, child.result);
    fields(io, child.error);
  };
  if constexpr (Io::kReading) {
    ChildResult child;
    whole(child);
    v = std::make_shared<const ChildResult>(std::move(child));
  } else {
    whole(*v);
  }
}

template <class Io>
void fields(Io& io, Of<Io, TaskRecord>& v) {
  io.number(v.id.raw);
  fields(io, v.work);
  io.choice(v.state, TaskRecord::State::suspended);
  io.flags(v.cancel_requested, v.after_any_outcome);
  io.number(v.round);
  io.number(v.attempts);
  io.number(v.crashes);
  io.number(v.starts);
  io.signed_number(v.spawned_at.ns);
  io.from(v.run_at.ns, v.spawned_at.ns);
  io.from(v.ready_at.ns, v.run_at.ns);
  io.from(v.deadline.ns, WallTime::never().ns);
  io.text(v.concurrency_key);
  io.text(v.idempotency_key);
  io.number(v.input_hash);
  io.list(v.after, [](auto& each, auto& id) { each.number(id.raw); });
  io.shared(v.suspended_with);
  io.number(v.waits_for.raw);
  fields(io, v.child);
  fields(io, v.last_error);
}

template <class Io>
void fields(Io& io, Of<Io, ArrayRecord>& v) {
  io.number(v.id.raw);
  fields(io, v.work);
  io.number(v.count);
  io.flags(v.has_items, v.cancel_requested);
  io.number(v.max_in_flight);
  io.number(v.max_failed);
  io.signed_number(v.spawned_at.ns);
  io.from(v.ready_at.ns, v.spawned_at.ns);
}

template <class Io>
void fields(Io& io, Of<Io, ItemChunk>& v) {
  io.number(v.array.raw);
  io.number(v.first);
  bool some = v.items != nullptr;
  io.flags(some);
  if (!some) return;
  const auto text = [](auto& each, auto& item) { each.text(item); };
  if constexpr (Io::kReading) {
    auto items = std::make_shared<std::vector<std::string>>();
    io.list(*items, text);
    v.items = std::move(items);
  } else {
    io.list(*v.items, text);
  }
}

template <class Io>
void fields(Io& io, Of<Io, IndexOutcome>& v) {
  io.number(v.index);
  io.number(v.attempt);
  io.choice(v.outcome, Outcome::cancelled);
  fields(io, v.result);
  fields(io, v.error);
  io.text(v.log);
  fields(io, v.trace);
}

template <class Io>
void fields(Io& io, Of<Io, IndexOverride>& v) {
  io.number(v.array.raw);
  io.number(v.index);
  io.number(v.attempts);
  io.number(v.crashes);
  io.number(v.starts);
  io.number(v.round);
  io.flags(v.suspended, v.cancel_requested);
  io.signed_number(v.run_at.ns);
  io.shared(v.suspended_with);
  io.number(v.waits_for.raw);
  fields(io, v.child);
  fields(io, v.last_error);
}

template <class Io>
void fields(Io& io, Of<Io, BarrierRecord>& v) {
  io.number(v.id.raw);
  io.number(v.expected);
  io.number(v.joined);
  io.number(v.done);
  io.number(v.failed);
  io.number(v.cancelled);
  io.flags(v.sealed, v.fired);
  io.number(v.fires_task.raw);
  fields(io, v.fires_step);
}

template <class Io>
void fields(Io& io, Of<Io, KeyRecord>& v) {
  io.text(v.queue);
  io.text(v.key);
  io.number(v.task.raw);
  io.text(v.kind);
  io.number(v.input_hash);
}

template <class Io>
void fields(Io& io, Of<Io, WorkRef>& v) {
  io.number(v.task.raw);
  io.number(v.array.raw);
  io.number(v.first);
  io.number(v.count);
}

template <class Io>
void fields(Io& io, Of<Io, LeasedWork>& v) {
  fields(io, v.work);
  io.number(v.epoch.incarnation);
  io.number(v.epoch.counter);
}

template <class Io>
void fields(Io& io, Of<Io, ExecutionRecord>& v) {
  io.number(v.id.raw);
  io.choice(v.state, ExecutionRecord::State::cancelled);
  io.text(v.name);
  io.text(v.file);
  io.hash(v.plan);
  io.number(v.compiler_version);
  io.shared(v.workload);
  io.shared(v.ctx);
  fields(io, v.parent);
  io.text(v.child_key);
  io.text(v.return_step);
  io.from(v.deadline.ns, WallTime::never().ns);
  io.flags(v.cancel_requested, v.wants_final);
  fields(io, v.error);
  io.signed_number(v.started_at.ns);
  io.signed_number(v.finished_at.ns);
}

template <class Io>
void fields(Io& io, Of<Io, StepRecord>& v) {
  fields(io, v.ref);
  io.choice(v.state, StepRecord::State::cancelled);
  io.choice(v.again, StepRecord::Again::back);
  io.flags(v.from_back_edge, v.superseded, v.caught);
  io.number(v.task.raw);
  io.number(v.array.raw);
  io.number(v.barrier.raw);
  fields(io, v.result);
  io.shared(v.routing);
  io.number(v.total);
  io.number(v.done);
  io.number(v.failed);
  fields(io, v.error);
  io.signed_number(v.entered_at.ns);
  io.signed_number(v.finished_at.ns);
}

template <class Io>
void fields(Io& io, Of<Io, HistoryRecord>& v) {
  fields(io, v.task);
  io.choice(v.outcome, Outcome::cancelled);
  fields(io, v.result);
  fields(io, v.error);
  io.text(v.log);
  fields(io, v.trace);
}

template <class Io>
void fields(Io& io, Of<Io, AttemptRecord>& v) {
  fields(io, v.work);
  io.number(v.number);
  io.choice(v.end, AttemptRecord::End::returned);
  fields(io, v.error);
  io.text(v.log);
  fields(io, v.trace);
}

template <class Io>
void fields(Io& io, Of<Io, TokenRecord>& v) {
  io.text(v.name);
  io.choice(v.kind, TokenKind::read_only);
  io.hash(v.hash);
  io.list(v.queues, [](auto& each, auto& queue) { each.text(queue); });
  io.signed_number(v.created_at.ns);
  io.from(v.expires_at.ns, WallTime::never().ns);
}

template <class Io>
void fields(Io& io, Of<Io, EndLease>& v) {
  fields(io, v.ended);
}

// Neighbours in a hand-out differ by little, so each entry is written as its distance from the one
// before.
template <class Io>
void fields(Io& io, Of<Io, HandOut>& v) {
  io.number(v.session.raw);
  io.flags(v.in_process);
  LeasedWork before;
  const auto near = [&io](auto& field, uint64_t last) {
    auto wide = static_cast<int64_t>(field);
    io.from(wide, static_cast<int64_t>(last));
    if constexpr (Io::kReading) field = static_cast<uint64_t>(wide);
  };
  io.list(v.items, [&](auto& each, auto& item) {
    near(item.work.task.raw, before.work.task.raw);
    near(item.work.array.raw, before.work.array.raw);
    near(item.work.first, before.work.first);
    near(item.work.count, before.work.count);
    each.number(item.epoch.incarnation);
    near(item.epoch.counter, before.epoch.counter);
    before = item;
  });
}

}  // namespace tidemill::codec
