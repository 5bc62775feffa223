#include "kubernetes/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "testing/temporary_file.h"

namespace sfkit::kubernetes {
namespace {

using Variables = std::map<std::string, std::string>;

Options options_with(const Variables& variables) {
  Options options;
  options.variable = [&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  options.account = "/missing";
  return options;
}

// Settings for an https URL with these files.
Result<std::optional<Settings>> with_files(const std::string& files) {
  const Variables none;
  Options options = options_with(none);
  options.url = "https://api";
  options.cert = files;
  return find_settings(options);
}

std::string refusal_of(const std::string& url, const std::string& files = "") {
  const Variables none;
  Options options = options_with(none);
  options.url = url;
  options.cert = files;
  const auto found = find_settings(options);
  EXPECT_TRUE(found.is_ok() || found.status().code() == ErrorCode::kInvalidArgument);
  return found.status().message();
}

TEST(KubernetesSettings, KnowWebAddresses) {
  for (const char* url :
       {"http://a", "https://api", "HTTPS://api:6443", "https://10.0.0.1:6443/prefix/",
        "https://[fd00::1]:443", "https://[::1]", "https://user:word@api", "https://a?b#c"})
    EXPECT_TRUE(is_web_address(url)) << url;
  for (const char* url : {"",
                          "api",
                          "//api",
                          "ftp://api",
                          "https:",
                          "https:/",
                          "https://",
                          "https:///path",
                          "https://:443",
                          "https://api:x",
                          "https://api:65536",
                          "https://[fd00::1",
                          "https://[]",
                          "https://a b",
                          "https://a\n",
                          "https://a\x7f",
                          "https://\xc3\xa9",
                          "https://[::1]x",
                          "https://user@",
                          "https://a:b:c",
                          "httpsx://a"})
    EXPECT_FALSE(is_web_address(url)) << url;
}

TEST(KubernetesSettings, HaveAnAddressWithoutTheSlashAtItsEnd) {
  const Variables none;
  Options options = options_with(none);
  for (const auto& [url, base] :
       std::map<std::string, std::string>{{"https://api:6443/", "https://api:6443"},
                                          {"HTTP://api/cluster/?a=b#c", "http://api/cluster"}}) {
    options.url = url;
    EXPECT_EQ(find_settings(options).value()->url, base);
  }
}

TEST(KubernetesSettings, RefuseUnusableAddressesWithoutTheirSecrets) {
  for (const char* url : {"ftp://api", "nonsense", "https://user:secret@api"}) {
    EXPECT_NE(refusal_of(url).find("expected an http or https URL"), std::string::npos) << url;
    EXPECT_EQ(refusal_of(url).find("secret"), std::string::npos) << url;
  }
  EXPECT_NE(refusal_of("http://api", "/ca.crt").find("need an https URL"), std::string::npos);
  EXPECT_EQ(refusal_of("http://api"), "");
}

TEST(KubernetesSettings, TakeATokenAuthoritiesOrACertificateWithItsKey) {
  const testing::TemporaryFile token("abc\n");
  const testing::TemporaryFile authorities("-----BEGIN CERTIFICATE-----\nx\n");
  const testing::TemporaryFile pair("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");
  EXPECT_EQ(with_files(token.path()).value()->token_file, token.path());
  EXPECT_EQ(with_files(token.path()).value()->ca_file, "");
  EXPECT_EQ(with_files(authorities.path()).value()->ca_file, authorities.path());
  EXPECT_EQ(with_files(authorities.path()).value()->token_file, "");
  EXPECT_EQ(with_files(pair.path()).value()->client_cert, pair.path());
  EXPECT_EQ(with_files(pair.path()).value()->client_key, pair.path());
  const auto all =
      with_files(authorities.path() + ":" + pair.path() + "#word:" + authorities.path()).value();
  EXPECT_EQ(all->client_cert, authorities.path());
  EXPECT_EQ(all->client_key, pair.path());
  EXPECT_EQ(all->passphrase, "word");
  EXPECT_EQ(all->ca_file, authorities.path());
  const auto two = with_files(authorities.path() + ":" + pair.path()).value();
  EXPECT_EQ(two->passphrase, "");
  EXPECT_EQ(two->ca_file, "");
}

TEST(KubernetesSettings, RefuseFilesThatCannotBeRead) {
  const testing::TemporaryFile token("abc");
  const testing::TemporaryFile longest(std::string(size_t{1} << 20, 'a'));
  const testing::TemporaryFile longer(std::string((size_t{1} << 20) + 1, 'a'));
  EXPECT_TRUE(with_files(longest.path()).is_ok());
  EXPECT_NE(with_files(longer.path()).status().message().find("too long"), std::string::npos);
  for (const std::string& files :
       {std::string("/missing"), "/missing:" + token.path(), token.path() + ":/missing",
        token.path() + ":", token.path() + ":" + token.path() + ":/missing",
        std::filesystem::temp_directory_path().string()}) {
    const auto found = with_files(files);
    ASSERT_FALSE(found.is_ok()) << files;
    EXPECT_NE(found.status().message().find("cannot read it"), std::string::npos) << files;
  }
}

TEST(KubernetesSettings, OfAPodComeFromItsServiceAccount) {
  const std::filesystem::path account =
      std::filesystem::temp_directory_path() / ("sfkit-account-" + std::to_string(::getpid()));
  std::filesystem::create_directory(account);
  std::ofstream(account / "token") << "abc";
  Variables variables{{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                      {"KUBERNETES_SERVICE_PORT", "6443"},
                      {"HOSTNAME", "sensor-1"}};
  Options options = options_with(variables);
  EXPECT_FALSE(find_settings(options).value().has_value()) << "without an account";
  options.account = account.string();
  EXPECT_FALSE(find_settings(options).value()->self.has_value());
  EXPECT_EQ(find_settings(options).value()->ca_file, "");
  std::ofstream(account / "ca.crt") << "authority";
  std::ofstream(account / "namespace") << "sensors\n";
  const auto found = find_settings(options).value();
  EXPECT_EQ(found->url, "https://10.0.0.1:6443");
  EXPECT_EQ(found->token_file, (account / "token").string());
  EXPECT_EQ(found->ca_file, (account / "ca.crt").string());
  ASSERT_TRUE(found->self.has_value());
  EXPECT_EQ(found->self->namespace_, "sensors");
  EXPECT_EQ(found->self->name, "sensor-1");
  EXPECT_FALSE(found->machine.empty());
  variables = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}};
  EXPECT_EQ(find_settings(options).value()->url, "https://[fd00::1]:443");
  EXPECT_EQ(find_settings(options).value()->self->name, found->machine);
  variables.clear();
  EXPECT_FALSE(find_settings(options).value().has_value()) << "outside a pod";
  // The account's token must not go to an address that somebody else names without TLS.
  variables = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}};
  options.url = "http://127.0.0.1:8001";
  EXPECT_EQ(find_settings(options).value()->token_file, "");
  std::filesystem::remove_all(account);
}

TEST(KubernetesSettings, NameTheNode) {
  Variables variables{{"NODE_NAME", "b"}};
  Options options = options_with(variables);
  options.url = "https://api";
  EXPECT_EQ(find_settings(options).value()->node, "b");
  options.node = "a";
  EXPECT_EQ(find_settings(options).value()->node, "a");
  options.node.clear();
  variables.clear();
  EXPECT_EQ(find_settings(options).value()->node, "");
}

}  // namespace
}  // namespace sfkit::kubernetes
