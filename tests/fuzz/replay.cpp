// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without a fuzzer: each file of its corpus, then as many changed ones as
// wanted, the same each time. So every build tries the targets, and each build that has sanitizers
// with them.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

constexpr std::size_t input_bytes_max = 2048;
/// For one input, sanitizers and a busy machine included.
constexpr unsigned seconds_max = 60;

/// The input under way, for whoever looks for what broke.
std::string_view current;
std::string kept_in;

void keep_current(int signal) {
  const int file = ::open(kept_in.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file >= 0 && ::write(file, current.data(), current.size()) >= 0) ::close(file);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& input) {
  current = input;
  ::alarm(seconds_max);
  // The very bytes, with nothing behind them that could be read unseen.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file{path, std::ios::binary};
    inputs.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
  }
  return inputs;
}

/// Changes inputs as fuzzers do, blindly.
class mutator {
 public:
  explicit mutator(const std::vector<std::string>& corpus) : corpus_(&corpus) {}

  std::string next() {
    std::string made = any();
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(made);
    if (made.size() > input_bytes_max) made.resize(input_bytes_max);
    return made;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  const std::string& any() { return (*corpus_)[below(corpus_->size())]; }

  void change(std::string& made) {
    const std::size_t at = below(made.size());
    switch (below(6)) {
      case 0:
        made.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        if (!made.empty()) made[at] = static_cast<char>(below(256));
        break;
      case 2:
        if (!made.empty()) made[at] = static_cast<char>(made[at] ^ (1 << below(8)));
        break;
      case 3:
        made.erase(at, 1 + below(16));
        break;
      case 4:
        made.insert(below(made.size()), made.substr(at, 1 + below(32)));
        break;
      default: {
        const std::string& other = any();
        made.replace(at, below(32), other.substr(below(other.size()), 1 + below(64)));
        break;
      }
    }
  }

  const std::vector<std::string>* corpus_;
  std::mt19937_64 random_{1};
};

}  // namespace

int main(int count, char** arguments) {
  std::size_t rounds = 0;
  const bool counted =
      count == 3 &&
      std::from_chars(arguments[2], arguments[2] + std::strlen(arguments[2]), rounds).ec ==
          std::errc{};
  if (!counted) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER MUTATED_INPUTS\n", arguments[0]);
    return 2;
  }
  const std::vector<std::string> corpus = read_corpus(arguments[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no input in %s\n", arguments[0], arguments[1]);
    return 2;
  }
  kept_in = std::string{arguments[0]} + ".broke";
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGALRM}) std::signal(signal, keep_current);
  for (const std::string& input : corpus) run(input);
  mutator change{corpus};
  for (std::size_t round = 0; round < rounds; ++round) {
    run(change.next());
  }
  std::printf("%zu inputs of the corpus and %zu changed ones, nothing found\n", corpus.size(),
              rounds);
  return 0;
}
