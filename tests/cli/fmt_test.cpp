#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "cli/program.h"

namespace gpup::test {

namespace {

namespace fs = std::filesystem;

std::string upside_down() {
  // Its header in the end.
  const std::string text(kDesired);
  const std::size_t first = text.find('\n') + 1;
  return text.substr(first) + "# why\n" + text.substr(0, first);
}

std::string canonical() {
  const Folder folder;
  folder.write("desired.yaml", kDesired);
  return run_gpup(folder, {"fmt", "-f", "-"}, kDesired).out;
}

}  // namespace

TEST_CASE("fmt writes files anew, names them, and has nothing to do the next time") {
  const Folder folder;
  folder.write("desired.yaml", upside_down());
  folder.write("right.yaml", canonical());
  const fs::path path = fs::path(folder.path()) / "desired.yaml";
  fs::permissions(path, fs::perms::owner_all);
  fs::create_symlink("desired.yaml", fs::path(folder.path()) / "link.yaml");

  const Ended check = run_gpup(folder, {"fmt", "-f", "desired.yaml", "-f", "right.yaml", "--check"});
  CHECK(check.code == 2);
  CHECK(check.out == "desired.yaml\n");
  CHECK(folder.read("desired.yaml") == upside_down());

  const Ended diff = run_gpup(folder, {"fmt", "-f", "desired.yaml", "--check", "--diff"});
  CHECK(diff.code == 2);
  CHECK(diff.out.starts_with("--- desired.yaml\n+++ desired.yaml\n@@ "));
  CHECK(diff.out.find("+apiVersion: gpup/v1\n") != std::string::npos);
  CHECK(folder.read("desired.yaml") == upside_down());

  const Ended written = run_gpup(folder, {"fmt", "-f", "link.yaml", "-f", "right.yaml"});
  CHECK(written.code == 0);
  CHECK(written.out == "link.yaml\n");
  CHECK(written.err.empty());
  CHECK(folder.read("desired.yaml").find("# why\napiVersion: gpup/v1\n") != std::string::npos);
  CHECK(fs::is_symlink(fs::path(folder.path()) / "link.yaml"));
  CHECK(fs::status(path).permissions() == fs::perms::owner_all);

  for (const char* option : {"--check", "--diff"}) {
    const Ended again = run_gpup(folder, {"fmt", "-f", ".", option});
    CHECK(again.code == 0);
    CHECK(again.out.empty());
  }
}

TEST_CASE("fmt writes none of the files where one is wrong") {
  const Folder folder;
  folder.write("desired.yaml", upside_down());
  folder.write("wrong.yaml", "apiVersion: gpup/v1\nkind: GpuPartitioning\nhots: []\n");
  folder.write("directive.yaml", "%YAML 1.2\n---\napiVersion: gpup/v1\nkind: GpuPartitioning\n");
  const Ended ended = run_gpup(folder, {"fmt", "-f", "."});
  CHECK(ended.code == 4);
  CHECK(ended.out.empty());
  CHECK(ended.err.find("./wrong.yaml:3:1: error[GP014]: unknown key 'hots'") != std::string::npos);
  CHECK(ended.err.find("./directive.yaml:1:1: error[GP037]: the file cannot be laid out: ") != std::string::npos);
  CHECK(folder.read("desired.yaml") == upside_down());
  CHECK(run_gpup(folder, {"fmt", "-f", "missing.yaml"}).code == 1);
}

TEST_CASE("fmt of stdin goes to stdout") {
  const Folder folder;
  const Ended ended = run_gpup(folder, {"fmt", "-f", "-"}, upside_down());
  CHECK(ended.code == 0);
  CHECK(ended.out.starts_with("# why\napiVersion: gpup/v1\n"));
  const Ended right = run_gpup(folder, {"fmt", "-f", "-"}, ended.out);
  CHECK(right.out == ended.out);
  CHECK(run_gpup(folder, {"fmt", "-f", "-", "--check"}, upside_down()).code == 2);
  const Ended check = run_gpup(folder, {"fmt", "-f", "-", "--check"}, ended.out);
  CHECK(check.code == 0);
  CHECK(check.out.empty());
}

TEST_CASE("what export prints is laid out already") {
  const Folder folder;
  folder.write("lab.json", kLab);
  folder.write("done.json", kDoneLab);
  for (const char* lab : {"lab.json", "done.json"}) {
    const Ended exported = run_gpup(folder, {"export", "--observed", lab});
    REQUIRE(exported.code == 0);
    const Ended laid = run_gpup(folder, {"fmt", "-f", "-"}, exported.out);
    CHECK(laid.out == exported.out);
  }
}

}  // namespace gpup::test
