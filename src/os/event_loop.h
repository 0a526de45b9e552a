#pragma once
// EventLoop: descriptors, timers and posted functions on one thread (epoll, one eventfd, a heap of
// deadlines). run() sleeps until the nearest of them; no polling interval anywhere. All methods but
// post() and stop() belong to the loop's thread.
#include <cstdint>
#include <functional>
#include <memory>

#include "base/time.h"

namespace tidemill::os {

// What a descriptor is watched for and was found to be: epoll's (and poll's) bits.
inline constexpr uint32_t kReadable = 0x001;
inline constexpr uint32_t kWritable = 0x004;
inline constexpr uint32_t kFailed = 0x008;
inline constexpr uint32_t kHungUp = 0x010;

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  using OnReady = std::function<void(uint32_t events)>;   // kReadable, kHungUp, …
  void watch(int fd, uint32_t events, OnReady on_ready);  // or changes what is watched
  void unwatch(int fd);

  using TimerId = uint64_t;
  TimerId after(Duration delay, std::function<void()> fire);
  void cancel(TimerId timer);  // no effect when it has fired

  // Runs `f` on the loop's thread; wakes it if need be. Any thread.
  void post(std::function<void()> f);
  // Runs `f` once, when this round of events is worked off and before the loop sleeps: batching.
  // Who asks often keeps a flag of having asked.
  void defer(std::function<void()> f);

  // Until stop(): the round in which it was called is worked off. May be run again afterwards.
  void run();
  void stop();  // any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::os
