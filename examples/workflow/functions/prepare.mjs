/** Turns drawings into requests for the pipeline. `#` is a dark pixel, `.` is a light one. */
export async function handler({ drawings }) {
  return { requests: drawings.map(request) };
}

function request(drawing) {
  const data = Array.from(drawing.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#'));
  const pixels = { dtype: 'float32', shape: [1, data.length], data };
  return { version: 1, inputs: { tensors: { pixels } } };
}
