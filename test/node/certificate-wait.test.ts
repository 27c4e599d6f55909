import { expect, test } from "vitest";
import { CertificateWait } from "../../agent/node/certificate-wait.ts";
import { FakeClock } from "../identity/fake-clock.ts";

const waiting = (...uids: readonly string[]) => uids.map((uid) => ({ uid, guarded: false, closed: false }));

function begin(known: { readonly certified?: readonly string[]; readonly waiting?: readonly string[] } = {}) {
  const clock = new FakeClock();
  let changes = 0;
  const onChange = (): number => changes++;
  const wait = new CertificateWait({ certified: [], waiting: [], ...known, closeAfterMs: 5_000, onChange, clock });
  const told = () => ({ guarded: [...wait.guarded], closed: [...wait.closed], changes });
  return { clock, wait, told };
}

test("a pod that waits is guarded after a moment, closed after the grace, and stays closed when it has its certificate", () => {
  const { clock, wait, told } = begin();
  wait.follow(new Set(["a", "b"]), waiting("a"));
  expect(told()).toEqual({ guarded: [], closed: [], changes: 0 });
  clock.advance(200);
  expect(told()).toEqual({ guarded: ["a"], closed: [], changes: 1 });
  wait.follow(new Set(["a", "b"]), waiting("a"));
  clock.advance(4_799);
  expect(told()).toEqual({ guarded: ["a"], closed: [], changes: 1 });
  clock.advance(1);
  expect(told()).toEqual({ guarded: ["a"], closed: ["a"], changes: 2 });
  wait.follow(new Set(["a", "b"]), []);
  expect(told().closed).toEqual(["a"]);
  // It leaves; when it comes back it begins anew.
  wait.follow(new Set(["b"]), []);
  wait.follow(new Set(["a", "b"]), waiting("a"));
  expect(told()).toEqual({ guarded: [], closed: [], changes: 2 });
});

test("one whose certificate comes within the grace is forgotten", () => {
  const { clock, wait, told } = begin();
  wait.follow(new Set(["a"]), waiting("a"));
  clock.advance(1_000);
  wait.follow(new Set(["a"]), []);
  clock.advance(10_000);
  expect(told()).toEqual({ guarded: [], closed: [], changes: 1 });
});

test("who waited before this agent has waited for long", () => {
  const { told } = begin({ waiting: ["a"], certified: ["b"] });
  expect(told()).toEqual({ guarded: ["a"], closed: ["a"], changes: 0 });
});

test("what an agent before has given to the proxy counts until that starts anew, and a moment longer", () => {
  const { clock, wait, told } = begin({ certified: ["a", "gone"] });
  wait.follow(new Set(["a"]), []);
  clock.advance(60_000);
  expect([...wait.certified]).toEqual(["a", "gone"]);
  wait.proxyStarts();
  clock.advance(1_999);
  expect([...wait.certified]).toEqual(["a", "gone"]);
  clock.advance(1);
  expect([...wait.certified]).toEqual([]);
  wait.follow(new Set(["a"]), waiting("a"));
  expect(told()).toEqual({ guarded: ["a"], closed: ["a"], changes: 1 });
});
