// A lock between processes: a folder, because mkdir either makes it or fails, on every file system.
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;

/**
 * Runs `action` while nobody else with the same lock does. The lock of a process that died is taken over.
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
      if (!told) process.stderr.write("setup: another one is under way, waiting for it\n");
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

/** @param {string} folder The owner's id is inside before the folder has its name: it appears as a whole. */
function acquire(folder) {
  const mine = fs.mkdtempSync(`${folder}-`);
  fs.writeFileSync(join(mine, "pid"), String(process.pid));
  try {
    fs.renameSync(mine, folder); // Fails if the target is a folder that holds something.
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
