#include "training/torch_status.h"

#include <string_view>

namespace strait {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view FirstLine(std::string_view text) {
  text = Trimmed(text);
  return Trimmed(text.substr(0, text.find('\n')));
}

}  // namespace

std::string TorchMessage(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // The interpreter wraps the reason: a preamble, the TorchScript stack, then "RuntimeError: reason".
  constexpr std::string_view kMarker = "RuntimeError: ";
  std::string_view rest = text;
  if (const size_t at = rest.rfind(kMarker); at != std::string_view::npos) rest.remove_prefix(at + kMarker.size());
  const std::string_view line = FirstLine(rest);
  return line.empty() ? "unknown error" : std::string(line);
}

}  // namespace strait
