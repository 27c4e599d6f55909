import { afterEach, beforeEach, expect, test } from "vitest";
import { CertificateStore } from "../../agent/identity/node/certificate-store.ts";
import { eventually } from "../support/eventually.ts";
import { AuthorityFixture, API, LIFETIME_MS, WEB } from "./authority-fixture.ts";
import { FakeClock } from "./fake-clock.ts";

const HOUR_MS = 3_600_000;
let clock: FakeClock;
let fixture: AuthorityFixture;
let store: CertificateStore;

beforeEach(async () => {
  clock = new FakeClock();
  fixture = await AuthorityFixture.start(clock);
  store = new CertificateStore(await fixture.join("n1"), { clock, random: () => 0.5 });
});
afterEach(() => {
  store.close();
  fixture.remove();
});

const serial = (id = WEB): string | undefined => store.current().certificates.get(id)?.serial;
const until = (condition: () => boolean): Promise<void> => eventually(() => expect(condition()).toBe(true));

test("what is wanted is fetched, what is not is forgotten, and nothing else changes the object", async () => {
  const seen: number[] = [];
  store.onChange(({ certificates }) => seen.push(certificates.size));
  store.want([WEB]);
  expect(store.status().identities[0]?.waiting).toBe("the authority is being asked");
  await until(() => serial() !== undefined);
  const current = store.current();
  expect(current.rootsPem).toBe(fixture.signer.roots());
  store.want([WEB, WEB]);
  expect(store.current()).toBe(current);
  expect(store.status().identities).toMatchObject([{ spiffeId: WEB, serial: serial() }]);
  store.want([]);
  expect(store.current().certificates.size).toBe(0);
  expect(current.certificates.size).toBe(1);
  expect(seen.at(-1)).toBe(0);
});

test("a certificate is renewed at half its life, with a new key", async () => {
  store.want([WEB]);
  await until(() => serial() !== undefined);
  const first = store.current().certificates.get(WEB);
  clock.advance(LIFETIME_MS / 2 - 5 * 60_000);
  expect(serial()).toBe(first?.serial);
  clock.advance(10 * 60_000);
  await until(() => serial() !== first?.serial);
  const second = store.current().certificates.get(WEB);
  expect(second?.keyPem).not.toBe(first?.keyPem);
  expect(second?.notAfter.getTime()).toBeGreaterThan((first?.notAfter.getTime() ?? 0) + 11 * HOUR_MS);
});

test("what is refused waits with its reason, and is tried again", async () => {
  store.want([WEB, API]);
  await until(() => store.status().identities[0]?.waiting?.includes("its pods run on n2") === true);
  await until(() => serial(WEB) !== undefined);
  fixture.placed.set(API, ["n1"]);
  clock.advance(250);
  await until(() => serial(API) !== undefined);
  expect(store.status().identities[0]?.waiting).toBeUndefined();
});

test("an authority that is away takes nothing, and is asked until it is back", async () => {
  store.want([WEB]);
  await until(() => serial() !== undefined);
  const before = store.current();
  fixture.stopServing();
  await until(() => store.status().authorityTrouble !== undefined);
  store.rotate(WEB);
  store.want([WEB, API]);
  const statusOf = (id: string) => store.status().identities.find(({ spiffeId }) => spiffeId === id);
  await until(() => statusOf(API)?.waiting?.includes("does not answer") === true);
  await until(() => statusOf(WEB)?.lastError?.includes("does not answer") === true);
  expect(store.current()).toBe(before);
  // Past its end, too: nobody is served better by none.
  clock.advance(LIFETIME_MS);
  expect(statusOf(WEB)?.expired).toBe(true);
  expect(store.current()).toBe(before);
  await fixture.serve();
  await eventually(() => {
    clock.advance(31_000);
    expect(serial()).not.toBe(before.certificates.get(WEB)?.serial);
    expect(store.status().authorityTrouble).toBeUndefined();
  }, 50);
  expect(statusOf(WEB)).not.toHaveProperty("lastError");
});

test("one certificate that comes tells that the authority is back, and the others are asked for", async () => {
  fixture.placed.set(API, ["n1"]);
  store.want([WEB, API]);
  await until(() => store.current().certificates.size === 2);
  const before = serial(API);
  fixture.stopServing();
  await until(() => store.status().authorityTrouble !== undefined);
  store.rotate(API);
  await until(() => store.status().identities[0]?.lastError !== undefined);
  await fixture.serve();
  store.rotate(WEB);
  await until(() => serial(API) !== before);
  expect(store.status().authorityTrouble).toBeUndefined();
});

test("one is rotated by hand, or all; another node's is refused", async () => {
  fixture.placed.set(API, ["n1"]);
  store.want([WEB, API]);
  await until(() => store.current().certificates.size === 2);
  const [web, api] = [serial(WEB), serial(API)];
  expect(store.rotate(WEB)).toEqual([WEB]);
  await until(() => serial(WEB) !== web);
  expect(serial(API)).toBe(api);
  expect(store.rotate()).toEqual([API, WEB]);
  await until(() => serial(API) !== api);
  expect(() => store.rotate("spiffe://cluster.local/ns/x/sa/y")).toThrow("no pod in the mesh on this node");
});

test("a new root is trusted at once, and certificates follow when it signs", async () => {
  store.want([WEB]);
  await until(() => serial() !== undefined);
  const first = serial();
  await fixture.signer.addRoot();
  fixture.authority.changed();
  await until(() => store.status().roots.length === 2);
  expect(serial()).toBe(first);
  fixture.signer.signByNewest();
  fixture.authority.changed();
  await eventually(() => {
    clock.advance(1_000);
    expect(serial()).not.toBe(first);
  }, 50);
  const newest = fixture.signer.generation();
  expect(fixture.signer.trusted().at(-1)?.generation).toBe(newest);
  await until(() => fixture.records.inUse(clock.now()).get("n1")?.generations.join() === newest);
});
