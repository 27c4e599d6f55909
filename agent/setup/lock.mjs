// A lock between processes. It is a folder, because making one is atomic on every file system.
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;

/**
 * Runs `action` while no other process has the same lock. The lock of a process that died is taken over.
 * @template T
 * @param {string} folder
 * @param {() => T | Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(folder, action) {
  fs.mkdirSync(dirname(folder), { recursive: true });
  for (let told = false; !acquire(folder);) {
    if (isAbandoned(folder)) fs.rmSync(folder, { recursive: true, force: true });
    else {
      if (!told) process.stderr.write("setup: waiting for another setup that is under way\n");
      told = true;
      await sleep(POLL_MS);
    }
  }
  try {
    return await action();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder A rename makes it appear with the owner's process id already inside. */
function acquire(folder) {
  const mine = fs.mkdtempSync(`${folder}-`);
  fs.writeFileSync(join(mine, "pid"), String(process.pid));
  try {
    fs.renameSync(mine, folder); // Fails if the target is a folder that is not empty.
    return true;
  } catch (error) {
    fs.rmSync(mine, { recursive: true, force: true });
    if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} folder */
function isAbandoned(folder) {
  try {
    process.kill(Number(fs.readFileSync(join(folder, "pid"), "utf8")), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}
