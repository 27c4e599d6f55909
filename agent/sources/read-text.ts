import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { messageOf } from "../lib/errors.ts";

/** Ambit reads manifests as a whole, and refuses larger files. */
const MAX_MANIFEST_BYTES = 8 << 20;

export type TextResult =
  | { readonly text: string }
  | { readonly code: "file-too-large" | "not-utf-8" | "unreadable"; readonly reason: string; readonly remedy: string };

const TOO_LARGE = {
  code: "file-too-large",
  reason: `the file is larger than ${MAX_MANIFEST_BYTES >> 20} MiB`,
  remedy: "Split it into several files.",
} as const;

/** A file's text, or why it cannot be read. Never waits for a writer, as opening a named pipe does. */
export async function readText(path: string): Promise<TextResult> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile())
        return { code: "unreadable", reason: "this is no regular file", remedy: "Replace it by a file." };
      if (found.size > MAX_MANIFEST_BYTES) return TOO_LARGE;
      // One byte more than is allowed, so that a file that has grown since is noticed.
      const buffer = Buffer.allocUnsafe(Math.min(found.size * 2 + 4096, MAX_MANIFEST_BYTES) + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > MAX_MANIFEST_BYTES) return TOO_LARGE;
      return { text: new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length)) };
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof TypeError) {
      return { code: "not-utf-8", reason: "the file is not UTF-8 text", remedy: "Save it as UTF-8." };
    }
    return { code: "unreadable", reason: messageOf(thrown), remedy: "Make the file readable for the agent." };
  }
}
