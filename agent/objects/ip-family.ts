import type { IpFamily } from "../lib/ip-address.ts";

/** The names that Kubernetes writes: `addressType` of an EndpointSlice, `ipFamilies` of a Service. */
export const IP_FAMILY_NAMES = ["IPv4", "IPv6"] as const;

export type IpFamilyName = (typeof IP_FAMILY_NAMES)[number];

export function ipFamilyNamed(name: IpFamilyName): IpFamily {
  return name === "IPv6" ? 6 : 4;
}

export function ipFamilyName(family: IpFamily): IpFamilyName {
  return family === 6 ? "IPv6" : "IPv4";
}
