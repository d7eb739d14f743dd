// A program on TensorFlow.js: `node tfjs_results.js FOLDER` reads given.json, computes tf.layers.lstm,
// and writes results.safetensors with output, h_n and c_n.
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const tf = require("@tensorflow/tfjs");

const folder = process.argv[2];
const { input, kernel, recurrent, bias } = JSON.parse(readFileSync(join(folder, "given.json")));
const lstm = tf.layers.lstm({
  units: recurrent.length, recurrentActivation: "sigmoid", returnSequences: true, returnState: true,
});
const x = tf.tensor3d(input);
lstm.apply(tf.zeros([1, 1, x.shape[2]])); // a first call creates the weights
lstm.setWeights([tf.tensor2d(kernel), tf.tensor2d(recurrent), tf.tensor1d(bias)]);
const results = lstm.apply(x);

const [header, parts] = [{}, []];
let end = 0;
["output", "h_n", "c_n"].forEach((name, nth) => {
  const values = results[nth].dataSync();
  const start = end;
  end += values.byteLength;
  header[name] = { dtype: "F32", shape: results[nth].shape, data_offsets: [start, end] };
  parts.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
});
const text = Buffer.from(JSON.stringify(header));
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(text.length));
writeFileSync(join(folder, "results.safetensors"), Buffer.concat([length, text, ...parts]));
