// The `strait` command: looks at model files and frames, encodes and decodes arrays.
#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "codec/file_io.h"
#include "codec/tools/commands.h"
#include "strait/version.h"

namespace {

using namespace strait::tools;

struct Commands {
  InfoArgs info;
  EncodeArgs encode;
  DecodeArgs decode;
  VerifyArgs verify;
  BenchArgs bench;
};

void AddInfo(CLI::App& app, InfoArgs& args) {
  CLI::App* sub = app.add_subcommand("info", "Describe a model file or a frame");
  sub->add_option("FILE", args.file, "model file or frame")->required();
  sub->add_flag("--json", args.json, "print JSON");
  sub->footer("Example: strait info model.strait --json");
}

void AddEncode(CLI::App& app, EncodeArgs& args) {
  CLI::App* sub = app.add_subcommand("encode", "Encode a .npy feature tensor to a frame");
  sub->add_option("-m,--model", args.model, "model file")->required();
  auto* quality =
      sub->add_option("-q,--quality", args.quality, "level, fractions allowed; the highest when not given");
  auto* max_bytes = sub->add_option("--max-bytes", args.max_bytes, "use the best quality that fits this many bytes")
                        ->check(CLI::Range(int64_t{0}, INT64_MAX));
  quality->excludes(max_bytes);
  sub->add_flag("--checksum", args.checksum, "add 4 bytes that catch corruption and a wrong model");
  sub->add_option("IN.npy", args.input, "NxCxHxW, CxHxW, NxTxC or TxC")->required();
  sub->add_option("OUT.stf", args.output, "frame to write")->required();
  sub->footer("Example: strait encode -m model.strait --max-bytes 110 feature.npy feature.stf");
}

void AddDecode(CLI::App& app, DecodeArgs& args) {
  CLI::App* sub = app.add_subcommand("decode", "Decode a frame to a .npy feature tensor");
  sub->add_option("-m,--model", args.model, "model file the frame was made with")->required();
  sub->add_option("IN.stf", args.input, "frame")->required();
  sub->add_option("OUT.npy", args.output, "float32 array to write")->required();
  sub->footer("Example: strait decode -m model.strait feature.stf restored.npy");
}

void AddVerify(CLI::App& app, VerifyArgs& args) {
  CLI::App* sub = app.add_subcommand("verify", "Check model files and frames; exit 0 only if all are sound");
  sub->add_option("-m,--model", args.model,
                  "decode frames with this model; without it only their headers are checked");
  sub->add_option("FILE", args.files, "model files and frames")->required();
  sub->footer("Example: strait verify -m model.strait *.stf");
}

void AddBench(CLI::App& app, BenchArgs& args) {
  CLI::App* sub = app.add_subcommand("bench", "Time encoding and decoding at each level on this machine");
  sub->add_option("-m,--model", args.model, "model file")->required();
  sub->add_option("--repetitions", args.repetitions, "timed runs a level")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  sub->footer("Example: strait bench -m model.strait");
}

strait::Status Run(const CLI::App& app, const Commands& commands) {
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "info") return RunInfo(commands.info);
  if (name == "encode") return RunEncode(commands.encode);
  if (name == "decode") return RunDecode(commands.decode);
  if (name == "verify") return RunVerify(commands.verify);
  return RunBench(commands.bench);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Strait, a learned bottleneck codec for the tensors that cross a split neural network", "strait");
  app.set_version_flag("--version", std::string("strait ") + STRAIT_VERSION);
  app.require_subcommand(0, 1);  // so that an unknown one is named
  app.footer("Exit codes: 0 done, 1 bad data or I/O, 2 bad usage.\nExample: strait info model.strait");
  Commands commands;
  AddInfo(app, commands.info);
  AddEncode(app, commands.encode);
  AddDecode(app, commands.decode);
  AddVerify(app, commands.verify);
  AddBench(app, commands.bench);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::RequiredError::Subcommand(1);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    fmt::print(stderr, "strait: {}; see strait --help\n", error.what());
    return 2;
  }
  strait::Status status = Run(app, commands);
  if (status.ok()) status = strait::FlushStdout();
  if (status.ok()) return 0;
  fmt::print(stderr, "strait: {}\n", status.message());
  return 1;
}
