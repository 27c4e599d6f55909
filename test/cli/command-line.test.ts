import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { COMMANDS } from "../../agent/cli/commands.ts";
import { AMBIT } from "../support/ambit-command.ts";

const LAUNCHER = fileURLToPath(new URL("../../agent/setup/launch.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "amb-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No lab and no Envoy of this machine show through. */
function ambit(...args: string[]): Ended {
  return run(AMBIT, ...args);
}

function run(...command: string[]): Ended {
  const env = { ...process.env, AMBIT_STATE_DIR: join(folder, "state") };
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8", env });
  return { code: status, stdout, stderr };
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

test("the launcher of a checkout runs the same", () => {
  expect(run(LAUNCHER, "version")).toEqual(ambit("version"));
  expect(run(LAUNCHER, "nonsense")).toEqual(ambit("nonsense"));
});

test("help lists every command, with examples", () => {
  const { code, stdout } = ambit("--help");
  expect(code).toBe(0);
  for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  expect(stdout).toContain("Examples:");
});

test.each(COMMANDS.map(({ name }) => name))("'%s --help' tells how it is called, and 'help' of it the same", (name) => {
  const { code, stdout } = ambit(name, "--help");
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: ambit ${name}`);
  expect(ambit("help", name).stdout).toBe(stdout);
});

test.each([
  ["no command", []],
  ["an unknown command", ["nonsense"]],
  ["an unknown option", ["version", "--nonsense"]],
  ["an unknown option before any command", ["--nonsense"]],
  ["a missing argument", ["enroll"]],
  ["an argument that cannot be", ["enroll", "a/b/c"]],
  ["options that exclude each other", ["status", "--name", "a", "--socket", "b"]],
])("wrong use is exit code 2 and said on standard error: %s", (_what, args) => {
  const { code, stdout, stderr } = ambit(...args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).not.toBe("");
});

test("a wrong command's suggestion is the right one", () => {
  expect(ambit("staus").stderr).toContain("status");
});

test("a failure is exit code 1, with what to do", () => {
  for (const args of [["status"], ["status", "--name", "nowhere"], ["enroll", "shop"]]) {
    const { code, stderr } = ambit(...args);
    expect(code).toBe(1);
    expect(stderr).toContain("what to do: ");
  }
  const silent = ambit("status", "--socket", join(folder, "nothing.sock"));
  expect(silent).toMatchObject({ code: 1 });
  expect(silent.stderr).toContain("no agent answers");
});

test("version is for people and for scripts", () => {
  const { stdout } = ambit("version", "-o", "json");
  expect(JSON.parse(stdout)).toMatchObject({ ambit: "0.1.0", node: process.versions.node });
  expect(ambit("version").stdout).toContain(`node   ${process.versions.node}`);
});

test("enroll changes manifests in place, and says what it did", () => {
  const file = join(folder, "shop.yaml");
  writeFileSync(file, "# mine\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop # the shop\n");
  expect(ambit("enroll", "--manifests", folder, "shop")).toMatchObject({
    code: 0,
    stdout: `${file}: set ambit.dev/dataplane-mode=ambient on the namespace shop\n`,
  });
  expect(readFileSync(file, "utf8")).toBe(
    "# mine\napiVersion: v1\nkind: Namespace\nmetadata:\n  labels:\n    ambit.dev/dataplane-mode: ambient\n  name: shop # the shop\n",
  );
  expect(ambit("enroll", "--manifests", folder, "shop").stdout).toContain("needs no change");
  expect(ambit("unenroll", "--manifests", folder, "shop").stdout).toContain("dataplane-mode=none");
  const missing = ambit("enroll", "--manifests", folder, "other");
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain("add a Namespace object");
});

test("check says what does not hold without an authority, and takes it for no problem", () => {
  const manifests = join(folder, "strict");
  mkdirSync(manifests);
  writeFileSync(
    join(manifests, "strict.yaml"),
    "{ apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: { name: all, namespace: istio-system }, spec: { mtls: { mode: STRICT } } }",
  );
  const { code, stdout } = ambit("check", manifests);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^no problems\n\nIf your agents run without --authority/u);
  expect(stdout).toContain("STRICT refuses every call");
  expect(JSON.parse(ambit("check", manifests, "-o", "json").stdout)).toMatchObject({
    problems: [],
    needsAuthority: [{ object: "PeerAuthentication istio-system/all", field: "spec.mtls.mode" }],
  });
});
