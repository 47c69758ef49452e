#pragma once
#include "captions/transcript.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::insight {

// Three talks on three subjects, one behind the other.

inline constexpr std::string_view kBread =
    "Sourdough bread begins with a starter, a mixture of flour and water in which wild yeast lives. "
    "Feed the sourdough starter every day for a week, and it will double in size within a few hours. "
    "The wild yeast eats the sugar in the flour and gives off gas, which makes the dough rise. "
    "Bacteria in the starter produce acid, and that acid gives sourdough bread its sour taste. "
    "Mix the dough in the evening and let it rest overnight in a cool place. "
    "A long rest develops the gluten, so the dough becomes stretchy without much kneading. "
    "How do you know that the dough is ready? "
    "Press a finger into the dough, and if the dent slowly disappears, the bread can go into the oven. "
    "Bake the bread in a heavy iron pot with a lid, because steam keeps the crust soft while the loaf rises. "
    "Remove the lid after twenty minutes, and the crust turns brown and crisp.";

inline constexpr std::string_view kTelescope =
    "A telescope collects light with a mirror or a lens, and the size of the mirror decides how faint a star you can "
    "see. "
    "Refracting telescopes bend the light with a glass lens at the front of the tube. "
    "Reflecting telescopes use a curved mirror at the bottom of the tube, which is cheaper to build. "
    "The eyepiece magnifies the image, but a high magnification also makes the image dim. "
    "Astronomers build large telescopes on mountains, where the air is thin and the night sky is dark. "
    "Jupiter and Saturn are good planets for a small telescope. "
    "Saturn shows its rings, and beside Jupiter you can follow four moons from night to night. "
    "Why do stars twinkle? "
    "Warm and cold air bend the light of a star on its last few miles, so the star seems to flicker. "
    "Let the telescope cool outside before you look, or warm air inside the tube will blur the planets.";

inline constexpr std::string_view kCoffee =
    "Coffee beans are the seeds of a red fruit that grows on small trees near the equator. "
    "Farmers pick the ripe coffee cherries by hand and dry the beans in the sun. "
    "Raw coffee beans are green and taste of grass, so they must be roasted. "
    "During roasting the beans lose water, turn brown and crack twice. "
    "A light roast keeps the acidity of the fruit, while a dark roast tastes bitter and smoky. "
    "Grind the coffee beans just before brewing, because ground coffee loses its aroma within an hour. "
    "A coarse grind suits a French press, and a fine grind suits an espresso machine. "
    "Water for brewing coffee should be just below boiling, since boiling water burns the grounds. "
    "An espresso machine pushes hot water through the ground coffee at high pressure. "
    "The result is a small cup of espresso with a golden foam on top.";

inline std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> sentences;
  while (!text.empty()) {
    auto end = text.find_first_of(".?!");
    end = end == std::string_view::npos ? text.size() : end + 1;
    sentences.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return sentences;
}

/// Each sentence a caption, two and a half words a second.
inline captions::Transcript captioned(const std::vector<std::string_view>& texts, std::string language = "en") {
  captions::Transcript transcript;
  transcript.language = std::move(language);
  double time = 0;
  for (const auto text : texts) {
    for (const auto& sentence : sentences_of(text)) {
      const auto words = static_cast<double>(std::count(sentence.begin(), sentence.end(), ' ') + 1);
      transcript.segments.push_back({time, time + words / 2.5, sentence});
      time += words / 2.5;
    }
  }
  return transcript;
}

/// As a speech engine hears it: lower case, no marks, each word with its time and confidence.
inline captions::Transcript heard(const std::vector<std::string_view>& texts, double confidence = 0.9) {
  auto transcript = captioned(texts);
  double late = 0;
  for (auto& segment : transcript.segments) {
    std::string bare;
    for (const char c : segment.text) {
      if (std::string_view(".,?!").find(c) != std::string_view::npos) continue;
      bare += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    segment.text = bare;
    segment.start += late;
    segment.end += late;
    late += 0.6;  // a breath
    double at = segment.start;
    std::string word;
    for (const char c : bare + " ") {
      if (c != ' ') {
        word += c;
        continue;
      }
      transcript.words.push_back({at, at + 0.35, word, confidence});
      at += 0.4;
      word.clear();
    }
  }
  return transcript;
}

}  // namespace rushes::insight
