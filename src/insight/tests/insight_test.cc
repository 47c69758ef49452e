#include "base/text.h"
#include "insight/detail/boundaries.h"
#include "insight/detail/word_model.h"
#include "insight/extractive.h"
#include "insight/tests/texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace rushes::insight {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

Material of(captions::Transcript transcript) {
  Material material;
  material.transcript = std::move(transcript);
  return material;
}

Analysis analyse(const Material& material) { return make_extractive_analyst()->analyse(material, {}).value(); }

double seconds_of(const std::string& timestamp) {
  double seconds = 0;
  double field = 0;
  for (const char c : timestamp + ":") {
    if (c != ':') {
      field = field * 10 + (c - '0');
      continue;
    }
    seconds = seconds * 60 + field;
    field = 0;
  }
  return seconds;
}

std::vector<std::string> all_sentences() {
  std::vector<std::string> all;
  for (const auto text : {kBread, kTelescope, kCoffee}) {
    for (auto& sentence : sentences_of(text)) all.push_back(std::move(sentence));
  }
  return all;
}

bool has_part(const std::vector<std::string>& list, std::string_view part) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& text) { return to_lower_ascii(text).find(part) != std::string::npos; });
}

void expect_contract(const Analysis& analysis) {
  ASSERT_THAT(analysis.title_rewrite.titles, SizeIs(kTitleCount));
  std::set<std::string> distinct;
  for (const auto& title : analysis.title_rewrite.titles) {
    EXPECT_LE(count_characters(title), kTitleLength) << title;
    EXPECT_FALSE(title.empty());
    EXPECT_TRUE(distinct.insert(to_lower_ascii(title)).second) << title;
  }
  ASSERT_THAT(analysis.chapters.chapters, Not(IsEmpty()));
  EXPECT_EQ(analysis.chapters.chapters[0].timestamp, "0:00");
  double last = -1;
  for (const auto& chapter : analysis.chapters.chapters) {
    EXPECT_GT(seconds_of(chapter.timestamp), last);
    EXPECT_FALSE(chapter.title.empty());
    EXPECT_LE(count_characters(chapter.title), kTitleLength);
    last = seconds_of(chapter.timestamp);
  }
  EXPECT_THAT(analysis.keyword_extraction.trending, IsEmpty());
  EXPECT_THAT(analysis.keyword_extraction.competitor, IsEmpty());
}

TEST(ExtractiveAnalyst, SummarisesInSentencesOfTheText) {
  const auto summary = make_extractive_analyst()->summarise(of(captioned({kBread, kTelescope, kCoffee}))).value();
  const auto all = all_sentences();
  const auto said = sentences_of(summary);
  EXPECT_GE(said.size(), 2U);
  for (const auto& sentence : said) EXPECT_THAT(all, Contains(sentence));
  // Something of each of the three talks.
  EXPECT_THAT(summary, HasSubstr("read"));
  EXPECT_THAT(summary, HasSubstr("elescope"));
  EXPECT_THAT(summary, HasSubstr("offee"));
}

TEST(ExtractiveAnalyst, SaysTheSameWhetherItWasPreparedOrNot) {
  const auto material = of(captioned({kBread, kTelescope, kCoffee}));
  const auto fresh = make_extractive_analyst();
  const auto prepared = make_extractive_analyst();
  prepared->prepare();
  EXPECT_EQ(to_json(prepared->analyse(material, {}).value()), to_json(fresh->analyse(material, {}).value()));
  EXPECT_EQ(prepared->summarise(material).value(), fresh->summarise(material).value());
}

TEST(ExtractiveAnalyst, CutsChaptersWhereTheSubjectChanges) {
  const auto transcript = captioned({kBread, kTelescope, kCoffee});
  const auto analysis = analyse(of(transcript));
  expect_contract(analysis);
  for (const std::size_t first : {10U, 20U}) {
    const auto border = transcript.segments[first].start;
    double nearest = 1e9;
    for (const auto& chapter : analysis.chapters.chapters) {
      nearest = std::min(nearest, std::abs(seconds_of(chapter.timestamp) - border));
    }
    EXPECT_LE(nearest, 6) << "no chapter begins near " << border;
  }
  EXPECT_LE(analysis.chapters.chapters.size(), 8U);
  EXPECT_EQ(analysis.chapters.total_duration, to_clock_time(transcript.segments.back().end));
}

TEST(ExtractiveAnalyst, CutsAHeardTextLikeAWrittenOne) {
  const auto transcript = heard({kBread, kTelescope, kCoffee});
  const auto analysis = analyse(of(transcript));
  expect_contract(analysis);
  double nearest = 1e9;
  for (const auto& chapter : analysis.chapters.chapters) {
    nearest = std::min(nearest, std::abs(seconds_of(chapter.timestamp) - transcript.segments[10].start));
  }
  EXPECT_LE(nearest, 6);
}

TEST(ExtractiveAnalyst, NamesTheSubjectsAsKeywords) {
  const auto keywords = analyse(of(captioned({kBread, kTelescope, kCoffee}))).keyword_extraction;
  for (const auto subject : {"coffee beans", "telescope", "dough"}) EXPECT_TRUE(has_part(keywords.primary, subject));
  EXPECT_GE(keywords.long_tail.size(), 5U);
  for (const auto& phrase : keywords.long_tail) {
    EXPECT_THAT(phrase, HasSubstr(" "));
    EXPECT_THAT(phrase, Not(StartsWith("the ")));
  }
  for (const auto fragment : {"of the", "a", "bends", "quickly", "eats"}) {
    EXPECT_THAT(keywords.primary, Not(Contains(fragment)));
  }
}

TEST(ExtractiveAnalyst, NamesNothingTwiceByItsStem) {
  auto keywords = analyse(of(captioned({kBread, kTelescope, kCoffee}))).keyword_extraction;
  std::set<std::string> stems;
  for (auto word : keywords.primary) {
    if (word.ends_with("s")) word.pop_back();
    EXPECT_TRUE(stems.insert(word).second) << word;
  }
}

TEST(ExtractiveAnalyst, QuotesOneIdeaAThumbnailAndInventsNoColours) {
  const auto analysis = analyse(of(captioned({kBread, kTelescope, kCoffee})));
  const auto all = all_sentences();
  ASSERT_THAT(analysis.thumbnail_ideas, SizeIs(3));
  EXPECT_THAT(analysis.thumbnail_ai_prompts, SizeIs(3));
  for (const auto& idea : analysis.thumbnail_ideas) {
    EXPECT_THAT(all, Contains(idea.concept_text));
    EXPECT_THAT(idea.visual_elements, Not(IsEmpty()));
    EXPECT_THAT(idea.color_scheme, IsEmpty());
  }
  for (const auto& point : analysis.description_rewrite.key_points) EXPECT_THAT(all, Contains(point));
  for (const auto& tag : analysis.description_rewrite.hashtags) {
    EXPECT_THAT(tag, StartsWith("#"));
    EXPECT_THAT(tag, Not(HasSubstr(" ")));
  }
}

TEST(ExtractiveAnalyst, LeavesDoubtfulWordsOutOfTitlesAndKeywords) {
  auto transcript = heard({kBread, kTelescope, kCoffee});
  for (auto& word : transcript.words) {
    if (word.text == "telescope" || word.text == "telescopes") word.confidence = 0.3;
  }
  const auto analysis = analyse(of(transcript));
  EXPECT_FALSE(has_part(analysis.title_rewrite.titles, "telescope"));
  EXPECT_FALSE(has_part(analysis.keyword_extraction.primary, "telescope"));
  EXPECT_FALSE(has_part(analysis.keyword_extraction.long_tail, "telescope"));
  EXPECT_TRUE(has_part(analysis.keyword_extraction.primary, "coffee beans"));
}

// As automatic captions come: no marks, no pauses, lines that end anywhere.
TEST(ExtractiveAnalyst, FindsSentencesWhereNobodyMarkedThem) {
  const auto spoken = heard({kBread, kTelescope, kCoffee});
  captions::Transcript transcript;
  std::size_t words = 0;
  std::string line;
  for (const auto& word : spoken.words) {
    line += (line.empty() ? "" : " ") + word.text;
    if (++words % 7 != 0) continue;
    const auto start = static_cast<double>(words - 7) * 0.4;
    transcript.segments.push_back({start, start + 2.8, line});
    line.clear();
  }
  const auto analysis = analyse(of(transcript));
  expect_contract(analysis);
}

TEST(GuessSentences, FindsMuchMoreThanChanceInABareRunOfWords) {
  const auto model = WordModel::open(ExtractiveOptions().word_model);
  ASSERT_TRUE(model) << "pocketsphinx-en-us is not installed";
  const auto spoken = heard({kBread, kTelescope, kCoffee});
  std::vector<HeardWord> words;
  for (const auto& word : spoken.words) words.push_back({word.text, 0, false});
  std::set<std::size_t> ends;
  std::size_t at = 0;
  for (const auto& segment : spoken.segments) {
    at += static_cast<std::size_t>(std::count(segment.text.begin(), segment.text.end(), ' ')) + 1;
    ends.insert(at);
  }
  at = 0;
  std::size_t found = 0;
  const auto lengths = guess_sentences(*model, words);
  for (const auto length : lengths) found += ends.contains(at += length);
  EXPECT_EQ(at, words.size());
  // As many guesses thrown at random would hit lengths * ends / words of them.
  EXPECT_GE(found * words.size(), 3 * lengths.size() * ends.size());
  EXPECT_LE(lengths.size(), ends.size() * 3 / 2);
}

TEST(WordModel, TellsNounsFromVerbs) {
  const auto model = WordModel::open(ExtractiveOptions().word_model);
  ASSERT_TRUE(model) << "pocketsphinx-en-us is not installed";
  for (const auto* noun : {"coffee", "telescope", "beans", "energy", "wheel"}) {
    EXPECT_EQ(model->kind(noun), WordKind::noun) << noun;
    EXPECT_TRUE(model->can_end_phrase(noun)) << noun;
  }
  for (const auto* verb : {"grows", "boils", "pull", "rises"}) EXPECT_EQ(model->kind(verb), WordKind::verb) << verb;
  for (const auto* quality : {"hot", "important", "easier"})
    EXPECT_EQ(model->kind(quality), WordKind::adjective) << quality;
  EXPECT_FALSE(model->can_end_phrase("nuclear"));
  EXPECT_LT(model->commonness("telescope"), model->commonness("water"));
  EXPECT_GT(model->affinity("solar", "panels"), 2);
}

TEST(ExtractiveAnalyst, WritesHeardTextWithACapitalAndAStop) {
  const auto summary = make_extractive_analyst()->summarise(of(heard({kCoffee}))).value();
  EXPECT_TRUE(summary[0] >= 'A' && summary[0] <= 'Z') << summary;
  EXPECT_TRUE(summary.ends_with('.')) << summary;
}

TEST(ExtractiveAnalyst, ReadsPlainTextWithEstimatedTimes) {
  auto transcript = captioned({kBread, kTelescope, kCoffee});
  transcript.timed = false;
  transcript.language.clear();
  const auto analysis = analyse(of(transcript));
  expect_contract(analysis);
  EXPECT_GE(analysis.chapters.chapters.size(), 3U);
  EXPECT_THAT(analysis.description_rewrite.description, Not(HasSubstr("0:00"))) << "guessed times are not for show";
}

TEST(ExtractiveAnalyst, KeepsTheAuthorsChapters) {
  auto material = of(captioned({kBread, kTelescope, kCoffee}));
  material.source_chapters = {{64, "Stars"}, {0, "Bread"}, {126, "Coffee"}};
  const auto chapters = analyse(material).chapters.chapters;
  ASSERT_THAT(chapters, SizeIs(3));
  EXPECT_EQ(chapters[1].timestamp, "1:04");
  EXPECT_EQ(chapters[1].title, "Stars");
  EXPECT_THAT(to_lower_ascii(chapters[1].description), HasSubstr("telescope"));
}

TEST(ExtractiveAnalyst, PutsTheGivenTitleAmongTheSeven) {
  auto material = of(captioned({kCoffee}));
  material.title = "From Bean to Cup";
  EXPECT_THAT(analyse(material).title_rewrite.titles, Contains("From Bean to Cup"));
}

TEST(ExtractiveAnalyst, FindsSevenTitlesInHardlyAnyWords) {
  for (const auto text :
       {"Water boils.", "hello", "one two three", "Grind the beans fresh.", "42", "咖啡", "שלום עולם"}) {
    captions::Transcript transcript;
    transcript.segments.push_back({0, 2, text});
    const auto analysis = analyse(of(transcript));
    expect_contract(analysis);
    EXPECT_THAT(analysis.chapters.chapters, SizeIs(1));
  }
}

TEST(ExtractiveAnalyst, SpeaksForASilentVideoByItsTitleAndTags) {
  Material material;
  material.title = "Restoring a 1950s espresso machine";
  material.description =
      "A lever machine from Milan gets a new boiler.\nhttps://example.org/shop\nNo words, only work.";
  material.tags = {"espresso", "restoration"};
  material.duration = 600;
  const auto analysis = analyse(material);
  expect_contract(analysis);
  EXPECT_THAT(analysis.keyword_extraction.primary, Contains("restoration"));
  ASSERT_THAT(analysis.chapters.chapters, SizeIs(1));
  EXPECT_EQ(analysis.chapters.chapters[0].title, material.title);
  EXPECT_EQ(analysis.chapters.total_duration, "10:00");
  EXPECT_THAT(analysis.description_rewrite.description, Not(HasSubstr("example.org")));
}

TEST(ExtractiveAnalyst, RefusesMaterialWithoutAWord) {
  for (const auto* text : {"", "   ", "[Music]", "♪ ♪", "🎬🎬"}) {
    Material material;
    material.transcript.segments.push_back({0, 1, text});
    const auto result = make_extractive_analyst()->analyse(material, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().public_name(), "TRANSCRIPT_EMPTY");
  }
}

TEST(ExtractiveAnalyst, ReadsGermanAndChinese) {
  captions::Transcript german;
  for (const auto* line :
       {"Eine Wärmepumpe entzieht der Luft Wärme und heizt damit das Haus.", "Die Wärmepumpe braucht dafür Strom.",
        "Je besser die Dämmung, desto sparsamer arbeitet die Wärmepumpe.", "Eine gute Dämmung spart also Strom."}) {
    const auto start = german.segments.empty() ? 0 : german.segments.back().end;
    german.segments.push_back({start, start + 5, line});
  }
  const auto analysis = analyse(of(german));
  expect_contract(analysis);
  EXPECT_EQ(analysis.keyword_extraction.primary.at(0), "Wärmepumpe");
  EXPECT_THAT(analysis.keyword_extraction.primary, Contains("Dämmung"));
  EXPECT_THAT(analysis.description_rewrite.hashtags, Contains("#Wärmepumpe"));

  captions::Transcript chinese;
  chinese.segments = {{0, 4, "咖啡豆是一种红色果实的种子。"},
                      {4, 8, "生咖啡豆是绿色的，所以必须经过烘焙。"},
                      {8, 12, "烘焙的时候，咖啡豆会失去水分。"}};
  const auto other = analyse(of(chinese));
  expect_contract(other);
  EXPECT_EQ(other.keyword_extraction.primary.at(0), "咖啡豆");
}

TEST(ExtractiveAnalyst, ReadsSpanish) {
  captions::Transcript transcript;
  for (const auto* line : {"La energía solar convierte la luz del sol en electricidad con paneles solares.",
                           "Los paneles solares producen más electricidad en verano y menos en invierno.",
                           "Una batería guarda la electricidad de los paneles solares para la noche.",
                           "El aceite de oliva virgen extra tiene un sabor intenso y una acidez muy baja.",
                           "¿Cómo se conserva el aceite de oliva?"}) {
    const auto start = transcript.segments.empty() ? 0 : transcript.segments.back().end;
    transcript.segments.push_back({start, start + 6, line});
  }
  const auto analysis = analyse(of(transcript));
  expect_contract(analysis);
  EXPECT_THAT(analysis.title_rewrite.titles, Contains("¿Cómo se conserva el aceite de oliva?"));
  EXPECT_THAT(analysis.keyword_extraction.primary, Contains("paneles solares"));
  EXPECT_THAT(analysis.keyword_extraction.primary, Contains("aceite de oliva"));
  for (const auto* verb : {"guarda", "convierte", "producen"}) {
    EXPECT_THAT(analysis.keyword_extraction.primary, Not(Contains(verb)));
  }
}

TEST(ExtractiveAnalyst, WorksWithoutAWordModel) {
  ExtractiveOptions options;
  options.word_model = "/nonexistent/en-us.lm.bin";
  const auto analysis = make_extractive_analyst(options)->analyse(of(captioned({kCoffee})), {}).value();
  expect_contract(analysis);
  EXPECT_TRUE(has_part(analysis.keyword_extraction.primary, "coffee"));
}

TEST(ExtractiveAnalyst, ReportsRisingProgressAndGivesTheSameTwice) {
  const auto material = of(captioned({kBread, kCoffee}));
  const auto analyst = make_extractive_analyst();
  std::vector<double> seen;
  const auto first = analyst->analyse(material, [&](double fraction) { seen.push_back(fraction); }).value();
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 1);
  EXPECT_EQ(to_json(first), to_json(analyst->analyse(material, {}).value()));
}

TEST(ExtractiveAnalyst, SplitsSentencesAtCaptionsThatIcuTakesForAbbreviations) {
  captions::Transcript transcript;
  transcript.language = "de";
  transcript.segments = {{0, 5, "Mischen Sie im Frühling reifen Kompost unter."},
                         {5, 9, "Kompost hält den Boden feucht."}};
  const auto points = analyse(of(transcript)).description_rewrite.key_points;
  EXPECT_THAT(points, Contains("Kompost hält den Boden feucht."));
}

TEST(AnalysisJson, HasTheContractsShape) {
  const auto object = to_json(analyse(of(captioned({kBread, kTelescope, kCoffee}))));
  std::vector<std::string> keys;
  for (const auto& member : object) keys.emplace_back(member.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"titleRewrite", "descriptionRewrite", "keywordExtraction", "chapters",
                                            "thumbnailIdeas", "thumbnailAIPrompts"}));
  EXPECT_EQ(object.at("titleRewrite").at("titles").as_array().size(), 7U);
  EXPECT_TRUE(object.at("titleRewrite").at("reasoning").is_string());
  EXPECT_TRUE(object.at("descriptionRewrite").at("description").is_string());
  EXPECT_TRUE(object.at("descriptionRewrite").at("hashtags").is_array());
  EXPECT_TRUE(object.at("descriptionRewrite").at("keyPoints").is_array());
  for (const auto* key : {"primaryKeywords", "longTailKeywords", "trendingKeywords", "competitorKeywords"}) {
    EXPECT_TRUE(object.at("keywordExtraction").at(key).is_array()) << key;
  }
  const auto& chapter = object.at("chapters").at("chapters").as_array().at(0);
  EXPECT_EQ(chapter.at("timestamp").as_string(), "0:00");
  EXPECT_TRUE(chapter.at("title").is_string());
  EXPECT_TRUE(chapter.at("description").is_string());
  EXPECT_TRUE(object.at("chapters").at("totalDuration").is_string());
  const auto& idea = object.at("thumbnailIdeas").as_array().at(0);
  for (const auto* key : {"textOverlay", "concept", "colorScheme", "composition"}) {
    EXPECT_TRUE(idea.at(key).is_string()) << key;
  }
  EXPECT_TRUE(idea.at("visualElements").is_array());
  EXPECT_TRUE(object.at("thumbnailAIPrompts").as_array().at(0).is_string());
}

TEST(AnalysisJson, LeavesOutWhatIsUnknown) {
  const auto object = to_json(Analysis{});
  EXPECT_FALSE(object.at("titleRewrite").as_object().contains("reasoning"));
  EXPECT_FALSE(object.at("chapters").as_object().contains("totalDuration"));
}

}  // namespace
}  // namespace rushes::insight
