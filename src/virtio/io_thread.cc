#include "virtio/io_thread.h"

#include <pthread.h>
#include <signal.h>

#include <semaphore>

namespace pileus::virtio {

Result<std::unique_ptr<IoThread>> IoThread::start(const std::string& name) {
  std::unique_ptr<IoThread> self(new IoThread(TRY(os::EventLoop::create())));
  std::binary_semaphore started(0);
  // Signals belong to the main thread and the vCPUs: the new thread inherits a full mask.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  self->thread_ = std::thread([loop = self->loop_.get()] { loop->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(self->thread_.native_handle(), name.substr(0, 15).c_str());
  // Only when the loop runs do calls from other threads reach it.
  self->loop_->post([&started] { started.release(); });
  started.acquire();
  return self;
}

void IoThread::stop() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

}  // namespace pileus::virtio
