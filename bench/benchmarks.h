// The groups of cases strait-bench is made of; its main calls each once before Google Benchmark runs.
#pragma once

namespace strait {

// Rans/{Encode,Decode}/<set>/<n> and the peers Zstd1/..., Zstd3/... on the same symbols as bytes.
void RegisterEntropyBenchmarks();

// Encoder and Decoder on real or synthetic models.
void RegisterCodecBenchmarks();

// Train/Step and its bare peer; only where LibTorch is built in.
void RegisterTrainBenchmarks();

}  // namespace strait
