#include "base/named_set.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rushes {
namespace {

struct Actor {
  std::string name;
};
struct NameOfActor {
  std::string_view operator()(const Actor& actor) const noexcept { return actor.name; }
};

TEST(NamedSet, FindsByNameWhatItWasGiven) {
  Actor keaton{"Keaton"};
  Actor lloyd{"Lloyd"};
  NamedSet<Actor, NameOfActor> cast;
  cast.insert(keaton);
  cast.insert(lloyd);
  EXPECT_EQ(cast.find("Keaton"), &keaton);
  EXPECT_EQ(cast.find("Lloyd"), &lloyd);
  EXPECT_EQ(cast.find("Chaplin"), nullptr);
  EXPECT_EQ(cast.size(), 2U);
}

TEST(NamedSet, ForgetsOnlyTheObjectOfThatName) {
  Actor keaton{"Keaton"};
  Actor lloyd{"Lloyd"};
  NamedSet<Actor, NameOfActor> cast;
  cast.insert(keaton);
  cast.insert(lloyd);
  cast.erase(keaton);
  EXPECT_EQ(cast.find("Keaton"), nullptr);
  EXPECT_EQ(cast.find("Lloyd"), &lloyd);
}

TEST(NamedSet, HoldsManyAndGivesEachOnce) {
  std::vector<Actor> extras(1000);
  NamedSet<Actor, NameOfActor> cast;
  for (std::size_t i = 0; i < extras.size(); ++i) {
    extras[i].name = "extra " + std::to_string(i);
    cast.insert(extras[i]);
  }
  for (auto& extra : extras) ASSERT_EQ(cast.find(extra.name), &extra);
  std::size_t seen = 0;
  for (const Actor* extra : cast) seen += cast.find(extra->name) == extra ? 1 : 0;
  EXPECT_EQ(seen, extras.size());
}

}  // namespace
}  // namespace rushes
