// For modules that are compiled with `--runtime minimal`, which collects only when it is told to: fewest instructions for
// each object, and none at all where nothing is allocated.

let bytes: usize = 0;

/** About so many bytes have been allocated for a short time. */
export function noteGarbage(size: usize): void {
  bytes += size;
}

/** Only as the last thing of a callback: what is still in use on the stack would be taken for garbage. */
export function collectGarbage(limit: usize): void {
  if (bytes <= limit) return;
  bytes = 0;
  __collect();
}
