// The groups of cases strait-bench is made of; its main calls each once before Google Benchmark runs.
#pragma once

#include "bench/bench_units.h"

namespace strait {

// Rans/{Encode,Decode}/<set>/<n> and the peers Zstd1/..., Zstd3/... on the same symbols as bytes.
void RegisterEntropyBenchmarks();

// Codec/{Encode,EncodeMaxBytes,Decode}/<unit> and Model/Load/<unit>; Codec/EncodeShared, encoders on many threads
// behind one model.
void RegisterCodecBenchmarks(const BenchUnits& units);

// Controller/Choose/<plan>/<requests>, over ten thousand entries, and its peer ControllerScan/...: what a request
// costs that reads every entry; LinkEstimator/Observe.
void RegisterControllerBenchmarks();

// Their peers TorchUnit/{Analysis,Synthesis}/<unit>, TorchOnednn/Analysis/<unit> and Jpeg75/Encode/{128,224}; only
// where LibTorch is built in.
void RegisterPeerBenchmarks(const BenchUnits& units);

// EntropyModel/{Encode,Decode}/{context,channels}/<latent>: context models and their peer, a table a channel, on
// the same symbols, also of each level of a trained unit; only where LibTorch, which fits the tables, is built in.
void RegisterContextBenchmarks(const BenchUnits& units);

// Train/Step and its bare peer; only where LibTorch is built in.
void RegisterTrainBenchmarks();

}  // namespace strait
