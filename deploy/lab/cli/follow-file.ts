import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../../../agent/lib/errors.ts";

const INTERVAL_MS = 100;
const CHUNK = 64 << 10;

/** Prints a growing file on standard output; with `follow` until it is removed. Prints nothing for one that is not there. */
export async function printLog(path: string, follow: boolean): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let position = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
      position += bytesRead;
      if (bytesRead > 0) {
        await write(buffer.subarray(0, bytesRead));
        continue;
      }
      const { nlink, size } = await file.stat();
      if (!follow || nlink === 0) return;
      // It had grown too long and was emptied.
      if (size < position) position = 0;
      await sleep(INTERVAL_MS);
    }
  } finally {
    await file.close();
  }
}

/** Waits until it is written: the buffer is used again. */
function write(chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(chunk, () => resolve()));
}
