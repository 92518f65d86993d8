/** Version of the execution input and output, of the slice events and of the slice manifest. */
export const CONTRACT_VERSION = 1;
