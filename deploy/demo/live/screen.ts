import type { ReadStream, WriteStream } from "node:tty";

const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
const ENTER = "\u001b[?1049h\u001b[?25l"; // The alternate screen, no cursor.
const LEAVE = "\u001b[?25h\u001b[?1049l";
const CTRL_C = "\u0003";

/** Draws lines in place, and reads keys. Where the output is not a terminal it writes plain blocks of lines. */
export class Screen {
  private readonly output: WriteStream;
  private readonly input: ReadStream;
  private readonly onKey: (key: string) => void;
  private readonly listener = (data: Buffer): void => this.onKey(data.toString() === CTRL_C ? "q" : data.toString());

  constructor(output: WriteStream, input: ReadStream, onKey: (key: string) => void) {
    this.output = output;
    this.input = input;
    this.onKey = onKey;
  }

  open(): void {
    if (this.output.isTTY) this.output.write(ENTER);
    if (!this.input.isTTY) return;
    this.input.setRawMode(true);
    this.input.resume();
    this.input.on("data", this.listener);
  }

  close(): void {
    this.input.off("data", this.listener);
    if (this.input.isTTY) this.input.setRawMode(false);
    this.input.pause();
    if (this.output.isTTY) this.output.write(LEAVE);
  }

  draw(lines: readonly string[]): void {
    if (!this.output.isTTY) {
      this.output.write(`${lines.join("\n")}\n\n`);
      return;
    }
    const [width, height] = [this.output.columns, this.output.rows];
    const shown = lines.slice(0, height - 1).map((line) => line.slice(0, width));
    this.output.write(HOME + shown.map((line) => `${line}${CLEAR_LINE}\n`).join("") + CLEAR_BELOW);
  }
}
