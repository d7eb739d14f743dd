// TensorFlow.js over the protocol. `node tfjs.js layer` verifies tf.layers.lstm: alone, stacked, in
// tf.layers.bidirectional; `node tfjs.js cell` verifies tf.layers.lstmCell in tf.layers.rnn.
const { createInterface } = require("node:readline");
const tf = require("@tensorflow/tfjs");

const kind = process.argv[2] ?? "layer";
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const tensor = ({ shape, values }) => tf.tensor(values.map(Number), shape, "float32");
const written = (result) => ({
  shape: result.shape,
  values: Array.from(result.dataSync(), (x) => (Number.isFinite(x) ? x : String(x))),
});

// Kernels are PyTorch's, transposed; the gates are in the same order; there is one bias, the sum of
// both, which is added in float64 and rounded once.
function weights(p, suffix) {
  const kernels = ["weight_ih", "weight_hh"].map((name) => tensor(p[name + suffix]).transpose());
  const [b_ih, b_hh] = ["bias_ih", "bias_hh"].map((name) => p[name + suffix]?.values.map(Number));
  return b_ih ? [...kernels, tf.tensor1d(b_ih.map((b, row) => b + b_hh[row]))] : kernels;
}

// Each layer of tf.layers: the suffixes of its parameters in PyTorch, and how it is made.
function layers({ configuration: c }) {
  const directions = c.bidirectional ? ["", "_reverse"] : [""];
  // orthogonal weights, the default, take minutes where there are hundreds of units
  const made = { kernelInitializer: "zeros", recurrentInitializer: "zeros" };
  const options = { units: c.hidden_size, useBias: c.bias, recurrentActivation: "sigmoid", ...made };
  const returns = { returnSequences: true, returnState: true };
  const suffixes = [...Array(c.num_layers).keys()].map((l) => directions.map((d) => `_l${l}${d}`));
  if (kind === "cell") {
    const cell = suffixes.map(() => tf.layers.lstmCell(options));
    return [[suffixes.flat(), () => tf.layers.rnn({ cell, ...returns })]];
  }
  return suffixes.map((own) => {
    const layer = tf.layers.lstm({ ...options, ...returns });
    return [own, () => (c.bidirectional ? tf.layers.bidirectional({ layer }) : layer)];
  });
}

function lstm(request) {
  const { parameters, lengths } = request;
  let x = tensor(request.input);
  const steps = [...Array(x.shape[1]).keys()];
  const mask = lengths && tf.tensor2d(lengths.map((length) => steps.map((t) => t < length)));
  const [h_0, c_0] = [request.h_0, request.c_0].map((s) => s && tensor(s).unstack());
  const [h_n, c_n] = [[], []];
  for (const [suffixes, make] of layers(request)) {
    const layer = make();
    layer.apply(tf.zeros([1, 1, x.shape[2]])); // a first call creates the weights
    layer.setWeights(suffixes.flatMap((suffix) => weights(parameters, suffix)));
    const places = suffixes.map((_, k) => h_n.length + k);
    if (kind === "cell") places.reverse(); // stacked cells have their states from the top down
    const given = h_0 && { initialState: places.flatMap((k) => [h_0[k], c_0[k]]) };
    const [output, ...ends] = layer.apply(x, { ...given, ...(mask && { mask }) });
    places.forEach((place, k) => ([h_n[place], c_n[place]] = ends.slice(2 * k)));
    x = output;
    layer.dispose();
  }
  return { output: written(x), h_n: written(tf.stack(h_n)), c_n: written(tf.stack(c_n)) };
}

say({
  protocol: 1,
  name: kind === "cell" ? "tf.layers.lstmCell" : "tf.layers.lstm",
  version: tf.version["tfjs-layers"],
  supports: {
    max_layers: 8, bias: [true, false], batch_first: [true], lengths: true, states: [true, false],
    bidirectional: kind === "cell" ? [false] : [false, true], empty_batch: true,
  },
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  try {
    say({ id: request.id, ...tf.tidy(() => lstm(request)) });
  } catch (error) {
    say({ id: request.id, error: String(error) });
  }
});
