#include "api/members.h"

#include <gtest/gtest.h>

namespace rushes::api {
namespace {

net::Request request_with(std::string_view prefer, std::string query = "") {
  net::Request request;
  request.query = std::move(query);
  if (!prefer.empty()) request.headers.add("Prefer", prefer);
  return request;
}

std::string name_of(const Result<void>& result) { return result ? "" : std::string(result.error().public_name()); }

TEST(Members, AKnownMemberIsReadOrRefused) {
  const auto object =
      parse_json(R"({"text": "words", "flag": true, "number": 7, "whole": 7.0, "none": null, "within": {}})")
          .value()
          .get_object();
  Unknown unknown;
  const Members members(object, "BAD", "job.", {"text", "flag", "number", "whole", "none", "within"}, unknown);
  EXPECT_TRUE(unknown.empty());
  EXPECT_EQ(members.text("text").value(), "words");
  EXPECT_EQ(members.flag("flag").value(), true);
  EXPECT_EQ(members.number("number", 1, 10).value(), 7);
  EXPECT_EQ(members.number("whole", 1, 10).value(), 7) << "JSON has one kind of number";
  EXPECT_NE(members.object("within").value(), nullptr);
  EXPECT_FALSE(members.text("none").value()) << "null is as absent";
  EXPECT_FALSE(members.flag("absent").value());

  const auto refused = [](const auto& read) {
    EXPECT_EQ(read.error().public_name(), "BAD");
    EXPECT_EQ(read.error().http_status(), 422);
    return read.error().what();
  };
  EXPECT_EQ(refused(members.text("number")), "job.number 7 is not a text.");
  EXPECT_EQ(refused(members.text("text", 3)), "job.text has 5 bytes; at most 3 are taken.");
  EXPECT_EQ(refused(members.flag("text")), "job.text \"words\" is not allowed; write true or false.");
  EXPECT_EQ(refused(members.number("number", 8, 10)), "job.number 7 is not a whole number from 8 to 10.");
  EXPECT_EQ(refused(members.object("flag")), "job.flag true is not an object.");
}

TEST(Members, ThoseThatAreNotKnownAreNamedUpToALimit) {
  json::object object{{std::string(100, 'x'), 1}};
  for (int i = 0; i < 100; ++i) object["m" + std::to_string(i)] = 1;
  Unknown unknown;
  const Members members(object, "BAD", "", {"text", "flag"}, unknown);
  ASSERT_EQ(unknown.size(), 16U);
  EXPECT_EQ(unknown[1], "m0 is unknown; allowed: text, flag.");
  EXPECT_LT(unknown[0].size(), 100U);
}

TEST(Members, StrictIsWhatRfc7240SaysSo) {
  for (const auto* strict :
       {"handling=strict", "Handling = strict", "handling=\"strict\"", "respond-async, handling=strict",
        "foo; bar=\"a, handling=lenient\", handling=strict; x=1"}) {
    EXPECT_TRUE(is_strict(request_with(strict))) << strict;
  }
  for (const auto* lenient : {"", "handling=lenient", "handling", "handling=lenient, handling=strict",
                              "x=\"handling=strict\"", "strict", "foo; handling=strict"}) {
    EXPECT_FALSE(is_strict(request_with(lenient))) << lenient;
  }
  auto two = request_with("respond-async");
  two.headers.add("Prefer", "handling=strict");
  EXPECT_TRUE(is_strict(two));
}

TEST(Members, WhatAQueryHasBesidesIsIgnoredAndNamedOrRefused) {
  auto lenient = request_with("", "limit=1&&Limit=2&a%20b=3&ticket=t");
  EXPECT_TRUE(check_query(lenient, {"limit"}));
  ASSERT_EQ(lenient.ignored.size(), 2U);
  EXPECT_EQ(lenient.ignored[0], "The query parameter Limit is unknown; allowed: limit.");
  EXPECT_EQ(lenient.ignored[1], "The query parameter a b is unknown; allowed: limit.");
  auto strict = request_with("handling=strict", "limit=1&Limit=2");
  EXPECT_EQ(name_of(check_query(strict, {"limit"})), "UNKNOWN_MEMBER");
  EXPECT_TRUE(strict.ignored.empty());
  auto known = request_with("handling=strict", "limit=1");
  EXPECT_TRUE(check_query(known, {"limit"}));
  EXPECT_EQ(name_of(check_query(known, {})), "UNKNOWN_MEMBER");
}

TEST(Members, TheAnswerNamesWhatWasIgnored) {
  auto request = request_with("");
  ASSERT_TRUE(allow_unknown(request, {"x is unknown.", "y is unknown."}));
  for (const auto* body : {R"({"a":1})", "{}"}) {
    auto answer = net::json_text_response(200, body);
    name_ignored(request, answer);
    const auto parsed = parse_json(answer.body).value().get_object();
    const auto& warnings = parsed.at("warnings").get_array();
    ASSERT_EQ(warnings.size(), 2U);
    EXPECT_EQ(warnings[0].at("code"), "UNKNOWN_MEMBER");
    EXPECT_EQ(warnings[1].at("message"), "y is unknown.");
    EXPECT_FALSE(answer.headers.has("Preference-Applied"));
  }
  auto none = net::Response(204);
  name_ignored(request, none);
  EXPECT_EQ(none.body, "");
  auto strict = net::json_text_response(200, "{}");
  name_ignored(request_with("handling=strict"), strict);
  EXPECT_EQ(strict.body, "{}");
  EXPECT_EQ(strict.headers.get("Preference-Applied"), "handling=strict");
}

}  // namespace
}  // namespace rushes::api
