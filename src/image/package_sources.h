// Which package mirrors this host uses for a Debian suite, read from its own apt configuration.
//
// An image is built from (and later updated from) the mirrors its builder trusts already; none is
// written here.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pileus::image {

// The parts of one sources file (deb822 when `deb822`, else one-line style) that serve `suite`,
// `suite`-updates or `suite`-security with binary packages; others are dropped. In the file's own
// style, each entry ended by a newline.
std::string select_sources(std::string_view text, bool deb822, std::string_view suite);

// `sources` (of select_sources() for the suite `from`) as they are for the suite `to` of the same mirrors; what unstable
// does not have, updates and security, is dropped.
std::string retarget_sources(std::string_view sources, bool deb822, std::string_view from, std::string_view to);

// The suite that a Debian host itself is of ("bookworm"), from the text of /etc/os-release; empty when it is no Debian.
std::string own_suite(std::string_view os_release);

struct PackageSources {
  std::string one_line;  // in sources.list style
  std::string deb822;  // in .sources style
  bool empty() const { return one_line.empty() && deb822.empty(); }
};

// The same of every file that apt reads below `apt_folder` ("/etc/apt"). A suite that none of them names is looked for on
// the mirrors of `own`, the host's own suite.
PackageSources host_sources(const std::filesystem::path& apt_folder, std::string_view suite, std::string_view own);

}  // namespace pileus::image
