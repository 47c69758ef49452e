#include "app/cli/terminal.h"

#include "app/cli/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Printable, DisarmsWhatWouldSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\rc\nd\x7f"), "a [2Jb c d ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            " 31m")
      << "the one-character form of escape and bracket";
  EXPECT_EQ(printable("gpj.\xe2\x80\xae"
                      "exe"),
            "gpj.exe")
      << "text turned around";
  EXPECT_EQ(printable("bad \xff byte"), "bad ? byte");
  EXPECT_EQ(printable("Grüße, 日本 🎬"), "Grüße, 日本 🎬");
}

TEST(DisplayWidth, CountsColumnsAndNotBytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("für"), 3U);
  EXPECT_EQ(display_width("fu\xcc\x88r"), 3U) << "a combining mark";
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("🎬"), 2U);
}

TEST(Fit, NeverExceedsTheColumns) {
  EXPECT_EQ(fit("four", 4), "four");
  EXPECT_EQ(fit("five!", 4), "fiv…");
  EXPECT_EQ(fit("日本語", 4), "日…");
  EXPECT_EQ(fit("any", 0), "");
  EXPECT_EQ(pad("日本語", 5), "日本…");
  EXPECT_EQ(pad("日本語", 4), "日… ");
}

TEST(Wrap, BreaksAtSpacesAndKeepsParagraphs) {
  EXPECT_THAT(wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap("a\n\nb", 7), ElementsAre("a", "", "b"));
  EXPECT_THAT(wrap("unbreakable x", 4), ElementsAre("unbreakable", "x"));
}

TEST(Bar, IsFilledToAnEighthOfAColumn) {
  EXPECT_EQ(render_bar(0, 4, true), "░░░░");
  EXPECT_EQ(render_bar(100, 4, true), "████");
  EXPECT_EQ(render_bar(50, 4, true), "██░░");
  EXPECT_EQ(render_bar(57, 4, true), "██▎░");
  EXPECT_EQ(render_bar(57, 10, false), "#####-----");
  EXPECT_EQ(render_bar(-5, 2, false), "--");
  EXPECT_EQ(render_bar(250, 2, false), "##");
}

TEST(Bar, HasExactlyItsColumnsAtEveryPercent) {
  for (int percent = 0; percent <= 100; ++percent) {
    EXPECT_EQ(display_width(render_bar(percent, 17, true)), 17U) << percent;
    EXPECT_EQ(render_bar(percent, 17, false).size(), 17U) << percent;
  }
}

TEST(ProgressLine, FitsIntoEveryWidth) {
  const ProgressLine line{Mark::working, "a talk with a long name, longer than its column", 57,
                          "Transcribing audio: 0:42 of 3:10, which is long", "12:34"};
  Terminal terminal;
  for (std::size_t columns = 20; columns <= 200; ++columns) {
    EXPECT_LE(display_width(render_line(line, terminal, columns, 3)), columns) << columns;
  }
}

TEST(ProgressLine, GivesUpTheTimeThenTheBarForTheText) {
  const ProgressLine line{Mark::working, "talk.mp4", 57, "Transcribing audio", "1:05"};
  Terminal terminal;
  terminal.utf8 = false;
  EXPECT_EQ(render_line(line, terminal, 90, 0),
            "| talk.mp4               ###########---------  57% Transcribing audio                 1:05");
  EXPECT_THAT(render_line(line, terminal, 60, 0), Not(HasSubstr("1:05")));
  EXPECT_THAT(render_line(line, terminal, 60, 0), HasSubstr("Transcribing audio"));
  EXPECT_THAT(render_line(line, terminal, 32, 0), Not(HasSubstr("#")));
}

TEST(ProgressLine, IsColouredOnlyWhereColoursAreShown) {
  const ProgressLine line{Mark::failed, "talk.mp4", 57, "The file is broken", {}};
  Terminal terminal;
  EXPECT_THAT(render_line(line, terminal, 80, 0), Not(HasSubstr("\x1b")));
  terminal.colour = true;
  EXPECT_THAT(render_line(line, terminal, 80, 0), HasSubstr("\x1b[31mThe file is broken\x1b[0m"));
}

}  // namespace
}  // namespace rushes::app::cli
