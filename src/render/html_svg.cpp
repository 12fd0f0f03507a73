#include "render/html_svg.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "render/html_text.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

// Units of the picture; page.css gives chips (.c) and cards their sizes, too.
constexpr std::size_t kWidth = 344;
constexpr std::size_t kPad = 8;
constexpr std::size_t kChipWidth = 160;
constexpr std::size_t kChipHeight = 22;
constexpr std::size_t kGap = 4;
constexpr std::size_t kHeadHeight = 46;  // of a card
constexpr std::size_t kBriefHead = 28;   // of a group without a GPU
constexpr std::size_t kBetween = 10;
constexpr std::size_t kChipColumns = 20;
constexpr std::size_t kModelColumns = 22;
constexpr std::size_t kNameColumns = 26;
constexpr std::size_t kMostFree = 256;  // slots that are drawn

constexpr std::size_t rows_of(std::size_t slots) { return (slots + 1) / 2; }
constexpr std::size_t height_of(std::size_t head, std::size_t slots) {
  return head + rows_of(slots) * (kChipHeight + kGap) + (slots == 0 ? 0 : kPad - kGap);
}

std::size_t used(const Card& card) {
  std::size_t sum = 0;
  for (const Chip& chip : card.chips) {
    sum += std::max<std::uint32_t>(chip.others, 1);
  }
  return sum;
}

/// Where the slot of that number is.
struct Spot {
  std::size_t x;
  std::size_t y;
};
constexpr Spot spot(std::size_t slot, std::size_t top) {
  return {kPad + (slot % 2) * (kChipWidth + kPad), top + (slot / 2) * (kChipHeight + kGap)};
}

std::string count_words(const Card& card) {
  return card.count ? fmt::format("{} partition{}", *card.count, *card.count == 1 ? "" : "s") : std::string();
}

class SidePicture {
 public:
  SidePicture(const Side& side, std::string& out) : side_(side), out_(out) {}

  void draw(std::string_view label) {
    struct Group {
      std::string_view title;
      const std::vector<Chip>& chips;
      std::string_view kind;
    };
    const Group groups[] = {{"On a GPU that the host chooses at start", side_.host_chooses, "h"},
                            {"Without a partition", side_.without, "w"}};
    std::size_t height = 0;
    for (const Card& card : side_.cards) {
      height += card_height(card) + kBetween;
    }
    for (const Group& group : groups) {
      height += group.chips.empty() ? 0 : height_of(kBriefHead, group.chips.size()) + kBetween;
    }
    height = std::max<std::size_t>(height, kBetween + 1) - kBetween;
    out_ += fmt::format(R"(<svg class="pic" role="group" viewBox="0 0 {} {}" aria-label="{}">)", kWidth, height,
                        html_text(label));
    std::size_t y = 0;
    for (const Card& card : side_.cards) {
      draw_card(card, y);
      y += card_height(card) + kBetween;
    }
    for (const Group& group : groups) {
      if (!group.chips.empty()) {
        const std::size_t tall = height_of(kBriefHead, group.chips.size());
        out_ += fmt::format(R"(<rect class="k {}" y="{}" height="{}"/><text class="g" x="10" y="{}">{}</text>)",
                            group.kind, y, tall, y + 19, group.title);
        draw_chips(group.chips, y + kBriefHead);
        y += tall + kBetween;
      }
    }
    out_ += "</svg>";
  }

 private:
  static bool usable(const Card& card) { return card.listed && card.status == GpuStatus::kPartitioned; }

  static std::size_t free_slots(const Card& card) {
    const std::size_t count = usable(card) ? card.count.value_or(0) : 0;
    const std::size_t taken = used(card);
    return std::min(count > taken ? count - taken : 0, kMostFree);
  }

  static std::size_t card_height(const Card& card) {
    return height_of(kHeadHeight, card.chips.size() + free_slots(card));
  }

  void draw_card(const Card& card, std::size_t y) {
    const std::string_view brief = short_gpu_name(card.name);
    const std::size_t taken = used(card);
    const bool overfull = usable(card) && card.count && taken > *card.count;
    const std::string right = !card.listed    ? std::string("not listed by the host")
                              : !usable(card) ? std::string(spelled_out(card.status))
                              : card.count    ? count_words(card)
                                              : std::string("no partition count");
    out_ += fmt::format(R"(<rect class="k{}{}" y="{}" height="{}"/>)", card.differs ? " d" : "",
                        usable(card) ? "" : " x", y, card_height(card));
    out_ += fmt::format(R"(<text class="m" x="10" y="{}">{}</text><text class="n{}" x="334" y="{}">{}</text>)", y + 19,
                        html_cut(card.model.empty() ? brief : card.model, kModelColumns), card.differs ? " d" : "",
                        y + 19, right);
    std::string second = usable(card) ? fmt::format("{} used", taken) : std::string();
    if (usable(card) && card.vram) {
      second += " \xc2\xb7 " + human_size(*card.vram) + " each";
    }
    out_ += fmt::format(R"(<text class="f" x="10" y="{}">{}</text><text class="f e{}" x="334" y="{}">{}</text>)",
                        y + 36, card.model.empty() ? std::string() : html_cut(brief, kNameColumns),
                        overfull ? " o" : "", y + 36, second);
    draw_chips(card.chips, y + kHeadHeight);
    draw_free(card, y + kHeadHeight);
  }

  /// All free slots are one path: there may be thousands.
  void draw_free(const Card& card, std::size_t top) {
    const std::size_t free = free_slots(card);
    if (free == 0) {
      return;
    }
    out_ += R"(<path class="free" d=")";
    for (std::size_t i = 0; i < free; ++i) {
      const Spot at = spot(card.chips.size() + i, top);
      out_ += fmt::format("M{} {}h{}v{}h-{}z", at.x + 1, at.y + 1, kChipWidth - 2, kChipHeight - 2, kChipWidth - 2);
    }
    out_ += R"("/>)";
  }

  void draw_chips(const std::vector<Chip>& chips, std::size_t top) {
    for (std::size_t i = 0; i < chips.size(); ++i) {
      draw_chip(chips[i], spot(i, top));
    }
  }

  void draw_chip(const Chip& chip, Spot at) {
    if (chip.others > 0) {
      out_ += fmt::format(R"(<svg class="c" x="{}" y="{}"><rect/><text>{} more, as {}</text></svg>)", at.x, at.y,
                          chip.others, chip.others == 1 ? "it is" : "they are");
      return;
    }
    // In a word where most chips have it: a page of 1,000 VMs has 2,000 of them.
    const std::string_view fate = chip.fate == Fate::kRestarts ? "restarts" : fate_words(chip.fate);
    const std::string_view move = move_words(chip.move);
    out_ += fmt::format(R"(<svg class="c{}{}" x="{}" y="{}"><title>{}, {}{}{}{}{}</title><rect/><circle{}/><text>)",
                        chip.fate == Fate::kUntouched ? "" : " ", fate_class(chip.fate), at.x, at.y,
                        html_text(chip.name), chip.running ? "running" : "off", fate.empty() ? "" : ", ", fate,
                        move.empty() ? "" : ", ", move, chip.running ? R"( class="on")" : "");
    if (chip.move != Move::kStays) {
      out_ += fmt::format("<tspan>{}</tspan> ", move_sign(chip.move));
    }
    out_ += html_cut(chip.name, chip.move == Move::kStays ? kChipColumns : kChipColumns - 2);
    out_ += "</text></svg>";
  }

  const Side& side_;
  std::string& out_;
};

}  // namespace

void append_side(const Side& side, std::string_view label, std::string& out) { SidePicture(side, out).draw(label); }

std::string_view fate_words(Fate fate) {
  switch (fate) {
    case Fate::kChanged:
      return "changed without a stop";
    case Fate::kRestarts:
      return "stopped, then started again";
    case Fate::kGoesOff:
      return "stopped, stays off";
    case Fate::kStarts:
      return "started";
    case Fate::kTrouble:
      return "not as planned";
    case Fate::kUntouched:
      break;
  }
  return {};
}

std::string_view fate_class(Fate fate) {
  switch (fate) {
    case Fate::kChanged:
      return "changed";
    case Fate::kRestarts:
      return "restarts";
    case Fate::kGoesOff:
      return "off";
    case Fate::kStarts:
      return "starts";
    case Fate::kTrouble:
      return "trouble";
    case Fate::kUntouched:
      break;
  }
  return {};
}

std::string_view move_words(Move move) {
  switch (move) {
    case Move::kGains:
      return "gets a partition";
    case Move::kLoses:
      return "gives its partition up";
    case Move::kAnother:
      return "gets another partition";
    case Move::kStays:
      break;
  }
  return {};
}

std::string_view move_sign(Move move) {
  switch (move) {
    case Move::kGains:
      return "+";
    case Move::kLoses:
      return "\xe2\x88\x92";
    case Move::kAnother:
      return "\xe2\x86\x92";
    case Move::kStays:
      break;
  }
  return {};
}

}  // namespace gpup
