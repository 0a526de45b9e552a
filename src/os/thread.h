#pragma once
// Thread: a named thread that is joined when its owner goes. The owner has told its function to end
// before (EventLoop::stop(), a closed queue). Owned by shells only.
#include <functional>
#include <string>
#include <thread>

namespace tidemill::os {

class Thread {
 public:
  Thread() = default;
  // `name` is cut to the 15 bytes the system shows.
  Thread(std::string name, std::function<void()> run);
  ~Thread();
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;

  void join();  // no effect when there is nothing to join

 private:
  std::thread thread_;
};

}  // namespace tidemill::os
