import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CertificateStore } from "../../agent/identity/node/certificate-store.ts";
import { BuiltInSigner } from "../../agent/identity/authority/built-in-signer.ts";
import { splitPem } from "../../agent/identity/x509/pem.ts";
import { RootRotation } from "../../agent/identity/authority/root-rotation.ts";
import { eventually } from "../support/eventually.ts";
import { API, AuthorityFixture, LIFETIME_MS, WEB } from "./authority-fixture.ts";
import { FakeClock } from "./fake-clock.ts";

let clock: FakeClock;
let fixture: AuthorityFixture;
let rotation: RootRotation;
let stores: readonly CertificateStore[];

beforeEach(async () => {
  clock = new FakeClock();
  fixture = await AuthorityFixture.start(clock);
  const onChange = (): void => fixture.authority.changed();
  rotation = new RootRotation({ signer: fixture.signer, records: fixture.records, clock, onChange });
  stores = [await openStore("n1", WEB), await openStore("n2", API)];
  await eventually(() => expect(stores.map((store) => store.current().certificates.size)).toEqual([1, 1]));
});
afterEach(() => {
  for (const store of stores) store.close();
  fixture.remove();
});

async function openStore(node: string, id: string): Promise<CertificateStore> {
  const store = new CertificateStore(await fixture.join(node), { clock, random: () => 0.5 });
  store.want([id]);
  return store;
}

/** Time goes on by seconds, the rotation with it, until it is as wanted. */
async function until(wanted: () => boolean): Promise<void> {
  await eventually(async () => {
    clock.advance(1_000);
    await rotation.step();
    expect(wanted()).toBe(true);
  }, 10);
}

/** Does each node trust what each node uses? Of this all calls between them consist. */
function allTrustAll(): boolean {
  const leaves = stores.flatMap((store) => [...store.current().certificates.values()]);
  return stores.every((store) => {
    const roots = splitPem(store.current().rootsPem).map((pem) => new X509Certificate(pem));
    return leaves.every(({ chainPem }) => {
      const [leaf = "", intermediate = ""] = splitPem(chainPem);
      const issuer = new X509Certificate(intermediate);
      return new X509Certificate(leaf).verify(issuer.publicKey) && roots.some((root) => issuer.verify(root.publicKey));
    });
  });
}

test("the root changes step by step, and at no moment does a node not trust another", async () => {
  const faults: number[] = [];
  for (const store of stores) store.onChange(() => void (allTrustAll() || faults.push(clock.now())));
  const before = fixture.signer.roots();
  const serials = stores.map((store) => [...store.current().certificates.values()][0]?.serial);
  await rotation.start();
  await expect(rotation.start()).rejects.toThrow("being changed already");
  expect(rotation.status().stage).toBe("spreading");
  await until(() => rotation.status().stage === "replacing");
  expect(stores.map((store) => splitPem(store.current().rootsPem).length)).toEqual([2, 2]);
  await until(() => rotation.status().stage === "steady");
  await until(() => stores.every((store) => store.current().rootsPem === fixture.signer.roots()));
  expect(fixture.signer.roots()).not.toContain(before);
  expect(stores.map((store) => [...store.current().certificates.values()][0]?.serial)).not.toEqual(serials);
  expect(faults).toEqual([]);
  expect(allTrustAll()).toBe(true);
});

test("waits for a node that is silent, also after a restart, until its certificates have expired", async () => {
  stores[1]?.close();
  await rotation.start();
  await until(() => rotation.status().waitingFor.length === 1);
  for (let minutes = 0; minutes < 10; minutes++) {
    clock.advance(60_000);
    await rotation.step();
  }
  expect(rotation.status()).toMatchObject({ stage: "spreading", waitingFor: [expect.stringContaining("n2")] });

  const signer = await BuiltInSigner.open({ folder: fixture.folder, trustDomain: "cluster.local", clock });
  const again = new RootRotation({ signer, records: fixture.records, clock, onChange: () => undefined });
  expect(again.status().stage).toBe("spreading");

  // The other node renews its own meanwhile, so that it goes on to count.
  const serial = (): string | undefined => stores[0]?.status().identities[0]?.serial;
  const before = serial();
  clock.advance(LIFETIME_MS / 2 + 120_000);
  await eventually(() => expect(serial()).not.toBe(before));
  clock.advance(LIFETIME_MS / 2 + 3_600_000);
  await until(() => rotation.status().stage === "replacing");
  await until(() => rotation.status().stage === "steady");
});

test("a root that is near its end is changed without being asked", async () => {
  await rotation.step();
  expect(rotation.status().stage).toBe("steady");
  // Their timers would be many.
  for (const store of stores) store.close();
  clock.advance(9 * 366 * 86_400_000);
  await rotation.step();
  expect(rotation.status().stage).toBe("spreading");
});
