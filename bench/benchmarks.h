// The groups of cases strait-bench is made of; its main calls each once before Google Benchmark runs.
#pragma once

namespace strait {

// Rans/{Encode,Decode}/<set>/<n> and the peers Zstd1/..., Zstd3/... on the same symbols as bytes.
void RegisterEntropyBenchmarks();

// Codec/{Encode,EncodeMaxBytes,Decode}/<features> and Model/Load/<features> on the reference units;
// Codec/EncodeShared, encoders on many threads behind one model.
void RegisterCodecBenchmarks();

// Their peers TorchUnit/{Analysis,Synthesis}/<features>, TorchOnednn/Analysis/<features> and Jpeg75/Encode/224;
// only where LibTorch is built in.
void RegisterPeerBenchmarks();

// EntropyModel/{Encode,Decode}/{context,channels}/<latent>: context models and their peer, a table a channel, on
// the same symbols; only where LibTorch, which fits the tables, is built in.
void RegisterContextBenchmarks();

// Train/Step and its bare peer; only where LibTorch is built in.
void RegisterTrainBenchmarks();

}  // namespace strait
