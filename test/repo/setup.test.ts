import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { areDependenciesInstalled } from "../../agent/setup/dependencies.mjs";
import { withLock } from "../../agent/setup/lock.mjs";

const lockModule = fileURLToPath(new URL("../../agent/setup/lock.mjs", import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "amb-setup-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("of processes that want the lock at once, one works at a time", async () => {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const script = `
    import { appendFileSync } from "node:fs";
    import { withLock } from ${JSON.stringify(lockModule)};
    await withLock(process.argv[1], async () => {
      appendFileSync(process.argv[2], "in ");
      await new Promise((resolve) => setImmediate(resolve));
      appendFileSync(process.argv[2], "out ");
    });`;
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", script, join(folder, "lock"), log], { stdio: "inherit" }),
  );
  await Promise.all(children.map((child) => once(child, "exit")));
  expect(readFileSync(log, "utf8")).toBe("in out ".repeat(6));
  expect(existsSync(join(folder, "lock"))).toBe(false);
});

test("the lock of a process that died is taken over", async () => {
  const lock = join(folder, "lock");
  const dead = spawn(process.execPath, ["-e", ""]);
  await once(dead, "exit");
  mkdirSync(lock);
  writeFileSync(join(lock, "pid"), String(dead.pid));
  expect(await withLock(lock, () => "worked")).toBe("worked");
});

test("what fails under the lock gives it back", async () => {
  const lock = join(folder, "lock");
  await expect(withLock(lock, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withLock(lock, () => "worked")).toBe("worked");
});

test("dependencies are installed when npm's own note says what the lock file wants", () => {
  const write = (file: string, packages: object): void => {
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    writeFileSync(join(folder, file), JSON.stringify({ packages }));
  };
  expect(areDependenciesInstalled(folder)).toBe(false);
  const wanted = {
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0", optional: true },
  };
  write("package-lock.json", wanted);
  expect(areDependenciesInstalled(folder)).toBe(false);
  write("node_modules/.package-lock.json", { "node_modules/a": { version: "1.0.0" } });
  expect(areDependenciesInstalled(folder)).toBe(true);
  write("node_modules/.package-lock.json", { "node_modules/a": { version: "1.0.1" } });
  expect(areDependenciesInstalled(folder)).toBe(false);
});
