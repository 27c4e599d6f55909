// For modules that are compiled with `--runtime minimal`, which collects only when the module says so: it takes the
// fewest instructions for each object, and none where nothing is allocated.

let bytes: usize = 0;

/** Notes that about this many bytes of garbage were allocated. */
export function noteGarbage(size: usize): void {
  bytes += size;
}

/** Call it last in a callback: the collector takes objects that only the stack refers to for garbage. */
export function collectGarbage(limit: usize): void {
  if (bytes <= limit) return;
  bytes = 0;
  __collect();
}
