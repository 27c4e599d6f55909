import { isIpv4 } from "./address.ts";
import { address, endpoint, type Endpoint, pod, type PodValue, u32, u64 } from "./codecs.ts";
import { BpfMap, type Codec } from "../loader/maps.ts";
import { mapOf } from "../loader/programs.ts";
import type { CapturedPod } from "../../model/capture-state.ts";

/** A pod together with its network namespace's cookie. */
export interface LocatedPod {
  readonly pod: CapturedPod;
  readonly cookie: bigint;
}

/** The maps by which the programs know pods. Each `set` makes its map say exactly what is given. */
export class PodMaps {
  readonly #pods: BpfMap<bigint, PodValue>;
  readonly #addresses: BpfMap<string, bigint>;
  readonly #probePorts: BpfMap<Endpoint, number>;

  constructor(maps: ReadonlyMap<string, number>) {
    this.#pods = new BpfMap(mapOf(maps, "pods"), u64, pod);
    this.#addresses = new BpfMap(mapOf(maps, "pod_addresses"), address, u64);
    this.#probePorts = new BpfMap(mapOf(maps, "probe_ports"), endpoint, u32);
  }

  /** Whose outbound connections are captured. */
  setOutbound(pods: readonly LocatedPod[]): void {
    sync(
      this.#pods,
      u64,
      pods.map(({ pod: { addresses }, cookie }) => [
        cookie,
        { ipv4: addresses.find(isIpv4), ipv6: addresses.find((candidate) => !isIpv4(candidate)) },
      ]),
    );
  }

  stopOutbound(cookie: bigint): void {
    this.#pods.delete(cookie);
  }

  /** Further addresses that belong to pods; who is captured keeps its own. */
  addAddresses(pods: readonly LocatedPod[]): void {
    this.#addresses.setAll(
      pods.flatMap(({ pod: { addresses }, cookie }) => addresses.map((each) => [each, cookie] as const)),
    );
  }

  /**
   * Which addresses belong to which pod. Those of pods that have left (`leaving`, cookies) stay until their last delivery
   * has ended, unless another pod has got the address.
   */
  setAddresses(pods: readonly LocatedPod[], leaving: ReadonlySet<bigint>): void {
    const kept = [...this.#addresses.entries()].filter(([, cookie]) => leaving.has(cookie));
    const wanted = pods.flatMap(({ pod: { addresses }, cookie }) => addresses.map((each) => [each, cookie] as const));
    sync(this.#addresses, address, [...kept, ...wanted]);
    const probes = pods.flatMap(({ pod: { addresses, probePorts } }) =>
      addresses.flatMap((each) => probePorts.map((port) => [{ address: each, port }, 1] as const)),
    );
    sync(this.#probePorts, endpoint, probes);
  }
}

/** Writes every wanted element and deletes every other; of two with one key the later counts. */
function sync<K, V>(map: BpfMap<K, V>, codec: Codec<K>, wanted: readonly (readonly [K, V])[]): void {
  const textOf = (key: K): string => codec.encode(key).toString("hex");
  const byText = new Map(wanted.map((entry) => [textOf(entry[0]), entry]));
  const gone = [...map.entries()].map(([key]) => key).filter((key) => !byText.has(textOf(key)));
  map.setAll([...byText.values()]);
  map.deleteAll(gone);
}
