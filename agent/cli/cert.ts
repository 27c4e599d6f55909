import type { Command } from "commander";
import { addCertList } from "./cert-list.ts";
import { addCertRotate } from "./cert-rotate.ts";
import { addCertShow } from "./cert-show.ts";

export function registerCert(program: Command): void {
  const cert = program
    .command("cert")
    .description("Shows the certificates that nodes have for their pods' identities, and renews them ahead of time.")
    .addHelpText(
      "after",
      "\nExamples:\n  $ ambit cert list\n  $ ambit cert show shop/web\n  $ ambit cert rotate shop/web",
    );
  addCertList(cert);
  addCertShow(cert);
  addCertRotate(cert);
}
