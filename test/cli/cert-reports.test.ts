import { describe, expect, it } from "vitest";
import type { CertificateReport } from "../../agent/node/certificates.ts";
import { listText } from "../../agent/cli/cert-list.ts";
import { findHeld } from "../../agent/cli/cert-reports.ts";

const API = "spiffe://cluster.local/ns/shop/sa/api";
const answered: CertificateReport = {
  node: "node-2",
  roots: [],
  rootsPem: "",
  identities: [{ spiffeId: API, serial: "1f", notAfter: "2030-01-02T00:00:00Z", nextRequest: "2030-01-01T12:00:00Z" }],
};
const silent = { node: "node-1", error: "no agent answers\n  why: nobody is there" };
const NOW = Date.parse("2030-01-01T00:00:00Z");

describe("a node that does not answer", () => {
  it("is in the list, and what is the matter below it", () => {
    const text = listText([silent, answered], NOW);
    expect(text).toMatch(/^node-1 +- +- +- +- +does not answer$/mu);
    expect(text).toMatch(/^node-2 +spiffe:[^ ]+api +1f +1d 0h +12h 0m$/mu);
    expect(text).toContain("\nnode-1 does not answer: no agent answers\n  why: nobody is there");
    expect(listText([answered], NOW)).not.toContain("does not");
  });

  it("is named where an identity is not found: it may have it", () => {
    expect(findHeld([silent, answered], "shop/api")).toMatchObject([{ node: "node-2", spiffeId: API }]);
    const failure = (reports: readonly (typeof silent | CertificateReport)[]): unknown => {
      try {
        return findHeld(reports, "shop/web");
      } catch (error) {
        return error;
      }
    };
    expect(failure([silent, answered])).toMatchObject({
      message: "no node that answers has a pod of the identity shop/web in the mesh",
      remedy: expect.stringContaining("node-1 does not answer") as string,
    });
    expect(failure([answered])).toMatchObject({ message: "no node has a pod of the identity shop/web in the mesh" });
  });
});
