// Read when ONNX Runtime's library is loaded: import this file before onnxruntime-node.
process.env.ORT_DISABLE_TELEMETRY = '1';
