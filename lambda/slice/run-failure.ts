/** What is before the reason in a message of ONNX Runtime: the operator and the node. */
const REASON = 'Status Message:';

/**
 * Removes values of tensors from a message of ONNX Runtime, because the cause and the log of a failure never repeat the
 * contents of a request. Numbers in braces stay: they are shapes. The operator and the name of the node are before the reason.
 */
export function withoutValues(message: string): string {
  const at = message.indexOf(REASON);
  if (at < 0) return message;
  const reason = message
    .slice(at)
    .replaceAll(/\{[-\d,\s]*\}|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi, (found) =>
      found.startsWith('{') ? found : '#',
    )
    .replaceAll(/'[^']*'|"[^"]*"/g, '#');
  return message.slice(0, at) + reason;
}
