#include "insight/detail/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rushes::insight {
namespace {

constexpr std::size_t kMostUnits = 1000;   // that LexRank compares
constexpr std::size_t kMostPicked = 400;   // that MMR compares
constexpr std::size_t kMostSharers = 200;  // units of one word that are joined by it
constexpr double kThreshold = 0.1;         // below it two units have nothing to do with each other
constexpr double kDamping = 0.85;
constexpr int kRounds = 30;

}  // namespace

Ranking::Ranking(const Document& document) : document_(document) {
  const auto& units = document.units();
  vectors_.reserve(units.size());
  scores_.resize(units.size());
  for (std::uint32_t i = 0; i < units.size(); ++i) {
    vectors_.push_back(vector_of(units[i]));
    double density = 0;
    for (auto t = units[i].first_token; t < units[i].last_token; ++t) {
      density += document.term_of(document.tokens()[t]).weight;
    }
    scores_[i] = density / (8.0 + units[i].last_token - units[i].first_token);
  }
  std::vector<std::uint32_t> nodes(units.size());
  std::iota(nodes.begin(), nodes.end(), 0U);
  if (nodes.size() > kMostUnits) {
    std::nth_element(nodes.begin(), nodes.begin() + kMostUnits, nodes.end(),
                     [&](auto a, auto b) { return scores_[a] > scores_[b]; });
    nodes.resize(kMostUnits);
    std::sort(nodes.begin(), nodes.end());
  }

  // Which nodes share a word: only they can be alike.
  std::vector<std::vector<std::pair<std::uint32_t, float>>> edges(nodes.size());
  std::unordered_map<TermId, std::vector<std::pair<std::uint32_t, float>>> sharers;
  std::vector<float> likeness(nodes.size());
  for (std::uint32_t n = 0; n < nodes.size(); ++n) {
    std::fill(likeness.begin(), likeness.begin() + n, 0.0F);
    for (const auto& entry : vectors_[nodes[n]]) {
      auto& others = sharers[entry.term];
      for (const auto& [other, weight] : others) likeness[other] += weight * entry.weight;
      if (others.size() < kMostSharers) others.emplace_back(n, entry.weight);
    }
    for (std::uint32_t other = 0; other < n; ++other) {
      if (likeness[other] < kThreshold) continue;
      edges[n].emplace_back(other, likeness[other]);
      edges[other].emplace_back(n, likeness[other]);
    }
  }
  std::vector<double> rank(nodes.size(), 1);
  std::vector<double> total(nodes.size());
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    for (const auto& edge : edges[n]) total[n] += edge.second;
  }
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> next(nodes.size(), 1 - kDamping);
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      for (const auto& [other, weight] : edges[n]) next[other] += kDamping * rank[n] * weight / total[n];
    }
    rank.swap(next);
  }
  std::vector<double> whole(units.size(), 0.1);
  for (std::size_t n = 0; n < nodes.size(); ++n) whole[nodes[n]] = rank[n];
  const auto heaviest = scores_.empty() ? 1 : std::max(1e-9, *std::max_element(scores_.begin(), scores_.end()));
  for (std::size_t i = 0; i < units.size(); ++i) {
    // What opens a text mostly names its subject.
    const double opening = i < 3 ? 1.1 : 1.0;
    scores_[i] = (0.4 + whole[i]) * (0.3 + scores_[i] / heaviest) * quotable(units[i]) * opening;
  }
}

std::vector<Ranking::Entry> Ranking::vector_of(const Unit& unit) const {
  std::vector<Entry> entries;
  for (auto i = unit.first_token; i < unit.last_token; ++i) {
    const auto& token = document_.tokens()[i];
    const auto weight = document_.term_of(token).weight;
    if (weight > 0 && !token.doubtful) entries.push_back({token.term, static_cast<float>(weight)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.term < b.term; });
  entries.erase(
      std::unique(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.term == b.term; }),
      entries.end());
  float length = 0;
  for (const auto& entry : entries) length += entry.weight * entry.weight;
  length = std::sqrt(length);
  for (auto& entry : entries) entry.weight /= length;
  return entries;
}

// 1 for a sentence that can be read alone; less for one that is short, endless, leans on the one before,
// asks, or was heard badly.
double Ranking::quotable(const Unit& unit) const {
  const auto words = unit.last_token - unit.first_token;
  double factor = words < 4 ? 0.15 : words < 6 ? 0.6 : words > 40 ? 0.4 : words > 28 ? 0.75 : 1.0;
  const auto& first = document_.term_of(document_.tokens()[unit.first_token]);
  if (document_.language().leans_back(first.word)) factor *= 0.45;
  const auto last = last_character(document_.text_of(unit.range));
  if (last == U'?' || last == U'？') factor *= 0.4;
  if (unit.confidence < 0.85F) factor *= std::pow(static_cast<double>(unit.confidence) / 0.85, 3);
  // First and second person: the speaker talks to us, not about the matter.
  if (document_.language().english()) {
    int personal = 0;
    for (auto i = unit.first_token; i < unit.last_token; ++i) {
      const auto& word = document_.term_of(document_.tokens()[i]).word;
      personal += word == "i" || word == "i'm" || word == "my" || word == "subscribe" || word == "channel" ||
                  word == "hello" || word == "hi" || word == "welcome" || word == "thanks" || word == "i'll";
    }
    if (personal > 0) factor *= personal > 1 ? 0.3 : 0.55;
  }
  return factor;
}

double Ranking::similarity(std::uint32_t a, std::uint32_t b) const {
  const auto& left = vectors_[a];
  const auto& right = vectors_[b];
  double sum = 0;
  for (auto i = left.begin(), j = right.begin(); i != left.end() && j != right.end();) {
    if (i->term < j->term) {
      ++i;
    } else if (j->term < i->term) {
      ++j;
    } else {
      sum += i++->weight * j++->weight;
    }
  }
  return sum;
}

std::vector<std::uint32_t> Ranking::pick(std::vector<std::uint32_t> units, std::size_t count) const {
  std::sort(units.begin(), units.end(),
            [&](auto a, auto b) { return scores_[a] != scores_[b] ? scores_[a] > scores_[b] : a < b; });
  if (units.size() > kMostPicked) units.resize(kMostPicked);
  std::vector<std::uint32_t> picked;
  std::vector<double> nearest(units.size(), 0);
  while (picked.size() < count && picked.size() < units.size()) {
    std::size_t best = units.size();
    double best_value = -1;
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (nearest[i] > 0.8) continue;  // chosen, or as good as said
      const auto value = scores_[units[i]] * (1 - nearest[i]);
      if (value > best_value) {
        best_value = value;
        best = i;
      }
    }
    if (best == units.size()) break;
    picked.push_back(units[best]);
    for (std::size_t i = 0; i < units.size(); ++i) {
      nearest[i] = std::max(nearest[i], i == best ? 1.0 : similarity(units[i], units[best]));
    }
  }
  return picked;
}

}  // namespace rushes::insight
