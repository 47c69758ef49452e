#include "app/config.h"

#include "base/file.h"
#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSecret = "a secret of the tests, 32 bytes ";

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file(std::string_view content) {
    EXPECT_TRUE(write_file_atomically(folder_ / "rushes.toml", content));
    return folder_ / "rushes.toml";
  }
  static std::string refusal(const ConfigSources& sources) {
    const auto loaded = load_config(sources);
    return loaded ? "accepted" : loaded.error().what();
  }
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("rushes-config-" + SystemRng().token(6));
};

TEST_F(ConfigTest, LaterSourcesWin) {
  ConfigSources sources;
  sources.file = file(
      "port = 1\nworkers = 7\nmax_upload_bytes = \"3 GiB\"\n"
      "cors_origins = [\"https://a.example\", \"https://b.example\"]\n");
  sources.environment = {{"RUSHES_PORT", "2"}, {"PORT", "9"}, {"JWT_SECRET", std::string(kSecret)}, {"PATH", "/bin"}};
  sources.arguments = {{"port", "3"}};
  const auto config = load_config(sources).value();
  EXPECT_EQ(config.port, 3);
  EXPECT_EQ(config.workers, 7);
  EXPECT_EQ(config.max_upload_bytes, std::int64_t{3} << 30U);
  EXPECT_EQ(config.jwt_secret, std::string(kSecret));
  EXPECT_THAT(config.cors_origins, ::testing::ElementsAre("https://a.example", "https://b.example"));
  sources.arguments.clear();
  EXPECT_EQ(load_config(sources).value().port, 2) << "RUSHES_PORT is closer than PORT";
}

TEST_F(ConfigTest, AnEmptyVariableIsAsAbsent) {
  ConfigSources sources;
  sources.file = file("workers = 7\n");
  sources.environment = {
      {"RUSHES_PORT", ""},           {"PORT", "9"},          {"JWT_SECRET", ""},    {"RUSHES_JWT_JWKS", ""},
      {"RUSHES_JWT_PUBLIC_KEY", ""}, {"RUSHES_WORKERS", ""}, {"RUSHES_SANDBOX", ""}};
  const auto config = load_config(sources).value();
  EXPECT_EQ(config.port, 9);
  EXPECT_EQ(config.workers, 7);
  EXPECT_TRUE(has_own_secret(config));
  sources.file = file("jwt_jwks = \"\"\n");
  EXPECT_THAT(refusal(sources), HasSubstr("rushes.toml:1")) << "what is written in a file is meant";
}

TEST_F(ConfigTest, NamesTheLineAndWhatIsAllowed) {
  ConfigSources sources;
  sources.file = file("host = \"127.0.0.1\"\nprot = 3000\n");
  EXPECT_THAT(refusal(sources),
              ::testing::AllOf(HasSubstr("rushes.toml:2"), HasSubstr("unknown key 'prot'"), HasSubstr("port")));
  sources.file = file("\n\nport = 70000\n");
  EXPECT_THAT(refusal(sources),
              ::testing::AllOf(HasSubstr("rushes.toml:3"), HasSubstr("'70000'"), HasSubstr("0 to 65535")));
  sources.file = file("port = \n");
  EXPECT_THAT(refusal(sources), HasSubstr("rushes.toml:1"));
  sources.file = folder_ / "absent.toml";
  EXPECT_THAT(refusal(sources), HasSubstr("absent.toml"));
}

TEST_F(ConfigTest, RefusesBadEnvironment) {
  EXPECT_THAT(refusal({{}, {{"RUSHES_MAX_QUEUED_PER_USER", "many"}}, {}}),
              ::testing::AllOf(HasSubstr("RUSHES_MAX_QUEUED_PER_USER"), HasSubstr("'many'")));
  EXPECT_THAT(refusal({{}, {{"RUSHES_PROT", "1"}}, {}}), HasSubstr("RUSHES_PROT: unknown"));
  EXPECT_THAT(refusal({{}, {{"RUSHES_DEVELOPMENT", "yes"}}, {}}), HasSubstr("true, false"));
}

TEST_F(ConfigTest, SidPrefixIsOneCharacterOfTheSessionIds) {
  for (const auto* good : {"", "a", "Z", "7", "-", "_"}) {
    EXPECT_EQ(load_config({{}, {}, {{"sid_prefix", good}}}).value().sid_prefix, good);
  }
  for (const auto* bad : {"ab", "+", "/", " ", "\xc3"}) {
    EXPECT_THAT(refusal({{}, {}, {{"sid_prefix", bad}}}), HasSubstr("sid_prefix")) << bad;
  }
}

TEST_F(ConfigTest, ReadsWhereKeysComeFromAndWhatTokensMustSay) {
  ConfigSources sources;
  sources.file = file("jwt_public_key = \"key.pem\"\njwt_issuer = \"https://a.example/\"\njwt_skew = 60\n");
  sources.environment = {{"RUSHES_JWT_JWKS", "https://a.example/jwks.json"}, {"RUSHES_JWT_AUDIENCE", "rushes, web"}};
  const auto config = load_config(sources).value();
  EXPECT_EQ(config.jwt_public_key, "key.pem");
  EXPECT_THAT(config.jwt_jwks, ::testing::ElementsAre("https://a.example/jwks.json"));
  EXPECT_THAT(config.jwt_issuer, ::testing::ElementsAre("https://a.example/"));
  EXPECT_EQ(jwks_places(config).at(0).issuer, "https://a.example/") << "the only one";
  EXPECT_THAT(config.jwt_audience, ::testing::ElementsAre("rushes", "web"));
  EXPECT_EQ(config.jwt_skew, std::chrono::seconds(60));
}

TEST_F(ConfigTest, NamesBadTokenSettings) {
  for (const auto* url :
       {"ftp://a.example/", "file:///etc/keys", "https://user@a.example/", "https:///x", "http://[::1"}) {
    EXPECT_THAT(refusal({{}, {{"RUSHES_JWT_JWKS", url}}, {}}),
                ::testing::AllOf(HasSubstr("jwt_jwks: '"), HasSubstr("allowed: a file, or an http or https URL")))
        << url;
  }
  // An empty one would accept every token's, silently.
  for (const auto* name : {"RUSHES_JWT_ISSUER", "RUSHES_JWT_AUDIENCE"}) {
    EXPECT_THAT(refusal({{}, {{name, ""}}, {}}), HasSubstr("is empty")) << name;
  }
  EXPECT_THAT(refusal({{}, {{"RUSHES_JWT_ISSUER", " , "}}, {}}), HasSubstr("is empty"));
  EXPECT_THAT(refusal({{}, {{"RUSHES_JWT_SKEW", "-1"}}, {}}), HasSubstr("0 to 300"));
}

TEST_F(ConfigTest, BindsEachKeySetToItsIssuer) {
  ConfigSources sources;
  sources.file = file(
      "jwt_issuer = [\"https://a.example/\", \"https://b.example/\"]\n"
      "jwt_jwks = [\"https://a.example/ https://a.example/keys\", \"https://b.example/  my keys.json\"]\n");
  const auto places = jwks_places(load_config(sources).value());
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(places[0].issuer, "https://a.example/");
  EXPECT_EQ(places[0].place, "https://a.example/keys");
  EXPECT_EQ(places[1].issuer, "https://b.example/");
  EXPECT_EQ(places[1].place, "my keys.json");

  const auto of = [&](const std::string& issuers, const std::string& jwks) {
    return refusal({{}, {{"RUSHES_JWT_ISSUER", issuers}, {"RUSHES_JWT_JWKS", jwks}}, {}});
  };
  EXPECT_EQ(of("https://a", "https://a/keys"), "accepted");
  EXPECT_EQ(of("https://a", "https://a https://a/keys,https://a https://a/more"), "accepted");
  EXPECT_THAT(of("https://a,https://b", "https://a/keys"),
              ::testing::AllOf(HasSubstr("jwt_jwks: 'https://a/keys' must begin with the issuer"),
                               HasSubstr("[\"https://a https://a/keys\", …]")));
  EXPECT_THAT(of("https://a", "https://c https://c/keys"), HasSubstr("none of jwt_issuer"));
  EXPECT_THAT(of("https://a", "https://a ftp://a/keys"), HasSubstr("neither with http://"));
  EXPECT_THAT(refusal({{}, {{"RUSHES_JWT_JWKS", "https://c https://c/keys"}}, {}}), HasSubstr("none of jwt_issuer"));
  EXPECT_THAT(refusal({{}, {{"RUSHES_JWT_ISSUER", "x,y"}, {"RUSHES_JWT_PUBLIC_KEY", "key.pem"}}, {}}),
              HasSubstr("jwt_public_key: belongs to one issuer"));
  EXPECT_THAT(refusal({{}, {{"RUSHES_JWT_ISSUER", "x"}, {"RUSHES_JWT_ROLE_ISSUERS", "y"}}, {}}),
              HasSubstr("jwt_role_issuers: 'y' is none of jwt_issuer"));
}

TEST_F(ConfigTest, TakesCookiesOnlyForNamedHosts) {
  EXPECT_THAT(refusal({{}, {{"RUSHES_COOKIES_FILE", "cookies.txt"}}, {}}),
              ::testing::AllOf(HasSubstr("cookies_file: is not used without cookies_hosts"),
                               HasSubstr("cookies_hosts = [\"video.example\"]")));
  ConfigSources sources;
  sources.file = file("cookies_file = \"cookies.txt\"\ncookies_hosts = [\"video.example\", \".login.example\"]\n");
  EXPECT_THAT(load_config(sources).value().cookies_hosts, ::testing::ElementsAre("video.example", ".login.example"));
  sources.environment = {{"RUSHES_COOKIES_HOSTS", "other.example"}};
  EXPECT_THAT(load_config(sources).value().cookies_hosts, ::testing::ElementsAre("other.example"));
  sources.environment = {{"RUSHES_COOKIES_HOSTS", ""}};
  EXPECT_EQ(refusal(sources), "accepted") << "an empty variable is as absent";
  for (const auto* host : {"https://video.example", "video.example/", "com", ".com", "*.example", "video.",
                           "a b.example", "video.example:80", "."}) {
    EXPECT_THAT(refusal({{}, {{"RUSHES_COOKIES_HOSTS", host}}, {}}), HasSubstr("is not a host")) << host;
  }
}

TEST_F(ConfigTest, HasASecretOfItsOwnOnlyWhereNothingElseVerifiesTokens) {
  const auto own = [](std::map<std::string, std::string> environment) {
    return has_own_secret(load_config({{}, std::move(environment), {}}).value());
  };
  EXPECT_TRUE(own({}));
  EXPECT_FALSE(own({{"JWT_SECRET", std::string(kSecret)}}));
  EXPECT_FALSE(own({{"RUSHES_JWT_PUBLIC_KEY", "key.pem"}}));
  EXPECT_FALSE(own({{"RUSHES_JWT_JWKS", "keys.json"}}));
  EXPECT_TRUE(own({{"RUSHES_JWT_JWKS", "keys.json"}, {"RUSHES_DEVELOPMENT", "true"}}));
}

TEST_F(ConfigTest, NeverPrintsASecret) {
  const std::string almost = "1234567890123456789012345678901";
  EXPECT_THAT(refusal({{}, {{"JWT_SECRET", almost}}, {}}),
              ::testing::AllOf(HasSubstr("shorter than 32 bytes"), HasSubstr("openssl rand -hex 32"),
                               ::testing::Not(HasSubstr(almost))));
}

TEST(Config, TheSettingsForProxiesAreChecked) {
  const auto config = load_config({{},
                                   {},
                                   {{"public_url", "https://app.example:8443/rushes/"},
                                    {"base_path", "/api/v1/"},
                                    {"trusted_proxies", "loopback, 10.0.0.0/8"},
                                    {"allowed_hosts", "App.example, *.apps.example"},
                                    {"cors_origins", "https://*.example.com"}}})
                          .value();
  EXPECT_EQ(config.public_url, "https://app.example:8443/rushes");
  EXPECT_EQ(config.base_path, "/api/v1");
  EXPECT_THAT(config.trusted_proxies, ::testing::ElementsAre("loopback", "10.0.0.0/8"));
  EXPECT_THAT(config.allowed_hosts.value(), ::testing::ElementsAre("app.example", "*.apps.example"));
  const std::multimap<std::string, std::string> bad{
      {"public_url", "app.example"},
      {"public_url", "https://"},
      {"public_url", "https://a/?x"},
      {"public_url", "ftp://a"},
      {"public_url", "https://u@a"},
      {"base_path", "api"},
      {"base_path", "/a//b"},
      {"base_path", "/../a"},
      {"base_path", "/a b"},
      {"trusted_proxies", "proxy.local"},
      {"trusted_proxies", "10.0.0.0/99"},
      {"trusted_proxies", "0.0.0.0/0"},
      {"allowed_hosts", "https://a"},
      {"allowed_hosts", "a:80"},
      {"allowed_hosts", "*"},
      {"cors_origins", "https://a*.b.com"},
      {"cors_origins", "*.example.com"},
      {"metrics_token", "short"},
  };
  for (const auto& [name, value] : bad) {
    EXPECT_FALSE(load_config({{}, {}, {{name, value}}})) << name << " = " << value;
  }
}

}  // namespace
}  // namespace rushes::app
