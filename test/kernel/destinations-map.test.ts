import { closeSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { OUTBOUND_PORTS } from "../../agent/lib/ports.ts";
import { createMap } from "../../agent/kernel/loader/bpf-commands.ts";
import { BpfMap, u32 } from "../../agent/kernel/loader/bpf-map.ts";
import { addressPort } from "../../agent/kernel/maps/address.ts";
import { DestinationsMap } from "../../agent/kernel/maps/destinations-map.ts";
import type { CapturedDestination } from "../../agent/model/capture-state.ts";
import { describePrivileged } from "../support/privileges.ts";

const HASH = 1;
const NO_PREALLOC = 1;

const at = (last: number, mode: CapturedDestination["mode"] = "http"): CapturedDestination => ({
  address: `10.0.0.${last}`,
  port: 80,
  mode,
});

describePrivileged("the map of destinations, with room for four", () => {
  const shape = { type: HASH, keySize: 20, valueSize: 4, maxEntries: 4, flags: NO_PREALLOC };
  const fd = createMap("destinations", shape, undefined);
  afterAll(() => closeSync(fd));
  const destinations = new DestinationsMap(fd);
  const held = (): readonly string[] =>
    [...new BpfMap(fd, addressPort, u32).entries()].map(([{ address }, port]) => `${address} ${port}`).toSorted();
  const expected = (...all: readonly CapturedDestination[]): readonly string[] =>
    all.map(({ address, mode }) => `${address} ${OUTBOUND_PORTS[mode]}`).toSorted();

  it("takes the first ones of a list that is too long, and says how many are missing", () => {
    destinations.set([at(1), at(2)]);
    expect(() => destinations.set([at(2), at(3), at(4), at(5), at(6), at(7)])).toThrow(
      "2 of 6 destinations do not fit",
    );
    expect(held()).toEqual(expected(at(2), at(3), at(4), at(5)));
  });

  it("replaces all of them at once, though it is full", () => {
    destinations.set([at(11), at(12), at(13), at(14)]);
    expect(held()).toEqual(expected(at(11), at(12), at(13), at(14)));
  });

  it("changes one in a full map, and tries again what did not fit", () => {
    const changed = [at(11, "tcp"), at(12), at(13), at(14)];
    expect(() => destinations.set([...changed, at(15)])).toThrow("do not fit");
    expect(held()).toEqual(expected(...changed));
    destinations.set([...changed.slice(1), at(15)]);
    expect(held()).toEqual(expected(...changed.slice(1), at(15)));
  });
});
