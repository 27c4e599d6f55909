import { expect, test } from "vitest";
import { localIPv4, localIPv6 } from "../../agent/kernel/netns-addresses.ts";

test("the addresses of a network namespace are those of its local table", () => {
  const fibTrie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 169.254.1.1
        /32 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.244.0.0/24 2 0 2
        |-- 10.244.0.0
           /16 host LOCAL
        |-- 10.244.0.5
           /32 host LOCAL
        |-- 10.244.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
`;
  expect(localIPv4(fibTrie)).toEqual(["10.244.0.5", "127.0.0.1"]);
  const ifInet6 = `00000000000000000000000000000001 01 80 10 80       lo
fd00000000000000000000000000000a 02 40 00 00     eth0
`;
  expect(localIPv6(ifInet6)).toEqual(["::1", "fd00::a"]);
  expect([localIPv4(""), localIPv6("")]).toEqual([[], []]);
});
