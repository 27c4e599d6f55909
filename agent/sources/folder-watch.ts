import { watch, type FSWatcher } from "node:fs";
import { join } from "node:path";

/**
 * Tells of changes in a set of directories. A hint only: the kernel may drop events, have no watches left, or not see
 * changes made elsewhere (NFS), so that whoever uses it looks for himself from time to time.
 */
export class FolderWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly onEvent: (path: string | undefined) => void;

  /** `onEvent` is given the path that has changed, where the kernel tells it. */
  constructor(onEvent: (path: string | undefined) => void) {
    this.onEvent = onEvent;
  }

  /** Watches these directories and no others. */
  set(directories: readonly string[]): void {
    const wanted = new Set(directories);
    for (const directory of [...this.watchers.keys()]) if (!wanted.has(directory)) this.drop(directory);
    for (const directory of wanted) if (!this.watchers.has(directory)) this.add(directory);
  }

  close(): void {
    this.set([]);
  }

  private add(directory: string): void {
    try {
      // Not `recursive`: on Linux Node builds that of one watch for each file.
      const watcher = watch(directory, (event, name) => {
        // The directory itself was moved or removed: its watch sees nothing any more of what takes its place.
        if (event === "rename" && name !== null && directory.endsWith(`/${name}`)) this.drop(directory);
        this.onEvent(name === null ? undefined : join(directory, name));
      });
      watcher.on("error", () => this.drop(directory));
      this.watchers.set(directory, watcher);
    } catch {
      // No watches left, or the directory is gone already: the next look finds what has changed.
    }
  }

  private drop(directory: string): void {
    this.watchers.get(directory)?.close();
    this.watchers.delete(directory);
  }
}
