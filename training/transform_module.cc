#include "training/transform_module.h"

#include <algorithm>
#include <cmath>

namespace strait {
namespace {

Weights ToWeights(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
  const float* data = flat.data_ptr<float>();
  return {Shape(flat.sizes().begin(), flat.sizes().end()), std::vector<float>(data, data + flat.numel())};
}

}  // namespace

torch::Tensor TransformModuleImpl::RegisterWeight(at::IntArrayRef shape, int64_t fan_in, bool relu_follows) {
  // He et al. 2015: keeps the variance through rectifiers; 1 / fan_in where none follows.
  const double std = std::sqrt((relu_follows ? 2.0 : 1.0) / static_cast<double>(fan_in));
  return register_parameter("weight" + std::to_string(layers_.size()), torch::randn(shape) * std);
}

void TransformModuleImpl::AddConvLike(Kind kind, const ConvOptions& options) {
  Layer layer;
  layer.kind = kind;
  layer.kernel = options.kernel;
  layer.stride = options.stride;
  layer.groups = options.groups;
  layer.relu = options.activation == Activation::kRelu;
  const bool transposed = kind == Kind::kConvTranspose;
  const int64_t per_group = (transposed ? options.out : options.in) / options.groups;
  const int64_t taps = options.kernel * options.kernel;
  const int64_t fan_in =
      transposed ? std::max<int64_t>(1, options.in / options.groups * taps / (options.stride * options.stride))
                 : per_group * taps;
  layer.weight = RegisterWeight({transposed ? options.in : options.out, per_group, options.kernel, options.kernel},
                                fan_in, layer.relu);
  const std::string index = std::to_string(layers_.size());
  if (options.batch_norm) {
    layer.norm = register_module("norm" + index, torch::nn::BatchNorm2d(options.out));
  } else {
    layer.bias = register_parameter("bias" + index, torch::zeros({options.out}));
  }
  layers_.push_back(std::move(layer));
}

void TransformModuleImpl::AddConv(const ConvOptions& options) { AddConvLike(Kind::kConv, options); }

void TransformModuleImpl::AddConvTranspose(const ConvOptions& options) {
  AddConvLike(Kind::kConvTranspose, options);
}

void TransformModuleImpl::AddLinear(int64_t in, int64_t out, Activation activation) {
  Layer layer;
  layer.kind = Kind::kLinear;
  layer.relu = activation == Activation::kRelu;
  layer.weight = RegisterWeight({out, in}, in, layer.relu);
  layer.bias = register_parameter("bias" + std::to_string(layers_.size()), torch::zeros({out}));
  layers_.push_back(std::move(layer));
}

void TransformModuleImpl::AddPixelShuffle(int factor) {
  Layer layer;
  layer.kind = Kind::kPixelShuffle;
  layer.factor = factor;
  layers_.push_back(std::move(layer));
}

void TransformModuleImpl::AddRelu() { layers_.emplace_back(); }

void TransformModuleImpl::AddResidual(size_t layer_index) {
  Layer layer;
  layer.kind = Kind::kResidual;
  layer.residual = layer_index;
  layers_.push_back(std::move(layer));
}

void TransformModuleImpl::KeepOutputs(const torch::Tensor& channels) {
  torch::NoGradGuard no_grad;
  const auto last =
      std::find_if(layers_.rbegin(), layers_.rend(), [](const Layer& l) { return l.weight.defined(); });
  TORCH_CHECK(last != layers_.rend() && last->groups == 1 && last->kind != Kind::kConvTranspose);
  const auto keep = [&](torch::Tensor& values) {
    if (values.defined()) values.set_data(values.index_select(0, channels));
  };
  keep(last->weight);
  keep(last->bias);
  if (!last->norm) return;
  keep(last->norm->weight);
  keep(last->norm->bias);
  keep(last->norm->running_mean);
  keep(last->norm->running_var);
}

void TransformModuleImpl::KeepInputs(const torch::Tensor& channels) {
  torch::NoGradGuard no_grad;
  Layer& first = layers_.front();
  TORCH_CHECK(first.weight.defined() && first.groups == 1 && first.kind != Kind::kConvTranspose);
  first.weight.set_data(first.weight.index_select(1, channels));
}

torch::Tensor TransformModuleImpl::forward(const torch::Tensor& src) {
  std::vector<torch::Tensor> values = {src};
  for (Layer& layer : layers_) {
    torch::Tensor value = values.back();
    const int64_t padding = layer.kernel / 2;
    switch (layer.kind) {
      case Kind::kConv:
        value = torch::conv2d(value, layer.weight, layer.bias, layer.stride, padding, 1, layer.groups);
        break;
      case Kind::kConvTranspose:
        value = torch::conv_transpose2d(value, layer.weight, layer.bias, layer.stride, padding, layer.stride - 1,
                                        layer.groups);
        break;
      case Kind::kLinear:
        value = torch::nn::functional::linear(value, layer.weight, layer.bias);
        break;
      case Kind::kPixelShuffle:
        value = torch::pixel_shuffle(value, layer.factor);
        break;
      case Kind::kRelu:
        value = torch::relu(value);
        break;
      case Kind::kResidual:
        value = value + values[layer.residual];
        break;
    }
    if (layer.norm) value = layer.norm->forward(value);
    if (layer.relu) value = torch::relu(value);
    values.push_back(value);
  }
  return values.back();
}

Transform TransformModuleImpl::Export() const {
  Transform ops;
  std::vector<int> value_of_layer = {0};  // op-list value that holds each layer's output
  for (const Layer& layer : layers_) {
    Op op;
    op.src = {value_of_layer.back()};
    switch (layer.kind) {
      case Kind::kConv:
        op.kind = OpKind::kConv2d;
        break;
      case Kind::kConvTranspose:
        op.kind = OpKind::kConvTranspose2d;
        break;
      case Kind::kLinear:
        op.kind = OpKind::kLinear;
        break;
      case Kind::kPixelShuffle:
        op.kind = OpKind::kPixelShuffle;
        break;
      case Kind::kRelu:
        op.kind = OpKind::kRelu;
        break;
      case Kind::kResidual:
        op.kind = OpKind::kAdd;
        break;
    }
    op.factor = layer.factor;
    if (layer.kind == Kind::kResidual) op.src.push_back(value_of_layer[layer.residual]);
    if (layer.kind == Kind::kConv || layer.kind == Kind::kConvTranspose) {
      op.groups = static_cast<int>(layer.groups);
      for (int axis = 0; axis < 2; ++axis) {
        op.stride[axis] = static_cast<int>(layer.stride);
        op.padding[axis] = static_cast<int>(layer.kernel / 2);
        if (layer.kind == Kind::kConvTranspose) op.output_padding[axis] = static_cast<int>(layer.stride - 1);
      }
    }
    if (layer.weight.defined()) {
      torch::Tensor weight = layer.weight.detach().to(torch::kDouble);
      torch::Tensor bias = layer.bias.defined() ? layer.bias.detach().to(torch::kDouble) : torch::Tensor();
      if (layer.norm) {
        const auto& norm = *layer.norm;
        const torch::Tensor scale = norm.weight.detach().to(torch::kDouble) /
                                    torch::sqrt(norm.running_var.to(torch::kDouble) + norm.options.eps());
        bias = norm.bias.detach().to(torch::kDouble) - norm.running_mean.to(torch::kDouble) * scale;
        if (layer.kind == Kind::kConv) {
          weight = weight * scale.view({-1, 1, 1, 1});
        } else {  // {in, out / groups, k, k}: output channel g * per_group + j belongs to the inputs of group g
          const int64_t per_group = weight.size(1);
          weight = (weight.view({layer.groups, -1, per_group, weight.size(2), weight.size(3)}) *
                    scale.view({layer.groups, 1, per_group, 1, 1}))
                       .reshape(weight.sizes());
        }
      }
      op.weight = ToWeights(weight);
      op.bias = ToWeights(bias);
    }
    ops.push_back(std::move(op));
    if (layer.relu) {
      Op relu;
      relu.kind = OpKind::kRelu;
      relu.src = {static_cast<int>(ops.size())};
      ops.push_back(std::move(relu));
    }
    value_of_layer.push_back(static_cast<int>(ops.size()));
  }
  return ops;
}

}  // namespace strait
