#include "image/package_sources.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <system_error>
#include <vector>

#include "os/file.h"

namespace pileus::image {
namespace {

constexpr std::string_view kUnstable = "sid";

bool serves(std::string_view word, std::string_view suite) {
  const std::string name(suite);
  return word == name || word == name + "-updates" || word == name + "-security";
}

// The words of a line with those that name `from` made to name `to`; empty when there are none of them.
std::string retarget_words(const std::string& text, std::string_view from, std::string_view to) {
  std::string result;
  bool named = false;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (serves(word, from)) {
      if (to == kUnstable && word != from) continue;
      word = std::string(to) + word.substr(from.size());
      named = true;
    }
    result += (result.empty() ? "" : " ") + word;
  }
  return named ? result : "";
}

bool has_word(const std::string& text, auto&& matches) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (matches(word)) return true;
  }
  return false;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool stanza_serves(const std::string& stanza, std::string_view suite) {
  bool suites = false;
  bool binary = false;
  bool enabled = true;
  bool main = false;
  std::istringstream lines(stanza);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string::npos) continue;
    const std::string field = lower(line.substr(0, colon));
    const std::string value = line.substr(colon + 1);
    if (field == "suites") suites = has_word(value, [&](const std::string& word) { return serves(word, suite); });
    if (field == "types") binary = has_word(value, [](const std::string& word) { return word == "deb"; });
    if (field == "components") main = has_word(value, [](const std::string& word) { return word == "main"; });
    if (field == "enabled") enabled = !has_word(value, [](const std::string& word) { return lower(word) == "no"; });
  }
  return suites && binary && enabled && main;
}

std::string select_stanzas(std::string_view text, std::string_view suite) {
  std::string selected;
  std::string stanza;
  const auto finish = [&] {
    if (stanza_serves(stanza, suite)) selected += stanza + "\n";
    stanza.clear();
  };
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      finish();
    } else if (!line.starts_with('#')) {
      stanza += line + "\n";
    }
  }
  finish();
  return selected;
}

// deb [options] URI SUITE COMPONENT...
bool line_serves(const std::string& line, std::string_view suite) {
  std::istringstream words(line);
  std::string word;
  if (!(words >> word) || word != "deb" || !(words >> word)) return false;
  if (word.starts_with('[')) {
    while (!word.ends_with(']') && words >> word) {
    }
    if (!(words >> word)) return false;
  }
  if (!(words >> word) || !serves(word, suite)) return false;
  while (words >> word) {
    if (word == "main") return true;
  }
  return false;
}

}  // namespace

std::string select_sources(std::string_view text, bool deb822, std::string_view suite) {
  if (deb822) return select_stanzas(text, suite);
  std::string selected;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line_serves(line, suite)) selected += line + "\n";
  }
  return selected;
}

std::string retarget_sources(std::string_view sources, bool deb822, std::string_view from, std::string_view to) {
  std::string result;
  std::string stanza;
  bool served = false;
  const auto finish = [&] {
    if (served) result += stanza + "\n";
    stanza.clear();
    served = false;
  };
  std::istringstream lines{std::string(sources)};
  for (std::string line; std::getline(lines, line);) {
    if (!deb822) {
      if (const std::string other = retarget_words(line, from, to); !other.empty()) result += other + "\n";
    } else if (line.empty()) {
      finish();
    } else if (lower(line).starts_with("suites:")) {
      const std::string suites = retarget_words(line.substr(line.find(':') + 1), from, to);
      served = !suites.empty();
      stanza += "Suites: " + suites + "\n";
    } else {
      stanza += line + "\n";
    }
  }
  finish();
  return result;
}

std::string own_suite(std::string_view os_release) {
  bool debian = false;
  std::string suite;
  std::istringstream lines{std::string(os_release)};
  for (std::string line; std::getline(lines, line);) {
    if (line == "ID=debian") debian = true;
    if (line.starts_with("VERSION_CODENAME=")) suite = line.substr(line.find('=') + 1);
  }
  return debian ? suite : "";
}

namespace {

PackageSources sources_in(const std::vector<std::filesystem::path>& files, std::string_view suite) {
  PackageSources sources;
  for (const std::filesystem::path& file : files) {
    const bool deb822 = file.extension() == ".sources";
    if (!deb822 && file.extension() != ".list") continue;
    const Result<std::string> text = os::read_file(file);
    if (!text) continue;
    (deb822 ? sources.deb822 : sources.one_line) += select_sources(*text, deb822, suite);
  }
  return sources;
}

}  // namespace

PackageSources host_sources(const std::filesystem::path& apt_folder, std::string_view suite, std::string_view own) {
  std::vector<std::filesystem::path> files = {apt_folder / "sources.list"};
  std::error_code ignored;  // a missing folder has no files
  for (const auto& entry : std::filesystem::directory_iterator(apt_folder / "sources.list.d", ignored)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin() + 1, files.end());
  PackageSources sources = sources_in(files, suite);
  if (!sources.empty() || own.empty()) return sources;
  sources = sources_in(files, own);
  return {retarget_sources(sources.one_line, false, own, suite), retarget_sources(sources.deb822, true, own, suite)};
}

}  // namespace pileus::image
