// PyTorch's C++ frontend over the protocol; built by libtorch.py beside this file.
//
// `libtorch layer` verifies torch::nn::LSTM, `libtorch cell` torch::nn::LSTMCell, looped over time.
// Both take batches. torch::nn::LSTMCell takes a single row as well, if states are given with it:
// without them it fails, which `libtorch unbatched-cell` shows.
#include <torch/torch.h>

#include <iostream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

using nlohmann::json;
using torch::Tensor;
using Results = std::tuple<Tensor, Tensor, Tensor>;  // output, h_n, c_n
using Leaves = std::map<std::string, Tensor>;        // what gradients are taken by

const std::map<std::string, torch::Dtype> DTYPES{{"float64", torch::kFloat64},
                                                 {"float32", torch::kFloat32},
                                                 {"float16", torch::kFloat16},
                                                 {"bfloat16", torch::kBFloat16}};

double number(const json& value) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (value.is_number()) return value;
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return value == "Infinity" ? infinity : -infinity;
}

json spelled(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

Tensor tensor(const json& array, torch::Dtype dtype) {
  std::vector<double> values;
  for (const auto& value : array["values"]) values.push_back(number(value));
  const auto shape = array["shape"].get<std::vector<int64_t>>();
  return torch::tensor(values, torch::kFloat64).reshape(shape).to(dtype);
}

json written(const Tensor& result) {
  const Tensor wide = result.to(torch::kFloat64).contiguous();
  json values = json::array();
  for (int64_t k = 0; k < wide.numel(); ++k) values.push_back(spelled(wide.data_ptr<double>()[k]));
  return {{"shape", result.sizes().vec()}, {"values", values}};
}

// The parameters of a module have PyTorch's names, those of a cell without the layer.
template <typename Module>
void load(Module& module, const json& parameters, Leaves& leaves) {
  const torch::Dtype dtype = leaves["input"].scalar_type();
  module->to(dtype);
  module->eval();
  for (auto& parameter : module->named_parameters()) {
    const bool is_cell = parameter.key().find("_l") == std::string::npos;
    const std::string name = parameter.key() + (is_cell ? "_l0" : "");
    torch::NoGradGuard no_gradients;
    parameter.value().copy_(tensor(parameters.at(name), dtype));
    leaves[name] = parameter.value();
  }
}

Results layer(const json& request, Leaves& leaves) {
  const Tensor x = leaves["input"];
  const json& c = request["configuration"];
  torch::nn::LSTM lstm(torch::nn::LSTMOptions(c["input_size"], c["hidden_size"])
                           .num_layers(c["num_layers"])
                           .bias(c["bias"])
                           .batch_first(c["batch_first"])
                           .dropout(c["dropout"])
                           .bidirectional(c["bidirectional"])
                           .proj_size(c["proj_size"]));
  load(lstm, request["parameters"], leaves);
  std::optional<std::tuple<Tensor, Tensor>> states;
  if (leaves.count("h_0")) states = std::make_tuple(leaves["h_0"], leaves["c_0"]);
  if (request["lengths"].is_null()) {
    const auto [output, last] = lstm(x, states);
    return {output, std::get<0>(last), std::get<1>(last)};
  }
  namespace rnn = torch::nn::utils::rnn;
  const bool batch_first = c["batch_first"];
  const auto lengths = torch::tensor(request["lengths"].get<std::vector<int64_t>>());
  const auto packed = rnn::pack_padded_sequence(x, lengths, batch_first, false);
  const auto [output, last] = lstm->forward_with_packed_input(packed, states);
  const auto padded = std::get<0>(rnn::pad_packed_sequence(output, batch_first));
  return {padded, std::get<0>(last), std::get<1>(last)};
}

Results cell(const json& request, Leaves& leaves) {
  const json& c = request["configuration"];
  torch::nn::LSTMCell cell(
      torch::nn::LSTMCellOptions(c["input_size"], c["hidden_size"]).bias(c["bias"]));
  load(cell, request["parameters"], leaves);
  std::optional<std::tuple<Tensor, Tensor>> states;
  if (leaves.count("h_0")) states = std::make_tuple(leaves["h_0"][0], leaves["c_0"][0]);
  std::vector<Tensor> output;
  for (const Tensor& step : leaves["input"].unbind()) {
    states = cell(step, states);
    output.push_back(std::get<0>(*states));
  }
  const auto& [h_n, c_n] = *states;
  return {torch::stack(output), h_n.unsqueeze(0), c_n.unsqueeze(0)};
}

// Gradients of the sum of every result times its cotangent; zero by what no result depends on.
json gradients(const Results& results, const json& cotangents, const Leaves& leaves) {
  const auto [output, h_n, c_n] = results;
  const auto times = [&](const Tensor& result, const char* name) {
    return (result * tensor(cotangents[name], result.scalar_type())).sum();
  };
  const Tensor loss = times(output, "output") + times(h_n, "h_n") + times(c_n, "c_n");
  std::vector<Tensor> by;
  for (const auto& [name, leaf] : leaves) by.push_back(leaf);
  const auto found = torch::autograd::grad({loss}, by, {}, std::nullopt, false, true);
  json answer;
  size_t k = 0;
  for (const auto& [name, leaf] : leaves) {
    const Tensor& gradient = found[k++];
    answer[name] = written(gradient.defined() ? gradient : torch::zeros_like(leaf));
  }
  return answer;
}

json answered(const json& request, bool is_cell) {
  const torch::Dtype dtype = DTYPES.at(request["dtype"]);
  const bool differentiated = request.contains("cotangents");
  torch::AutoGradMode mode(differentiated);
  Leaves leaves;
  for (const auto* name : {"input", "h_0", "c_0"}) {
    if (request[name].is_null()) continue;
    leaves[name] = tensor(request[name], dtype).set_requires_grad(differentiated);
  }
  const Results results = is_cell ? cell(request, leaves) : layer(request, leaves);
  if (differentiated) return {{"gradients", gradients(results, request["cotangents"], leaves)}};
  const auto [output, h_n, c_n] = results;
  return {{"output", written(output)}, {"h_n", written(h_n)}, {"c_n", written(c_n)}};
}

int main(int, char** arguments) {
  const std::string kind = arguments[1];
  const bool is_cell = kind != "layer";
  json supports{{"dtypes", {"float64", "float32", "float16", "bfloat16"}},
                {"bias", {true, false}},
                {"states", {true, false}},
                {"empty_batch", true},
                {"gradients", true}};
  if (kind == "unbatched-cell") supports["batched"] = {true, false};
  if (!is_cell) {
    supports["max_layers"] = 8;
    for (const auto* option : {"projection", "dropout", "lengths"}) supports[option] = true;
    for (const auto* option : {"batch_first", "bidirectional"}) supports[option] = {false, true};
  }
  const std::string name = is_cell ? "torch::nn::LSTMCell" : "torch::nn::LSTM";
  const auto say = [](const json& value) { std::cout << value.dump() << std::endl; };
  say({{"protocol", 1}, {"name", name}, {"version", TORCH_VERSION}, {"supports", supports}});
  torch::set_num_threads(1);
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    json answer{{"id", request["id"]}};
    try {
      answer.update(answered(request, is_cell));
    } catch (const c10::Error& error) {
      answer["error"] = error.what_without_backtrace();
    } catch (const std::exception& error) {
      answer["error"] = error.what();
    }
    say(answer);
  }
}
