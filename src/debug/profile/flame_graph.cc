#include "debug/profile/flame_graph.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

namespace pileus::debug {

namespace {

constexpr double kWidth = 1200, kRow = 17, kMargin = 10, kHead = 40, kLetter = 6.6;
constexpr double kMinWidth = 0.1;  // of a box that is drawn

struct Box {
  u64 count = 0;
  std::map<std::string, std::unique_ptr<Box>> children;
  std::size_t depth() const {
    std::size_t most = 0;
    for (const auto& [name, child] : children) most = std::max(most, child->depth());
    return most + 1;
  }
};

std::string escape(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      // XML knows no control characters, and names need nothing beyond ASCII.
      default: out += letter >= ' ' && letter <= '~' ? letter : '?';
    }
  }
  return out;
}

// The same for a name wherever it stands. What the vCPU did has colours of its own, at the bottom.
std::string colour(std::string_view name, unsigned level) {
  u32 hash = 2166136261;
  for (const char letter : name) hash = (hash ^ static_cast<u8>(letter)) * 16777619;
  const u32 hue = level == 1 ? 200 + hash % 60 : 5 + hash % 45;
  char text[40];
  std::snprintf(text, sizeof text, "hsl(%u,%u%%,%u%%)", hue, 70 + hash / 64 % 25, 55 + hash / 4096 % 15);
  return text;
}

class Drawing {
 public:
  Drawing(u64 total, double height) : total_(total), height_(height) {}

  void draw(const std::string& name, const Box& box, double x, double width, unsigned level) {
    if (width < kMinWidth) return;
    const double y = height_ - kMargin - kRow * (level + 1);
    std::array<char, 192> text;
    const double share = total_ == 0 ? 0 : 100.0 * static_cast<double>(box.count) / static_cast<double>(total_);
    std::snprintf(text.data(), text.size(), " (%llu samples, %.2f%%)", static_cast<unsigned long long>(box.count),
                  share);
    out_ += "<g><title>" + escape(name) + text.data() + "</title>";
    std::snprintf(text.data(), text.size(), "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" rx=\"1\" ", x,
                  y, width, kRow - 1);
    out_ += std::string(text.data()) + "fill=\"" + colour(name, level) + "\"/>";
    const auto room = static_cast<std::size_t>(width / kLetter);
    if (room >= 3) {
      const std::string label = name.size() <= room ? name : name.substr(0, room - 2) + "..";
      std::snprintf(text.data(), text.size(), "<text x=\"%.2f\" y=\"%.1f\">", x + 3, y + 12);
      out_ += text.data() + escape(label) + "</text>";
    }
    out_ += "</g>\n";
    double at = x;
    for (const auto& [child, inner] : box.children) {
      const double part = width * static_cast<double>(inner->count) / static_cast<double>(box.count);
      draw(child, *inner, at, part, level + 1);
      at += part;
    }
  }
  std::string take() { return std::move(out_); }

 private:
  u64 total_;
  double height_;
  std::string out_;
};

std::vector<ProfileLine> most_first(const std::map<std::string, u64>& counts, std::size_t most) {
  std::vector<ProfileLine> lines;
  for (const auto& [name, count] : counts) lines.push_back({name, count});
  std::ranges::stable_sort(lines, std::greater(), &ProfileLine::count);
  if (lines.size() > most) lines.resize(most);
  return lines;
}

}  // namespace

std::string draw_flame_graph(const Folded& folded, const std::string& title) {
  Box root;
  for (const auto& [frames, count] : folded) {
    root.count += count;
    Box* box = &root;
    for (const std::string& frame : frames) {
      std::unique_ptr<Box>& child = box->children[frame];
      if (!child) child = std::make_unique<Box>();
      child->count += count;
      box = child.get();
    }
  }
  const double height = kHead + 2 * kMargin + kRow * static_cast<double>(root.depth());
  std::array<char, 256> head;
  std::snprintf(head.data(), head.size(),
                "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" font-family=\"monospace\" font-size=\"11\">\n",
                kWidth, height, kWidth, height);
  std::string svg = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  svg += head.data();
  svg += "<style>g:hover rect{stroke:black;stroke-width:1}</style>\n";
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"#fffdf5\"/>\n";
  svg += "<text x=\"50%\" y=\"24\" text-anchor=\"middle\" font-size=\"16\">" + escape(title) + "</text>\n";
  Drawing drawing(root.count, height);
  drawing.draw("all", root, kMargin, kWidth - 2 * kMargin, 0);
  return svg + drawing.take() + "</svg>\n";
}

ProfileTable tabulate(const Folded& folded, std::size_t max_functions) {
  const std::string halted = engine::activity_name(engine::Activity::kHalted);
  ProfileTable table;
  std::map<std::string, u64> activities, functions;
  for (const auto& [frames, count] : folded) {
    table.total += count;
    activities[frames.front()] += count;
    if (frames.front() != halted && frames.size() > 1) functions[frames.back()] += count;
  }
  table.activities = most_first(activities, activities.size());
  table.functions = most_first(functions, max_functions);
  return table;
}

}  // namespace pileus::debug
