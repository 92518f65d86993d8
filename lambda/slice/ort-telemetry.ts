// ONNX Runtime reads this variable when its library loads: import this file before onnxruntime-node.
process.env.ORT_DISABLE_TELEMETRY = '1';
