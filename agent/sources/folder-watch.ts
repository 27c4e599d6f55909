import { watch, type FSWatcher } from "node:fs";
import { join } from "node:path";

/**
 * Reports changes in a set of directories. This is a hint only: the kernel may drop events, run out of watches, or miss
 * changes that another machine makes (NFS). Its user has to scan the directories from time to time.
 */
export class FolderWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly onEvent: (path: string | undefined) => void;

  /** `onEvent` gets the path that has changed, if the kernel names it. */
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
      // No watches are left, or the directory is gone already: the next scan finds the changes.
    }
  }

  private drop(directory: string): void {
    this.watchers.get(directory)?.close();
    this.watchers.delete(directory);
  }
}
