// Addresses of names, by a deadline: the C library's own look-up has none that a caller chooses, and cannot be broken off. It
// runs on a thread of its own, which whoever gives up leaves behind; all who ask for the same name meanwhile wait for that one.
#pragma once

#include <netdb.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace pileus::http {

using Addresses = std::shared_ptr<const addrinfo>;

class NameLookUp {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // kNotFound, with the reason. May take as long as it likes.
  using Ask = std::function<Result<Addresses>(const std::string& host, const std::string& port)>;

  explicit NameLookUp(Ask ask);

  // kNotFound too when there is no answer in time. Any thread; may end while a look-up is under way.
  Result<Addresses> find(const std::string& host, const std::string& port, Time deadline);

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

// By the C library. Addresses in numbers are told at once, without a thread.
Result<Addresses> look_up(const std::string& host, const std::string& port, NameLookUp::Time deadline);

}  // namespace pileus::http
