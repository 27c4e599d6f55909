import { readFileSync } from "node:fs";
import { AmbitError } from "../../lib/errors.ts";
import type { NodeProof } from "../authority-protocol.ts";

/** How a node proves to the authority which node it is: by a join token in a file, so far. */
export interface NodeCredential {
  /** The client asks before each request, as a newer proof may have replaced an earlier one. Throws if there is none. */
  proof(): NodeProof;
}

/** The file that `ambit authority token` made for this node. Its proof throws AmbitError `join-file`, `join-node`. */
export function joinFileCredential(path: string, node: string): NodeCredential {
  return {
    proof: () => {
      const proof = read(path);
      if (proof.node === node) return proof;
      throw new AmbitError({
        code: "join-node",
        kind: "user",
        what: `the join token in ${path} is for node '${proof.node}', and this is '${node}'`,
        remedy: `make one where the authority runs: ambit authority token --node ${node}`,
      });
    },
  };
}

function read(path: string): NodeProof {
  try {
    const { node, token, authority } = JSON.parse(readFileSync(path, "utf8")) as Partial<NodeProof>;
    if (typeof node === "string" && typeof token === "string" && typeof authority === "string") {
      return { node, token, authority };
    }
    throw new Error("it lacks 'node', 'token' or 'authority'");
  } catch (cause) {
    throw new AmbitError({
      code: "join-file",
      kind: "user",
      what: `${path} is no join token`,
      remedy: "make one where the authority runs: ambit authority token --node NAME",
      cause,
    });
  }
}
