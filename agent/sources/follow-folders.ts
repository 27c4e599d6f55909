import { Debounce } from "../lib/debounce.ts";
import { FolderWatch } from "./folder-watch.ts";
import type { ManifestFolder } from "./manifest-folder.ts";

/** A burst of changes is read this long after its last one, but at the latest after MAX_WAIT_MS. */
const WAIT_MS = 10;
const MAX_WAIT_MS = 100;

const RESCAN_MS = 2_000;
/** Whole scans take at most this share of the time, however many files there are. */
const RESCAN_SHARE = 0.02;

export interface RescanOptions {
  /** Folders are scanned this often, whether or not the kernel reports a change. Milliseconds, default 2000. */
  readonly rescanMs?: number | undefined;
}

/**
 * Keeps open folders up to date, and calls `onChange` after each change. It reads files that the kernel names one by
 * one. It scans the folders as a whole from time to time, and when a file appears or disappears.
 */
export class FollowedFolders {
  readonly #folders: readonly ManifestFolder[];
  readonly #onChange: () => void;
  readonly #rescanMs: number;
  readonly #debounce: Debounce;
  readonly #watch: FolderWatch;
  #named = new Set<string>();
  #all = false;
  #rescan: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(folders: readonly ManifestFolder[], onChange: () => void, { rescanMs = RESCAN_MS }: RescanOptions = {}) {
    this.#folders = folders;
    this.#onChange = onChange;
    this.#rescanMs = rescanMs;
    this.#debounce = new Debounce(() => this.#refresh(), WAIT_MS, MAX_WAIT_MS);
    this.#watch = new FolderWatch((path) => this.#changed(path));
    this.#watchAll();
    // Finds changes between the first scan and the first watch.
    this.#changed(undefined);
  }

  /** Scans all folders soon. */
  look(): void {
    this.#changed(undefined);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#rescan);
    this.#debounce.close();
    this.#watch.close();
  }

  #changed(path: string | undefined): void {
    if (path === undefined) this.#all = true;
    else this.#named.add(path);
    this.#debounce.call();
  }

  async #refresh(): Promise<void> {
    const named = [...this.#named];
    const all = this.#all;
    this.#named = new Set();
    this.#all = false;
    const changed = (all ? undefined : await this.#refreshFiles(named)) ?? (await this.#refreshAll());
    if (changed && !this.#closed) this.#onChange();
  }

  /** undefined: only a whole scan can tell. */
  async #refreshFiles(paths: readonly string[]): Promise<boolean | undefined> {
    const places = paths.map((path) => ({ path, folder: this.#folders.find((folder) => folder.holds(path)) }));
    let changed = false;
    for (const { path, folder } of places) {
      const one = await folder?.refreshFile(path);
      if (one === undefined) return undefined;
      changed ||= one;
    }
    return changed;
  }

  async #refreshAll(): Promise<boolean> {
    const started = performance.now();
    let changed = false;
    for (const folder of this.#folders) changed = (await folder.refresh()) || changed;
    if (this.#closed) return false;
    this.#watchAll();
    clearTimeout(this.#rescan);
    const wait = Math.max(this.#rescanMs, (performance.now() - started) / RESCAN_SHARE);
    this.#rescan = setTimeout(() => this.#changed(undefined), wait);
    return changed;
  }

  #watchAll(): void {
    this.#watch.set(this.#folders.flatMap((folder) => folder.directories));
  }
}
