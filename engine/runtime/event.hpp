#pragma once

#include <memory>

struct CUevent_st;  // cudaEvent_t is a pointer to this

namespace assay {

class Stream;

/// A mark in a stream. Move-only. Calls throw DeviceError, or BackendUnavailable without CUDA.
class Event {
 public:
  /// `timing` false is cheaper and serves order only.
  explicit Event(int device, bool timing = true);

  CUevent_st* handle() const { return handle_.get(); }
  void record(const Stream& stream);
  void synchronize() const;
  bool done() const;

 private:
  struct Destroy {
    void operator()(CUevent_st* event) const noexcept;
  };
  std::unique_ptr<CUevent_st, Destroy> handle_;
};

/// Time between two recorded and finished timing events in milliseconds (resolution about 0.5 us).
double milliseconds_between(const Event& from, const Event& to);

}  // namespace assay
