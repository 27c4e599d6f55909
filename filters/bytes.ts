import { answerSize, answerStart } from "../assembly/index";

/** Bytes that stand somewhere else: in the host's answer, or in a buffer that outlives this. */
export class Bytes {
  start: usize = 0;
  size: usize = 0;

  clear(): void {
    this.size = 0;
  }

  at(start: usize, size: usize): void {
    this.start = start;
    this.size = size;
  }

  of(buffer: ArrayBuffer): void {
    this.at(changetype<usize>(buffer), buffer.byteLength);
  }

  /** The host's answer to the last call. */
  answer(): void {
    this.at(answerStart(), answerSize());
  }

  text(): string {
    return String.UTF8.decodeUnsafe(this.start, this.size);
  }
}
