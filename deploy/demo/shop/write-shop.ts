import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../agent/lib/package.ts";

/** The shop's manifests, with the paths of this machine in them. */
export interface Shop {
  readonly manifests: string;
  /** Where the applications put their control sockets. */
  readonly control: string;
  remove(): void;
}

export interface ShopOptions {
  /** Pages a second that the load generator requests by itself; 0: none. */
  readonly rate: number;
}

/** Puts the manifests of deploy/demo into a temporary folder, with the paths of this checkout in them. */
export function writeShop({ rate }: ShopOptions): Shop {
  const folder = mkdtempSync(join(tmpdir(), "ambit-demo-"));
  const templates = join(packageRoot(), "deploy/demo/manifests");
  const control = join(folder, "control");
  const manifests = join(folder, "manifests");
  mkdirSync(control);
  mkdirSync(manifests);
  const values = new Map([
    ["APPS", join(packageRoot(), "deploy/demo/apps")],
    ["NODE", process.execPath],
    ["CONTROL_DIR", control],
    ["RATE", String(rate)],
  ]);
  for (const file of readdirSync(templates)) {
    writeFileSync(join(manifests, file), fillIn(readFileSync(join(templates, file), "utf8"), values));
  }
  return { manifests, control, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Replaces each `${NAME}` by its value. Throws for a name that has none. */
export function fillIn(template: string, values: ReadonlyMap<string, string>): string {
  return template.replaceAll(/\$\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`the template asks for ${placeholder}, which has no value`);
    return value;
  });
}
