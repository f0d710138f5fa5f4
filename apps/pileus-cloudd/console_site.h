// ConsoleSite: the web console's files, if this cloud manager has them.
#pragma once

#include <optional>

#include "http/static_files.h"

namespace pileus::cloudd {

inline constexpr std::string_view kConsolePath = "/console/";

class ConsoleSite {
 public:
  // Of `folder`; empty: of the folder `console` beside the programs' folder (a build tree), else of
  // /usr/share/pileus/console. That there is none is no error, unless a folder was named.
  static Result<ConsoleSite> open(const std::string& folder);

  bool exists() const { return files_.has_value(); }
  // Whether the request is a person's, with a browser: for the console, or for "/" without an action.
  static bool is_for(const http::Request& request);
  http::Response answer(const http::Request& request) const;

 private:
  std::optional<http::StaticFiles> files_;
};

}  // namespace pileus::cloudd
