import type { Logger } from "../lib/log.ts";
import type { Mesh } from "../model/mesh.ts";
import type { FetchedKeys, VerificationKey } from "../model/verification-key.ts";
import { fetchKeys, type RemoteKeys } from "./fetch-keys.ts";
import { FollowedKeys, type RefreshTimes } from "./followed-keys.ts";
import { clusterTargets, hostAndPort, resolver, type Resolve } from "./resolve.ts";
import { StoredKeys } from "./stored-keys.ts";

export interface KeySetOptions extends Partial<RefreshTimes> {
  /** Istio uses 20 minutes. Issuers publish a key some time before they sign with it. */
  readonly refreshMs: number;
  /** Keeps the last keys for the next process. */
  readonly file: string;
  readonly log: Logger;
  /** Called when keys change, or the reason why they are missing. */
  readonly onChange: () => void;
  /** Default: Services of the cluster, then the node's DNS. */
  readonly resolve?: Resolve;
}

interface FollowedSet {
  readonly keys: FollowedKeys;
  /** The addresses of the server if it is in the cluster. When they change after a failure, the keys are fetched at once. */
  reached: string;
}

const DEFAULTS = { retryMs: 1_000, longestRetryMs: 60_000 } as const;

/** Fetches the key sets that the mesh's RequestAuthentications name. */
export class KeySets {
  readonly #options: KeySetOptions;
  readonly #resolve: Resolve;
  readonly #store: StoredKeys;
  readonly #stored: Map<string, readonly VerificationKey[]>;
  readonly #followed = new Map<string, FollowedSet>();
  #mesh: Mesh | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#store = new StoredKeys(options.file);
    this.#stored = new Map(this.#store.load());
    this.#resolve = options.resolve ?? resolver(() => this.#current());
  }

  /** By URL. A key set that has not been fetched yet is present and empty. */
  get fetched(): ReadonlyMap<string, FetchedKeys> {
    return new Map([...this.#followed].map(([url, { keys }]) => [url, keys.state]));
  }

  /** Follows the key sets that the mesh names, and stops following all others. Does not wait for a fetch. */
  follow(mesh: Mesh): void {
    this.#mesh = mesh;
    const wanted = remoteKeys(mesh);
    for (const [url, { keys }] of this.#followed) {
      if (wanted.has(url)) continue;
      keys.close();
      this.#followed.delete(url);
    }
    for (const [url, source] of wanted) {
      const reached = reachedIn(mesh, url);
      const known = this.#followed.get(url);
      if (known === undefined) this.#followed.set(url, { keys: this.#begin(source), reached });
      else if (known.reached !== reached) {
        known.reached = reached;
        if (known.keys.state.failure !== undefined) void known.keys.refresh();
      }
    }
  }

  close(): void {
    for (const { keys } of this.#followed.values()) keys.close();
    this.#followed.clear();
  }

  #begin(source: RemoteKeys): FollowedKeys {
    const { url } = source;
    const keys = new FollowedKeys(
      () => fetchKeys(source, this.#resolve),
      this.#stored.get(url) ?? [],
      { ...DEFAULTS, ...this.#options },
      () => this.#changed(url, keys.state),
    );
    void keys.refresh();
    return keys;
  }

  #changed(url: string, { keys, failure }: FetchedKeys): void {
    if (failure === undefined) {
      this.#options.log.info({ url, keys: keys.map(({ kid }) => kid) }, "keys fetched");
      this.#stored.set(url, keys);
      const followed = new Set(this.#followed.keys());
      this.#store.save(new Map([...this.#stored].filter(([each]) => followed.has(each))));
    } else {
      this.#options.log.warn({ url, failure }, "keys not fetched");
    }
    this.#options.onChange();
  }

  #current(): Mesh {
    if (this.#mesh === undefined) throw new Error("nothing is followed yet");
    return this.#mesh;
  }
}

/** By URL. If two rules name one URL, the first sets the timeout. */
function remoteKeys(mesh: Mesh): ReadonlyMap<string, RemoteKeys> {
  const wanted = new Map<string, RemoteKeys>();
  for (const { rules } of mesh.requestAuthentications) {
    for (const { keys } of rules) {
      if (keys.kind !== "inline" && !wanted.has(keys.url)) wanted.set(keys.url, keys);
    }
  }
  return wanted;
}

function reachedIn(mesh: Mesh, url: string): string {
  return JSON.stringify(clusterTargets(mesh, ...hostAndPort(new URL(url))) ?? []);
}
