#pragma once

#include <cstdint>
#include <memory>

#include "engine/runtime/backend.hpp"
#include "engine/runtime/thread_pool.hpp"

namespace assay {

class StatusWord;
class Stream;
class Workspace;

/// What an operation runs on: backend, device, stream, workspace, threads. Every operation takes one first;
/// there is no default stream and no global state. Move-only; used by one thread at a time.
class Context {
 public:
  /// The CPU backend with `threads` threads (0: all this process may use).
  static Context cpu(unsigned threads = 0);
  /// The CUDA backend on `device`. Throws BackendUnavailable where CUDA is not compiled in or no device
  /// works.
  static Context cuda(int device = 0, unsigned threads = 0);

  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;
  ~Context();

  Backend backend() const;
  /// Ordinal of the CUDA device; -1 on the CPU backend.
  int device() const;
  ThreadPool& pool();
  /// The stream that CUDA work is put on. Throws BackendUnavailable on the CPU backend.
  Stream& stream();
  /// Where CUDA kernels report what they cannot throw. Throws BackendUnavailable on the CPU backend.
  StatusWord& status();
  /// Waits for the stream, then throws DeviceError where a kernel reported a failure. Nothing to do on the
  /// CPU backend.
  void synchronize();
  /// Scratch memory that grows to the largest request and is then reused: no allocation after warm-up. It
  /// lives where the backend computes.
  Workspace& workspace();

 private:
  struct State;
  explicit Context(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay
